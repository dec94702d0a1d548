"""The kind `head`."""

from typing import Annotated

from pydantic import Field

from nnctl.component.base import Example
from nnctl.component.markers import Layers
from nnctl.component.types import Expected, Flag, Name, Text
from nnctl.kinds.layers.base import Structure


class Head(Structure):
    """Compute a side output; the present value passes on unchanged.

    A head runs in training, and in evaluation with `eval: true`. A loss takes its value by `at: NAME`.
    """

    kind = "head"
    name: Name
    """The output's name, and that of its layers' path."""
    from_: Annotated[Text | None, Field(alias="from"), Expected("the name of a tag, or data.FIELD")] = None
    """The tag at which it starts; the present value if not given."""
    layers: Layers
    """The layers of the head."""
    eval: Flag = False
    """Whether it also runs in evaluation."""

    examples = (Example("head: {name: coarse, layers: [{linear: 2}]}", input=(5,)),)
