"""Random mirroring."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.augmentations._flip import Flip


class HorizontalFlip(Flip):
    """Mirror images left to right, each with probability `p`."""

    kind = "horizontal_flip"
    axis = -1
    paper = "A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet classification with deep CNNs, 2012"
    examples = (Example("horizontal_flip", input=(3, 32, 32)), Example("horizontal_flip: {p: 0.3}", input=(3, 32, 32)))
