"""Mirror images top to bottom."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.augmentations._flip import Flip


class VerticalFlip(Flip):
    """Turn images upside down as a mirror below them would, each with probability `p`.

    For photos from above, of the sky or through a microscope; in most others up and down differ.
    """

    kind = "vertical_flip"
    axis = -2
    examples = (Example("vertical_flip", input=(3, 32, 32)), Example("vertical_flip: {p: 0.3}", input=(3, 32, 32)))
