"""The squeeze-and-excitation gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from nnctl.component.base import Example
from nnctl.component.family import find, names
from nnctl.component.types import Count, Expected
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import everywhere, need_space
from nnctl.kinds.layers.activations.sigmoid import Sigmoid
from nnctl.kinds.layers.base import Activation, Shape, Slot, Weighted, Window

if TYPE_CHECKING:
    from torch import nn


def _activation(kind: str) -> Activation:
    cls = find("layers", kind) if kind in names("layers") else None
    if cls is None or not issubclass(cls, Activation):
        raise ValueError("it is no activation")
    return cls()


def _check_activation(kind: str) -> str:
    _activation(kind)
    return kind


class SqueezeExcite(Weighted):
    """Weight each channel by a number between 0 and 1 that depends on the mean of every channel.

    y = x · σ(W₂ f(W₁ mean(x) + b₁) + b₂), where W₁ and W₂ are 1×1 convolutions and f the activation.

    Shape: (C, L), (C, H, W) or (C, D, H, W) -> same
    """

    kind = "squeeze_excite"
    paper = "Hu, Shen & Sun, Squeeze-and-Excitation Networks, 2018"
    examples = (
        Example("squeeze_excite: 2", input=(4, 3, 3)),
        Example("squeeze_excite: {squeeze: 3, activation: silu}", input=(2, 5)),
    )

    squeeze: Count
    """Channels between the two convolutions."""
    activation: Annotated[
        str, AfterValidator(_check_activation), Expected("the name of an activation, such as relu or silu")
    ] = "relu"
    """What follows the first convolution; behind the second stands a sigmoid."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        need_space(self.kind, x)
        return x

    def parameters(self, x: Shape) -> int:
        """Return weights and biases of both convolutions."""
        inner = _activation(self.activation).parameters(Shape((self.squeeze,)))
        return (2 * x.features + 1) * self.squeeze + x.features + inner

    def macs(self, x: Shape) -> int:
        """Return one multiply-add for each weight, at the single place that the mean leaves."""
        return 2 * x.features * self.squeeze

    def window(self, x: Shape) -> Window:
        """Return the whole space, which every gate depends on."""
        return everywhere(x)

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return weight and bias of the convolution that squeezes, then of the one that excites."""
        into, out = Fans(into=x.features, out=self.squeeze), Fans(into=self.squeeze, out=x.features)
        f, s, ones = x.features, self.squeeze, (1,) * len(x.space)
        first, second = _activation(self.activation), Sigmoid()
        return (
            Slot("squeeze.weight", "weight", into, (s, f, *ones), inner=True, activation=first),
            Slot("squeeze.bias", "bias", into, (s,), inner=True, activation=first),
            Slot("excite.weight", "weight", out, (f, s, *ones), inner=True, activation=second),
            Slot("excite.bias", "bias", out, (f,), inner=True, activation=second),
        )

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.squeeze_excite import SqueezeExcite as Module

        inner = _activation(self.activation).build(Shape((self.squeeze, *(1 for _ in x.space))))
        return Module(x.features, self.squeeze, inner, axes=len(x.space))
