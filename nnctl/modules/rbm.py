"""A restricted Boltzmann machine: two sets of units, joined by one matrix."""

from __future__ import annotations

from math import pi
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, softplus

Hidden: TypeAlias = Literal["binary", "noisy_relu"]
Visible: TypeAlias = Literal["binary", "gaussian"]


class RBM(nn.Module):
    """p(v, h) ∝ exp(−E(v, h)), E(v, h) = −b·v − c·h − h·W v: (N, visible) -> (N, hidden) (Smolensky, 1986).

    Binary hidden units answer with their probabilities, noisy ReLUs with max(0, W v + c). With Gaussian visible units
    ½‖v − b‖² takes the place of −b·v.
    """

    def __init__(self, inputs: int, units: int, hidden: Hidden, visible: Visible) -> None:
        super().__init__()
        self.hidden, self.visible = hidden, visible
        self.weight = nn.Parameter(torch.empty(units, inputs))
        self.bias = nn.Parameter(torch.empty(units))
        self.visible_bias = nn.Parameter(torch.empty(inputs))
        self.seen: Tensor | None = None
        """The last batch of visible values, without a way back to what came before the machine."""
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start with weights from N(0, 0.01²), as Hinton's guide advises, and biases of 0."""
        nn.init.normal_(self.weight, 0.0, 0.01)
        nn.init.zeros_(self.bias)
        nn.init.zeros_(self.visible_bias)

    def forward(self, v: Tensor) -> Tensor:
        """Return the hidden units' answer, and remember `v`."""
        self.seen = v.detach()
        return self.answer(linear(v, self.weight, self.bias))

    def free_energy(self, v: Tensor) -> Tensor:
        """Return F(v) of each sample, where p(v) ∝ exp(−F(v))."""
        x = linear(v, self.weight, self.bias)
        hidden = softplus(x) if self.hidden == "binary" else softplus_integral(x)
        if self.visible == "gaussian":
            return 0.5 * (v - self.visible_bias).square().sum(1) - hidden.sum(1)
        return -(v @ self.visible_bias) - hidden.sum(1)

    @torch.no_grad()
    def sample(self, v: Tensor, steps: int) -> Tensor:
        """Return visible values after as many steps of Gibbs sampling: hidden given visible, visible given hidden."""
        for _ in range(steps):
            h = self._draw_hidden(linear(v, self.weight, self.bias))
            v = self._draw_visible(linear(h, self.weight.t(), self.visible_bias))
        return v

    @torch.no_grad()
    def reconstruct(self, v: Tensor) -> Tensor:
        """Return what the visible units expect of the hidden units' answer."""
        x = linear(self.answer(linear(v, self.weight, self.bias)), self.weight.t(), self.visible_bias)
        return x.sigmoid() if self.visible == "binary" else x

    def answer(self, x: Tensor) -> Tensor:
        """Return what hidden units give that receive `x`."""
        return x.sigmoid() if self.hidden == "binary" else x.relu()

    def _draw_hidden(self, x: Tensor) -> Tensor:
        if self.hidden == "binary":
            return x.sigmoid().bernoulli()
        return (x + torch.randn_like(x) * x.sigmoid().sqrt()).relu()

    def _draw_visible(self, x: Tensor) -> Tensor:
        return x.sigmoid().bernoulli() if self.visible == "binary" else x + torch.randn_like(x)


_SERIES = ((1, 1.0), (2, 1 / 4), (3, 1 / 36), (5, -1 / 3600), (7, 1 / 211680), (9, -1 / 10886400))


def softplus_integral(x: Tensor) -> Tensor:
    """Return ∫ log(1 + exp t) dt from −∞ to x, which is −Li₂(−exp x): the logarithm of what infinitely many copies of
    a binary unit, their biases lower by ½, 1½, 2½ …, add to a free energy. Such copies are one noisy ReLU.

    Below 0 it is a series in s = log(1 + exp x) whose coefficients are Bernoulli's numbers over factorials; above 0
    the integral of −x joins it by a parabola. The error is below 1e-10.
    """
    s = softplus(torch.where(x > 0, -x, x))
    below = sum((factor * s**power for power, factor in _SERIES), torch.zeros_like(s))
    return torch.where(x > 0, 0.5 * x * x + pi * pi / 6 - below, below)
