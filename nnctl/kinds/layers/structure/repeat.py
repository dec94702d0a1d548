"""The kind `repeat`."""

from nnctl.component.base import Example
from nnctl.component.markers import Layers
from nnctl.component.types import Name, WholeNumber
from nnctl.kinds.layers.base import Structure


class Repeat(Structure):
    """Put a list of layers one after the other, `times` times, each turn with weights of its own."""

    kind = "repeat"

    times: WholeNumber
    """Turns; 0 leaves the value as it is."""
    index: Name | None = None
    """Name by which `$name` is the turn's number, counted from 0."""
    layers: Layers
    """The layers of one turn."""

    examples = (Example("repeat: {times: 2, layers: [{linear: 4}, relu]}", input=(4,)),)
