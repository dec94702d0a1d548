"""A learned factor or summand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.layers.base import Layer, Shape

if TYPE_CHECKING:
    from torch import nn


class Scale(Layer):
    """Add a learned number, which starts at 0, or multiply by one, which starts at 1.

    Shape: any -> same
    """

    kind = "scale"
    paper = "Zhang, Dauphin & Ma, Fixup Initialization: Residual Learning Without Normalization, 2019"
    keeps_scale = True
    examples = (
        Example("scale: bias", input=(2, 3, 3)),
        Example("scale: multiplier", input=(4,)),
        Example("scale: {form: multiplier, per: channel}", input=(3, 2, 2)),
        Example("scale: {form: bias, per: channel}", input=(5,)),
    )

    form: Annotated[Literal["bias", "multiplier"], Expected("bias or multiplier")]
    """Whether the number is added or multiplied by."""
    per: Annotated[Literal["all", "channel"], Expected("all or channel")] = "all"
    """Whether one number serves everything, or each channel (feature) has its own."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        return x

    def parameters(self, x: Shape) -> int:
        """Return one, or one for each channel."""
        return x.features if self.per == "channel" else 1

    def build(self, x: Shape) -> nn.Module:
        """Return the module that adds or multiplies."""
        from nnctl.modules.scale import Bias, Multiplier

        return (Bias if self.form == "bias" else Multiplier)(self.parameters(x), axis=-1 if x.tokens else 1)
