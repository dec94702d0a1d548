"""What rnn, gru and lstm share: fields, costs, and a start of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import model_validator

from nnctl.component.types import Below1, Count
from nnctl.kinds.initializers.base import Fans, Init
from nnctl.kinds.initializers.torch import Torch
from nnctl.kinds.layers._windows import need_tokens
from nnctl.kinds.layers.base import Shape, Slot, Weighted


class Recurrent(Weighted):
    """A layer that reads tokens one after the other, and keeps a state.

    Shape: (T, F) tokens -> (T, features) tokens
    """

    gates: ClassVar[int]
    """Maps from the input, and as many from the state, that one step computes."""

    features: Count
    """Size of the state, which is what leaves at every step."""
    layers: Count = 1
    """Recurrent layers, each reading the states of the one before."""
    dropout: Below1 = 0.0
    """Probability that a number between two of the layers is set to zero in training; behind the last none is."""

    @model_validator(mode="after")
    def _check_dropout(self) -> Self:
        if self.dropout and self.layers == 1:
            cure = "give `layers: 2` or more, or put the layer `dropout` behind it"
            raise ValueError(f"`dropout` acts between recurrent layers, and there is one; {cure}")
        return self

    def output(self, x: Shape) -> Shape:
        """Return a state for each token."""
        need_tokens(self.kind, x)
        return x.with_features(self.features)

    def parameters(self, x: Shape) -> int:
        """Return weights and biases, of which input and state have their own."""
        return sum(self.gates * self.features * (into + self.features + 2) for into in self._inputs(x))

    def macs(self, x: Shape) -> int:
        """Return one multiply-add for each weight at each token."""
        return x.dims[0] * sum(self.gates * self.features * (into + self.features) for into in self._inputs(x))

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return each layer's weights, then its biases, all of them a block of rows for each gate."""
        rows, found = self.gates * self.features, []
        for layer, inputs in enumerate(self._inputs(x)):
            ends = [(f"{source}_l{layer}", into) for source, into in (("ih", inputs), ("hh", self.features))]
            fans = [Fans(into, self.features) for _, into in ends]
            for (end, into), fan in zip(ends, fans, strict=True):
                found.append(Slot(f"weight_{end}", "weight", fan, (rows, into), self.gates, inner=True))
            for (end, _), fan in zip(ends, fans, strict=True):
                found.append(Slot(f"bias_{end}", "bias", fan, (rows,), self.gates, inner=True))
        return tuple(found)

    def own_init(self) -> Init:
        """Return torch's own, U(−1/√features, 1/√features) for everything, unless the entry has an `init`."""
        return self.init or Init(weight=Torch(), bias=Torch())

    def _inputs(self, x: Shape) -> Iterator[int]:
        yield x.features
        yield from (self.features for _ in range(self.layers - 1))
