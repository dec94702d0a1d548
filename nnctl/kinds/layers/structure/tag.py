"""The kind `tag`."""

from nnctl.component.base import Example
from nnctl.component.types import Name
from nnctl.kinds.layers.base import Structure


class Tag(Structure):
    """Name the present value, for a `from`, a `head` or a loss's `at` further on.

    A tag is seen later in its own list and in the lists inside it.
    """

    kind = "tag"
    common = frozenset({"name"})

    label: Name
    """The name."""

    examples = (Example("tag: features", input=(5,)),)
