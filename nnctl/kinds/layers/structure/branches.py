"""The kind `branches`."""

from typing import Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.markers import Layers
from nnctl.component.types import Expected
from nnctl.kinds.layers.base import Structure


class Branches(Structure):
    """Send a value down several paths and join what comes out, along the features.

    `concat` appends the features of the paths in order; `add` and `multiply` work number by number and stretch
    axes of size 1.
    """

    kind = "branches"
    paper = "Szegedy et al., Going Deeper with Convolutions, 2015"

    paths: Annotated[Layers, Expected("a list of lists of layers")]
    """The layers of each path."""
    merge: Annotated[Literal["concat", "add", "multiply"], Expected("concat, add or multiply")]
    """How the values are joined."""

    examples = (
        Example("branches: {merge: concat, paths: [[{conv: 4}], [{conv: {channels: 8, kernel: 1}}]]}", input=(3, 6, 6)),
        Example("branches: {merge: multiply, paths: [[identity], [{linear: 1}, sigmoid]]}", input=(5,)),
    )
