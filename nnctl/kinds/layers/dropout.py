"""Dropout of single numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._drop import Drop
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class Dropout(Drop):
    """Set each number to zero with probability p in training, and divide the others by 1 − p.

    Every sample has a mask of its own. In evaluation nothing is dropped.

    Shape: any -> same
    """

    kind = "dropout"
    paper = "Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014"
    examples = (Example("dropout: 0.2", input=(6,)), Example("dropout: {keep: 0.8}", input=(2, 3, 4)))

    def build(self, x: Shape) -> nn.Module:
        """Return torch's dropout."""
        from torch import nn

        return nn.Dropout(self.rate)
