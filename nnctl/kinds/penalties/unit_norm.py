"""Weights brought back to norm 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.penalties.base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


class UnitNorm(Constraint):
    """Renormalise each weight after the step: its rows, or its largest singular value, to 1.

    rows: w ← w/‖w‖ for what each unit or filter reads, so that the squared singular values sum to the number of
    outputs. spectral: W ← W/σ_max(W). Zeros stay zeros. The layers `weight_norm` and `spectral_norm` do the same
    within the network, where the gradient knows of it.
    """

    kind = "unit_norm"
    paper = "Salimans and Kingma, Weight Normalization, 2016; Miyato et al., Spectral Normalization, 2018"
    examples = (Example("unit_norm: rows"), Example("unit_norm: {of: spectral, layers: [linear1]}"))

    of: Annotated[Literal["rows", "spectral"], Expected("rows or spectral")] = "rows"
    """What has norm 1 afterwards."""

    def apply(self, weight: Tensor) -> None:
        """Divide by the norm."""
        import torch

        rows, tiny = weight.flatten(1), torch.finfo(weight.dtype).tiny
        if self.of == "spectral":
            weight.div_(torch.linalg.matrix_norm(rows, 2).clamp(min=tiny))
        else:
            norms = torch.linalg.vector_norm(rows, dim=1).clamp(min=tiny)
            weight.div_(norms.view(-1, *[1] * (weight.dim() - 1)))
