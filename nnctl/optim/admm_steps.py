"""The sub-steps of training without gradients: each the exact minimum over one group of unknowns, the others held.

Minimised is Σ over samples of ℓ(z_L, y) + u·z_L + β‖z_L − m_L‖² + Σ_{l<L} [γ‖a_l − h(z_l)‖² + β‖z_l − m_l‖²] with
m_l = W_l a_{l−1} + b_l: layers as unknowns of their own, tied to each other by penalties. Samples are rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

CHUNK = 8192
"""Rows of which products are summed at a time in double precision."""

Hidden: TypeAlias = Callable[[Tensor, Tensor, float, float], Tensor]
"""(a, m, β, γ) → the z of a hidden layer."""
Output: TypeAlias = Callable[[Tensor, Tensor, Tensor, float], Tensor]
"""(m, y, u, β) → the z of the last layer."""


def products(a: Tensor, b: Tensor) -> Tensor:
    """Return aᵀb in double precision, whatever that of a and b."""
    parts = zip(torch.split(a, CHUNK), torch.split(b, CHUNK), strict=True)
    return torch.stack([torch.mm(x.double().T, y.double()) for x, y in parts]).sum(0)


def inverse_gram(a: Tensor, ridge: Tensor) -> Tensor:
    """Return the pseudo-inverse of aᵀa + diag(ridge): least squares with several right sides shares it."""
    gram = products(a, a) + ridge.double().diag()
    inverse: Tensor = torch.linalg.pinv(gram, hermitian=True)
    return inverse


def fit(inverse: Tensor, a: Tensor, z: Tensor) -> Tensor:
    """Return argmin over W of ‖z − aWᵀ‖² + Σ ridge·W², of least norm where there are several."""
    return (products(z, a) @ inverse).to(z)


def activations(weight: Tensor, rest: Tensor, h: Tensor, beta: float, gamma: float) -> Tensor:
    """Return argmin over a of γ‖a − h‖² + β‖rest − aWᵀ‖²; `rest` is the next layer's z without its bias."""
    w = weight.double()
    matrix = beta * w.T @ w + gamma * torch.eye(w.shape[1], dtype=w.dtype, device=w.device)
    right = beta * (rest @ weight) + gamma * h
    return torch.mm(right, torch.linalg.inv(matrix).to(right))


def relu_values(a: Tensor, m: Tensor, beta: float, gamma: float) -> Tensor:
    """Return argmin over z of γ(a − max(z, 0))² + β(z − m)²: the better of the best positive and negative z."""
    positive = ((gamma * a + beta * m) / (gamma + beta)).clamp(min=0)
    negative = m.clamp(max=0)
    gain = gamma * (a - positive) ** 2 + beta * (positive - m) ** 2 - gamma * a**2 - beta * (negative - m) ** 2
    return torch.where(gain < 0, positive, negative)


@dataclass(frozen=True, slots=True)
class ClippedLine:
    """The z-step of h(z) = min(max(slope·z + offset, 0), 1): a hard sigmoid."""

    slope: float
    offset: float

    def __call__(self, a: Tensor, m: Tensor, beta: float, gamma: float) -> Tensor:
        """Return argmin over z of γ(a − h(z))² + β(z − m)²: the best of those on the three straight parts."""
        low, high = -self.offset / self.slope, (1 - self.offset) / self.slope
        line = (gamma * self.slope * (a - self.offset) + beta * m) / (gamma * self.slope**2 + beta)
        z = torch.stack([m.clamp(max=low), line.clamp(low, high), m.clamp(min=high)])
        h = (self.slope * z + self.offset).clamp(0, 1)
        best = (gamma * (a - h) ** 2 + beta * (z - m) ** 2).argmin(0, keepdim=True)
        return z.gather(0, best).squeeze(0)


@dataclass(frozen=True, slots=True)
class SquaredError:
    """The last z-step of ℓ = q(z − y)² for each number."""

    q: float

    def __call__(self, m: Tensor, y: Tensor, multiplier: Tensor, beta: float) -> Tensor:
        """Return argmin over z of q(z − y)² + uz + β(z − m)²."""
        return (self.q * y + beta * m - multiplier / 2) / (self.q + beta)


@dataclass(frozen=True, slots=True)
class Hinge:
    """The last z-step of ℓ = w·max(1 − z, 0) where y is 1, and w·max(z, 0) where it is 0."""

    w: float

    def __call__(self, m: Tensor, y: Tensor, multiplier: Tensor, beta: float) -> Tensor:
        """Return argmin over z of ℓ + uz + β(z − m)²: on one of two straight parts, or at the kink between them."""
        free, pull = m - multiplier / (2 * beta), self.w / (2 * beta)  # `free`: where the loss is flat
        return torch.where(
            y > 0.5, torch.maximum(free, (free + pull).clamp(max=1)), torch.minimum(free, (free - pull).clamp(min=0))
        )
