"""Eigenvalues of a symmetric matrix that is only known by its products with vectors.

C. Lanczos, 1950; bounds: B. Parlett, The Symmetric Eigenvalue Problem, 1980; densities: S. Ubaru, J. Chen, Y. Saad, Fast
estimation of tr(f(A)) via stochastic Lanczos quadrature, 2017.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

Product: TypeAlias = Callable[[Tensor], Tensor]
"""From a vector (n,) in float64 to the matrix times it."""


@dataclass(frozen=True)
class Tridiagonal:
    """What m steps of Lanczos make of a matrix: T = VᵀAV, of which each eigenvalue approximates one of A's."""

    diagonal: Tensor
    """(m,)"""
    beside: Tensor
    """(m,): the numbers beside the diagonal; the last one is the norm of what is left over."""
    vectors: Tensor
    """(m, n): the orthonormal rows of Vᵀ."""

    def ritz(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return eigenvalues of T, ascending, their bounds and their eigenvectors (m, m) in columns.

        For each value some eigenvalue of A lies within |βₘ Sₘᵢ| of it.
        """
        inner = self.beside[:-1]
        matrix = torch.diag(self.diagonal) + torch.diag(inner, 1) + torch.diag(inner, -1)
        values, vectors = torch.linalg.eigh(matrix)
        return values, (self.beside[-1] * vectors[-1]).abs(), vectors


@dataclass(frozen=True, slots=True)
class Eigenvalue:
    """An approximate eigenvalue; a true one lies within `bound` of it."""

    value: float
    bound: float


def lanczos(product: Product, start: Tensor, steps: int) -> Tridiagonal:
    """Take up to `steps` steps from `start`, with full reorthogonalisation: every vector is made orthogonal to all before
    it, twice, so that rounding brings no eigenvalue back a second time. Stops early where an invariant space is found.
    """
    vectors = [start / start.norm()]
    diagonal: list[Tensor] = []
    beside: list[Tensor] = []
    scale = torch.zeros((), dtype=start.dtype, device=start.device)
    for _ in range(min(steps, len(start))):
        image = product(vectors[-1])
        diagonal.append(image @ vectors[-1])
        basis = torch.stack(vectors)
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        beside.append(image.norm())
        scale = torch.maximum(scale, torch.maximum(diagonal[-1].abs(), beside[-1]))
        if beside[-1] <= 1e-12 * scale or len(vectors) == len(start):
            break
        vectors.append(image / beside[-1])
    count = len(diagonal)
    return Tridiagonal(torch.stack(diagonal), torch.stack(beside), torch.stack(vectors[:count]))


def extreme_eigenvalues(product: Product, start: Tensor, count: int, steps: int) -> tuple[list[Eigenvalue], ...]:
    """Return the `count` largest eigenvalues, the largest first, and the `count` smallest, the smallest first."""
    values, bounds, _ = lanczos(product, start, steps).ritz()
    found = [Eigenvalue(float(value), float(bound)) for value, bound in zip(values, bounds, strict=True)]
    return found[::-1][:count], found[:count]


@dataclass(frozen=True)
class Density:
    """A spectral density as points with weights that sum to 1, from several random vectors together."""

    nodes: Tensor
    weights: Tensor
    dimension: int

    @property
    def negative_share(self) -> float:
        """Share of eigenvalues below 0, those within rounding of it left out."""
        edge = -1e-8 * float(self.nodes.abs().max())
        return float(self.weights[self.nodes < edge].sum())

    @property
    def trace(self) -> float:
        """Sum of all eigenvalues."""
        return float((self.nodes * self.weights).sum()) * self.dimension

    def smoothed(self, at: Tensor, width: float) -> Tensor:
        """Return the density at places, each point being a normal distribution of that width."""
        apart = (at[:, None] - self.nodes) / width
        return (self.weights * torch.exp(-0.5 * apart**2)).sum(1) / (width * (2 * torch.pi) ** 0.5)


def spectral_density(product: Product, dimension: int, probes: int, steps: int, generator: torch.Generator) -> Density:
    """Return the density by stochastic Lanczos quadrature: E[vᵀf(A)v] = tr f(A)/n for random signs v of length 1.

    Each of `probes` vectors gives Gauss quadrature points: the Ritz values, weighted by the squares of their
    eigenvectors' first entries.
    """
    nodes, weights = [], []
    for _ in range(probes):
        signs = torch.randint(2, (dimension,), generator=generator).double() * 2 - 1
        values, _, vectors = lanczos(product, signs, steps).ritz()
        nodes.append(values)
        weights.append(vectors[0] ** 2 / probes)
    return Density(torch.cat(nodes), torch.cat(weights), dimension)
