"""The sub-steps of stochastic ADMM for min E f(x) + λ‖Ax‖₁, as min E f(x) + λ‖y‖₁ with Ax − y = 0."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def grid_differences(extents: Sequence[int]) -> Tensor:
    """Return the matrix that maps numbers on a grid, in rows, to the differences of all neighbours, float64."""
    places = torch.arange(int(torch.tensor(extents).prod())).view(*extents)
    pairs = []
    for axis, extent in enumerate(extents):
        first, second = places.narrow(axis, 0, extent - 1), places.narrow(axis, 1, extent - 1)
        pairs.append(torch.stack([first.flatten(), second.flatten()], dim=1))
    edges = torch.cat(pairs)
    matrix = torch.zeros(len(edges), places.numel(), dtype=torch.float64)
    rows = torch.arange(len(edges))
    matrix[rows, edges[:, 0]], matrix[rows, edges[:, 1]] = -1.0, 1.0
    return matrix


class Identity:
    """A = I: x itself shall be sparse (the lasso)."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return Ax."""
        return x

    def primal(self, gradient: Tensor, x: Tensor, y: Tensor, multiplier: Tensor, beta: float, eta: float) -> Tensor:
        """Return argmin over x′ of g·x′ + (β/2)‖Ax′ − y − u/β‖² + ‖x′ − x‖²/2η."""
        return (beta * y + multiplier + x / eta - gradient) / (beta + 1 / eta)


class Rows:
    """A matrix applied to each row of x, such as the weights of each unit (graph-guided, or total variation).

    AᵀA is diagonalised once, so that the sub-step is exact for every β and η.
    """

    def __init__(self, matrix: Tensor, like: Tensor) -> None:
        values, vectors = torch.linalg.eigh(matrix.T @ matrix)
        self._matrix, self._values, self._vectors = matrix.to(like), values.to(like), vectors.to(like)

    def __call__(self, x: Tensor) -> Tensor:
        """Return Ax."""
        return x.flatten(1) @ self._matrix.T

    def primal(self, gradient: Tensor, x: Tensor, y: Tensor, multiplier: Tensor, beta: float, eta: float) -> Tensor:
        """Return argmin over x′ of g·x′ + (β/2)‖Ax′ − y − u/β‖² + ‖x′ − x‖²/2η."""
        right = (beta * y + multiplier) @ self._matrix + (x / eta - gradient).flatten(1)
        solved = right @ self._vectors / (beta * self._values + 1 / eta)
        return torch.mm(solved, self._vectors.T).view_as(x)


def dual(ax: Tensor, y: Tensor, multiplier: Tensor, beta: float) -> Tensor:
    """Return u − β(Ax − y)."""
    return multiplier - beta * (ax - y)
