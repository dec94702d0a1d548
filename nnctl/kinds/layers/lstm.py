"""The long short-term memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._recurrent import Recurrent
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class LSTM(Recurrent):
    """Read tokens one after the other with a memory whose gates decide what to forget, to store and to show.

    i, f, o = σ(W x_t + b + U h_{t−1} + c), each with its own W, b, U and c; g the same with tanh; then
    c_t = f c_{t−1} + i g and h_t = o tanh(c_t), from h_0 = c_0 = 0. The tensors are torch's, gates in the order
    i, f, g, o. The model's `init` does not reach it: without one of its own it starts as torch's does.
    """

    kind = "lstm"
    paper = "Hochreiter & Schmidhuber, Long Short-Term Memory, 1997"
    gates = 4
    examples = (
        Example("lstm: 3", input=(4, 2), tokens=True),
        Example("lstm: {features: 2, layers: 2, dropout: 0.5}", input=(3, 3), tokens=True),
    )

    def build(self, x: Shape) -> nn.Module:
        """Return torch's module, without the state that it returns besides."""
        from nnctl.modules.recurrent import LSTM as Module

        return Module(x.features, self.features, self.layers, batch_first=True, dropout=self.dropout)
