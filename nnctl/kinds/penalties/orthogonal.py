"""Orthogonal regularisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.penalties.base import Term

if TYPE_CHECKING:
    from torch import Tensor


class Orthogonal(Term):
    """Bring all singular values of each weight near 1: λ‖WᵀW − I‖²_F, whose gradient is 4λ W(WᵀW − I).

    W has a row for each unit or filter, which holds all that it reads. Where it has fewer rows than columns it is
    λ‖WWᵀ − I‖²_F, so that the penalty is zero for orthonormal matrices of any shape.
    """

    kind = "orthogonal"
    paper = "Brock et al., Neural Photo Editing with Introspective Adversarial Networks, 2017"
    examples = (Example("orthogonal: 1e-3"), Example("orthogonal: {strength: 1e-2, layers: [linear1]}"))

    def value(self, weight: Tensor) -> Tensor:
        """Return λ‖WᵀW − I‖²_F on the smaller side."""
        import torch

        matrix = weight.flatten(1)
        if matrix.shape[0] < matrix.shape[1]:
            matrix = matrix.T
        gram = matrix.T @ matrix
        return self.strength * (gram - torch.eye(len(gram), dtype=gram.dtype, device=gram.device)).square().sum()
