"""What weight_norm and spectral_norm share: a layer inside, whose weight they use in another form."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Self, TypeAlias

from pydantic import InstanceOf, PlainSerializer, model_validator

from nnctl.component.markers import One
from nnctl.component.types import Expected
from nnctl.kinds.initializers.base import Init
from nnctl.kinds.layers.base import Shape, Slot, Weighted, Window
from nnctl.kinds.layers.conv import Conv
from nnctl.kinds.layers.linear import Linear


def _as_entry(layer: Weighted) -> dict[str, Any]:
    return {layer.kind: layer.model_dump(mode="json", by_alias=True, exclude_none=True)}


Inner: TypeAlias = Annotated[
    InstanceOf[Linear] | InstanceOf[Conv],
    One("layers"),
    PlainSerializer(_as_entry),
    Expected("a linear or conv layer, such as {linear: 64}"),
]


class Reparametrised(Weighted):
    """A layer around another one, whose shapes and costs it has."""

    layer: Inner
    """The layer whose weight is used in another form: `linear` or `conv`."""

    @model_validator(mode="after")
    def _check_name(self) -> Self:
        if self.layer.name is not None:
            raise ValueError(f"the layer inside `{self.kind}` has no name of its own; name the `{self.kind}`")
        return self

    def output(self, x: Shape) -> Shape:
        """Return the shape that leaves the layer inside."""
        return self.layer.output(x)

    def parameters(self, x: Shape) -> int:
        """Return how many learned numbers the layer inside has."""
        return self.layer.parameters(x)

    def macs(self, x: Shape) -> int:
        """Return those of the layer inside; what the weight itself costs does not grow with the samples."""
        return self.layer.macs(x)

    def window(self, x: Shape) -> Window:
        """Return that of the layer inside."""
        return self.layer.window(x)

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return the tensors of the layer inside."""
        return tuple(replace(slot, tensor=f"layer.{slot.tensor}") for slot in self.layer.slots(x))

    def own_init(self) -> Init:
        """Return its own `init`, else that of the layer inside."""
        return self.init or self.layer.own_init()
