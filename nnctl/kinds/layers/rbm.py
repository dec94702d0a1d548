"""A restricted Boltzmann machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected
from nnctl.kinds.initializers.base import Fans, Init
from nnctl.kinds.initializers.torch import Torch
from nnctl.kinds.layers._windows import called
from nnctl.kinds.layers.base import Shape, ShapeError, Slot, Weighted

if TYPE_CHECKING:
    from torch import nn


class Rbm(Weighted):
    """Model how its input is distributed by hidden units, whose answer is the output: σ(W v + c) for binary ones.

    p(v) ∝ exp(−F(v)), where F(v) = −b·v − Σ_j log(1 + exp(W v + c)_j); with Gaussian visible units ½‖v − b‖² takes
    the place of −b·v. The loss `contrastive_divergence` trains it. Weights start from N(0, 0.01²), biases at 0, unless
    the entry has an `init`.

    Shape: (F,) -> (features,)
    """

    kind = "rbm"
    paper = "Hinton, Training Products of Experts by Minimizing Contrastive Divergence, 2002"
    trained_apart = frozenset({"visible_bias"})
    examples = (
        Example("rbm: 3", input=(4,)),
        Example("rbm: {features: 2, hidden: noisy_relu, visible: gaussian}", input=(3,)),
    )

    features: Count
    """Number of hidden units."""
    hidden: Annotated[Literal["binary", "noisy_relu"], Expected("binary or noisy_relu")] = "binary"
    """binary, or ReLUs with noise, each of which stands for endlessly many binary units (Nair & Hinton, 2010)."""
    visible: Annotated[Literal["binary", "gaussian"], Expected("binary or gaussian")] = "binary"
    """What the input is: numbers from 0 to 1, or standardised ones, gaussian with variance 1."""

    def output(self, x: Shape) -> Shape:
        """Return as many features as asked for."""
        if len(x.dims) != 1 or x.vocabulary is not None:
            raise ShapeError(
                f"`rbm` takes a vector, not {called(x)}", f"expected (features,), got {x}", "put `flatten` before it"
            )
        return Shape((self.features,))

    def parameters(self, x: Shape) -> int:
        """Return a weight for each pair of units, and a bias for each unit."""
        return self.features * x.features + self.features + x.features

    def macs(self, x: Shape) -> int:
        """Return one multiply-add for each weight."""
        return self.features * x.features

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return weight, bias of the hidden and bias of the visible units."""
        fans = Fans(into=x.features, out=self.features)
        return (
            Slot("weight", "weight", fans, (self.features, x.features)),
            Slot("bias", "bias", fans, (self.features,)),
            Slot("visible_bias", "bias", fans, (x.features,)),
        )

    def own_init(self) -> Init:
        """Return the module's own, unless the entry has an `init`."""
        return self.init or Init(weight=Torch(), bias=Torch())

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.rbm import RBM

        return RBM(x.features, self.features, self.hidden, self.visible)
