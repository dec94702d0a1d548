"""The gated recurrent unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._recurrent import Recurrent
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class GRU(Recurrent):
    """Read tokens one after the other with a state that gates reset and renew.

    r, z = σ(W x_t + b + U h_{t−1} + c), each with its own W, b, U and c; n = tanh(W x_t + b + r (U h_{t−1} + c));
    then h_t = (1 − z) n + z h_{t−1}, from h_0 = 0. The tensors are torch's, gates in the order r, z, n. The model's
    `init` does not reach it: without one of its own it starts as torch's does.
    """

    kind = "gru"
    paper = "Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, 2014"
    gates = 3
    examples = (
        Example("gru: 3", input=(4, 2), tokens=True),
        Example("gru: {features: 2, layers: 2, dropout: 0.5}", input=(3, 3), tokens=True),
    )

    def build(self, x: Shape) -> nn.Module:
        """Return torch's module, without the state that it returns besides."""
        from nnctl.modules.recurrent import GRU as Module

        return Module(x.features, self.features, self.layers, batch_first=True, dropout=self.dropout)
