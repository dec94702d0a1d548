"""The token that stands for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._windows import need_tokens
from nnctl.kinds.layers.base import Layer, Shape

if TYPE_CHECKING:
    from torch import nn


class ClassToken(Layer):
    """Put a learned token, at first 0, before the others: attention gathers in it what a classifier needs.

    Shape: (T, F) tokens -> (T + 1, F) tokens
    """

    kind = "class_token"
    paper = "Devlin, Chang, Lee & Toutanova, BERT: Pre-training of Deep Bidirectional Transformers, 2019"
    keeps_scale = True
    examples = (Example("class_token", input=(3, 4), tokens=True),)

    def output(self, x: Shape) -> Shape:
        """Return one token more."""
        tokens, features = need_tokens(self.kind, x)
        return Shape((tokens + 1, features), tokens=True)

    def parameters(self, x: Shape) -> int:
        """Return the token's features."""
        return x.features

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.class_token import ClassToken as Module

        return Module(x.features)
