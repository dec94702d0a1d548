"""Eigenvalues of a symmetric matrix that is only known by its products with vectors.

C. Lanczos, 1950; bounds: B. Parlett, The Symmetric Eigenvalue Problem, 1980.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

Product: TypeAlias = Callable[[Tensor], Tensor]
"""From a vector (n,) in float64 to the matrix times it."""

_EXHAUSTED = 1e-12
"""A remainder of this size, of the matrix's own, is rounding: the start reaches no further direction."""


@dataclass(frozen=True)
class Ritz:
    """What m steps of Lanczos tell of a matrix A: the eigenvalues of T = VᵀAV, ascending."""

    values: Tensor
    """(m,)"""
    bounds: Tensor
    """(m,): within this of each value lies an eigenvalue of A: |βₘ Sₘᵢ|, and rounding."""
    weights: Tensor
    """(m,): the share of the start that lies along each, S₁ᵢ²; they sum to 1."""


@dataclass(frozen=True, slots=True)
class Eigenvalue:
    """An approximate eigenvalue; a true one lies within `bound` of it."""

    value: float
    bound: float


def lanczos(product: Product, start: Tensor, steps: int, rounding: float = torch.finfo(torch.float64).eps) -> Ritz:
    """Take up to `steps` steps from `start`, with full reorthogonalisation; `rounding` is the relative size of that in
    the products.

    Every vector is made orthogonal to all before it, twice, so that rounding brings no eigenvalue back; a
    multiple one may be found less often than it is there. Stops early where the vectors span an invariant space.
    """
    basis = torch.empty(min(steps, len(start)), len(start), dtype=start.dtype)
    basis[0] = start / start.norm()
    diagonal: list[Tensor] = []
    beside: list[Tensor] = []
    scale = torch.zeros((), dtype=start.dtype)
    for step in range(len(basis)):
        image = product(basis[step])
        diagonal.append(image @ basis[step])
        done = basis[: step + 1]
        for _ in range(2):
            image = image - done.T @ (done @ image)
        beside.append(image.norm())
        scale = torch.stack([scale, diagonal[-1].abs(), beside[-1]]).max()
        if beside[-1] <= _EXHAUSTED * scale or step + 1 == len(basis):
            break
        basis[step + 1] = image / beside[-1]
    inner = torch.stack(beside)[:-1]
    values, vectors = torch.linalg.eigh(
        torch.diag(torch.stack(diagonal)) + torch.diag(inner, 1) + torch.diag(inner, -1)
    )
    return Ritz(values, (beside[-1] * vectors[-1]).abs() + rounding * values.abs().max(), vectors[0] ** 2)


def extremes(runs: list[Ritz], count: int) -> tuple[Eigenvalue, ...]:
    """Return the `count` largest and the `count` smallest eigenvalues, falling.

    A Ritz value never lies beyond the true extreme, so that of several runs the one that reaches furthest is best.
    """
    up, down = max(runs, key=lambda run: float(run.values[-1])), min(runs, key=lambda run: float(run.values[0]))
    if len(up.values) < 2 * count:
        return tuple(_eigenvalues(up)[::-1])
    return tuple(_eigenvalues(up)[::-1][:count] + _eigenvalues(down)[:count][::-1])


def _eigenvalues(run: Ritz) -> list[Eigenvalue]:
    return [Eigenvalue(v, b) for v, b in zip(run.values.tolist(), run.bounds.tolist(), strict=True)]
