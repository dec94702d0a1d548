"""The plain recurrent layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.layers._recurrent import Recurrent
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class RNN(Recurrent):
    """Read tokens one after the other with a state that each of them changes.

    h_t = f(W x_t + b + U h_{t−1} + c), from h_0 = 0. The model's `init` does not reach it: without one of its own it
    starts as torch's does.
    """

    kind = "rnn"
    paper = "Elman, Finding Structure in Time, 1990"
    gates = 1
    examples = (
        Example("rnn: 3", input=(4, 2), tokens=True),
        Example("rnn: {features: 2, layers: 2, dropout: 0.5, activation: relu}", input=(3, 3), tokens=True),
    )

    activation: Annotated[Literal["tanh", "relu"], Expected("tanh or relu")] = "tanh"
    """f, the function that makes a state."""

    def build(self, x: Shape) -> nn.Module:
        """Return torch's module, without the state that it returns besides."""
        from nnctl.modules.recurrent import RNN as Module

        return Module(
            x.features,
            self.features,
            self.layers,
            nonlinearity=self.activation,
            batch_first=True,
            dropout=self.dropout,
        )
