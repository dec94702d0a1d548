"""The kind `from`."""

from typing import Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected, Text
from nnctl.kinds.layers.base import Structure


class From(Structure):
    """Go on from a tagged value, or join it to the present one.

    `concat` appends the tagged value's features after the present one's; `add` and `multiply` stretch axes of size 1.
    `data.FIELD` is a tag that the data sets.
    """

    kind = "from"

    tag: Annotated[Text, Expected("the name of a tag, or data.FIELD")]
    """The tag."""
    merge: Annotated[Literal["concat", "add", "multiply"] | None, Expected("concat, add or multiply")] = None
    """How the tagged value is joined to the present one; without it, it takes the present one's place."""

    examples = (Example("from: data.input", input=(5,)),)
