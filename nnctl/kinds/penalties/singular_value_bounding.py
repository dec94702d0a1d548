"""Singular value bounding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, Positive
from nnctl.kinds.penalties.base import Constraint

if TYPE_CHECKING:
    from torch import Tensor


class SingularValueBounding(Constraint):
    """Clip the singular values of each weight to [1/(1 + ε), 1 + ε] every so many steps.

    After each time the condition number is (1 + ε)² at most. W has a row for each unit or filter, which holds all
    that it reads. Weights that begin far from it, as by other initialisers than `orthogonal`, jump at the first time.
    `bounded_batch_norm` keeps batch norm from undoing it.
    """

    kind = "singular_value_bounding"
    paper = "Jia et al., Improving Training of Deep Neural Networks via Singular Value Bounding, 2017"
    examples = (
        Example("singular_value_bounding: 0.05"),
        Example("singular_value_bounding: {epsilon: 0.5, every: 20, layers: [linear1]}"),
    )

    epsilon: Positive = 0.05
    """How far ε from 1 singular values may be."""
    every: Count = 100
    """Optimiser steps between two times that it is applied."""

    def apply(self, weight: Tensor) -> None:
        """Clip the singular values."""
        import torch

        left, values, right = torch.linalg.svd(weight.flatten(1), full_matrices=False)
        bounded = values.clamp(1 / (1 + self.epsilon), 1 + self.epsilon)
        weight.copy_((left * bounded @ right).view_as(weight))
