"""Layer-sequential unit-variance initialisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, Positive
from nnctl.kinds.initializers._matrix import need_matrix
from nnctl.kinds.initializers.base import Initializer, Place

if TYPE_CHECKING:
    import torch


class Lsuv(Initializer):
    """Start orthonormal, then bring each layer's output to variance 1 on a batch: W ← W / √Var, layer after layer.

    It needs data: `train` and `inspect` do the second half on the first training batch, before the first step. A
    network that is only compiled has the orthonormal start. Layers with pretrained weights keep them.
    """

    kind = "lsuv"
    paper = "Mishkin & Matas, All You Need Is a Good Init, 2016"
    examples = (Example("lsuv"), Example("lsuv: {tolerance: 0.01, tries: 5}"))
    by_data = True

    tolerance: Positive = 0.1
    """How far from 1 a variance may stay."""
    tries: Count = 10
    """Most divisions of one layer's weight."""

    def check(self, shape: tuple[int, ...], place: Place) -> None:
        """Raise SpecError for a bias."""
        need_matrix(self.kind, shape)

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Fill with an orthonormal matrix."""
        from torch import nn

        nn.init.orthogonal_(tensor, generator=generator)
