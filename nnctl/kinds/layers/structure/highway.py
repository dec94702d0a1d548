"""The kind `highway`."""

from nnctl.component.base import Example
from nnctl.component.markers import Layers
from nnctl.kinds.layers.base import Structure


class Highway(Structure):
    """Mix a value with what a list of layers makes of it: y = body(x)·gate(x) + x·(1 − gate(x)).

    The gate ends in an activation with values from 0 to 1, such as sigmoid.
    """

    kind = "highway"
    paper = "Srivastava et al., Highway Networks, 2015"

    body: Layers
    """The layers that transform the value."""
    gate: Layers
    """The layers that say how much of the transformed value passes."""

    examples = (Example("highway: {body: [{linear: 5}, relu], gate: [{linear: 5}, sigmoid]}", input=(5,)),)
