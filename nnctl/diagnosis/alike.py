"""How alike a layer's outputs for different inputs are."""

from __future__ import annotations

import torch
from torch import Tensor

from nnctl.diagnosis.norms import ordinary, wide


class Alike:
    """The mean cosine between the outputs of different samples, that come in several tensors.

    Of n unit vectors the mean over all pairs is (‖Σu‖² − n) / (n (n − 1)): no pair has to be looked at.
    """

    def __init__(self) -> None:
        self._total: Tensor | None = None
        self._count = 0

    def add(self, output: Tensor) -> None:
        """Take in a batch of outputs. Those that are zero, or not finite, have no direction."""
        if output.dim() < 2:
            return
        rows = wide(output).flatten(1)
        norms = torch.linalg.vector_norm(rows, dim=1)
        if not ordinary(*map(float, torch.aminmax(norms))):
            largest = rows.abs().amax(1)
            rows = rows[(largest > 0) & largest.isfinite()]
            if not rows.numel():
                return
            rows = rows / rows.abs().amax(1, keepdim=True)
            norms = torch.linalg.vector_norm(rows, dim=1)
        total = norms.reciprocal() @ rows
        self._total = total if self._total is None else self._total + total
        self._count += len(rows)

    @property
    def cosine(self) -> float | None:
        """The mean over pairs, or None with fewer than two vectors."""
        if self._total is None or self._count < 2:
            return None
        n = self._count
        return (float(self._total.square().sum()) - n) / (n * (n - 1))
