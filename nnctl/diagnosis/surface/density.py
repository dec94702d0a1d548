"""How the eigenvalues of a matrix are spread, by stochastic Lanczos quadrature.

S. Ubaru, J. Chen, Y. Saad: Fast estimation of tr(f(A)) via stochastic Lanczos quadrature, 2017. For a random vector v
of length 1, E[vᵀ f(A) v] = tr f(A) / n, and the Ritz values are the points of a Gauss quadrature for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import pi, sqrt

import torch
from torch import Tensor

from nnctl.diagnosis.surface.lanczos import Product, Ritz, lanczos


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over random vectors, and its standard error (None of a single one)."""

    value: float
    error: float | None


@dataclass(frozen=True)
class Density:
    """The spectrum as each random vector sees it."""

    runs: list[Ritz]
    dimension: int
    rounding: float
    """Relative size of what may be rounding: an eigenvalue of it counts as 0."""

    @property
    def edge(self) -> float:
        """Return the size up to which an eigenvalue may be rounding."""
        return self.rounding * max(float(run.values.abs().max()) for run in self.runs)

    def negative_share(self) -> Estimate:
        """Return the share of eigenvalues below 0, as well as it can be told.

        The many directions that hardly bend gather in few Ritz values beside 0: counting those on one side would make
        it a toss-up. Half of a Ritz value's weight is taken to lie on either side of it, and the share to grow linearly
        from one to the next. The share of a run lies within the weights of both neighbours of 0 (Chebyshev, Markov and
        Stieltjes); the error holds that interval's deviation, were all of it alike, beside the one over vectors.
        """
        places = [self._share_below_zero(run) for run in self.runs]
        mean = self._mean_of([share for share, _ in places])
        open_ = sum(width for _, width in places) / len(places)
        if mean.error is None and open_ == 0:
            return mean
        return Estimate(mean.value, sqrt((mean.error or 0.0) ** 2 + open_**2 / 12))

    def certain_share(self) -> Estimate:
        """Return the share of eigenvalues that are below 0 by more than their bound: at least as many are."""
        return self._mean(lambda run: float(run.weights[run.values < -self._told(run)].sum()))

    def undecided_share(self) -> Estimate:
        """Return the share of eigenvalues that their bound does not tell from 0."""
        return self._mean(lambda run: float(run.weights[run.values.abs() <= self._told(run)].sum()))

    def _told(self, run: Ritz) -> Tensor:
        return run.bounds.clamp_min(self.edge)

    def _share_below_zero(self, run: Ritz) -> tuple[float, float]:
        """Return the estimate of one run, and the weight beside 0 that may lie on either side of it."""
        zero = (run.values.abs() <= self.edge) & (run.bounds <= 2 * self.edge)  # but for rounding: they are not below
        count = int(((run.values < 0) & ~zero).sum())
        open_ = torch.where(zero | (run.values.abs() > self._told(run)), 0.0, run.weights)
        share = float(run.weights[:count].sum())
        before = float(open_[count - 1]) if count else 0.0
        after = float(open_[count]) if count < len(open_) else 0.0
        if 0 < count < len(open_):
            low, high = float(run.values[count - 1]), float(run.values[count])
            way = low / (low - high)
            share += way * after / 2 - (1 - way) * before / 2
        return share, before + after

    def trace(self) -> Estimate:
        """Return the sum of all eigenvalues."""
        return self._mean(lambda run: float(run.values @ run.weights) * self.dimension)

    def smoothed(self, at: Tensor, width: float) -> Tensor:
        """Return the density at places, each point of a quadrature being a normal distribution of that width."""
        total = torch.zeros_like(at)
        for run in self.runs:
            apart = (at[:, None] - run.values) / width
            total += torch.exp(-0.5 * apart**2) @ run.weights
        return total / (len(self.runs) * width * sqrt(2 * pi))

    def _mean(self, measured: Callable[[Ritz], float]) -> Estimate:
        return self._mean_of([measured(run) for run in self.runs])

    def _mean_of(self, found: Sequence[float]) -> Estimate:
        values = torch.tensor(found, dtype=torch.float64)
        error = float(values.std()) / sqrt(len(values)) if len(values) > 1 else None
        return Estimate(float(values.mean()), error)


def spectral_density(
    product: Product, dimension: int, probes: int, steps: int, seed: int, rounding: float = 1e-10, whole: int = 0
) -> Density:
    """Return the density from `probes` vectors of random signs, `steps` products each; of a matrix with at most `whole`
    rows, or as many as there are products, all of its eigenvalues."""
    if dimension <= max(probes * steps, whole):
        return Density([_whole(product, dimension, rounding)], dimension, rounding)
    generator = torch.Generator().manual_seed(seed)
    signs = (torch.randint(2, (dimension,), generator=generator).double() * 2 - 1 for _ in range(probes))
    return Density([lanczos(product, start, steps, rounding) for start in signs], dimension, rounding)


def _whole(product: Product, dimension: int, rounding: float) -> Ritz:
    """Return all eigenvalues of a small matrix; symmetric but for rounding, which is their bound."""
    matrix = torch.stack([product(unit) for unit in torch.eye(dimension, dtype=torch.float64)])
    values = torch.linalg.eigvalsh((matrix + matrix.T) / 2)
    error = torch.linalg.matrix_norm(matrix - matrix.T, 2) / 2 + rounding * values.abs().max()
    return Ritz(values, error.expand(dimension), torch.full_like(values, 1 / dimension))
