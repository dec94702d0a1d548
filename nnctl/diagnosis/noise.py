"""The gradient noise scale: how much of a batch's gradient is chance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnctl.diagnosis.norms import norm, wide


class Noise:
    """Estimates tr Σ / |G|² from the gradients of several batches (McCandlish et al., 2018, appendix A).

    |G|² and tr Σ are both averaged over the batches before one is divided by the other. The large batch is all batches
    together.
    """

    def __init__(self) -> None:
        self._totals: list[Tensor | None] = []
        self._sizes: list[int] = []
        self._squares: list[list[float]] = []

    def add(self, gradients: Sequence[Tensor | None], size: int) -> None:
        """Take in each tensor's gradient of one batch of `size` samples."""
        values = [None if g is None else wide(g) for g in gradients]
        if not self._sizes:
            self._totals = [None] * len(values)
        self._squares.append([0.0 if g is None else norm(g) ** 2 for g in values])
        self._sizes.append(size)
        for place, g in enumerate(values):
            if g is not None:
                total = self._totals[place]
                self._totals[place] = g * size if total is None else total + g * size

    def scale(self, places: Sequence[int]) -> float | None:
        """Return the noise scale of some of the tensors; None where two batches are missing or |G|² comes to nothing.

        With gradients g of B samples: E|g|² = |G|² + tr Σ / B, for one batch and for all of them together.
        """
        if len(self._sizes) < 2 or len(set(self._sizes)) > 1:
            return None
        small, large = self._sizes[0], sum(self._sizes)
        of_small = sum(sum(squares[place] for place in places) for squares in self._squares) / len(self._sizes)
        totals = [self._totals[place] for place in places]
        of_large = sum(norm(total / large) ** 2 for total in totals if total is not None)
        signal = (large * of_large - small * of_small) / (large - small)
        trace = (of_small - of_large) / (1 / small - 1 / large)
        return trace / signal if signal > 0 and trace > 0 else None


def one_signed(gradient: Tensor) -> float | None:
    """Return the share of units, among those with a gradient, all of whose weights' gradients have one sign."""
    if gradient.dim() < 2:
        return None
    least, most = torch.aminmax(gradient.detach().flatten(1), dim=1)
    falls, rises = least < 0, most > 0
    moved = int((falls | rises).sum())
    return int((falls ^ rises).sum()) / moved if moved else None
