"""Normal clouds around the corners of a regular polygon."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.datasets._toy import Toy

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Blobs(Toy):
    """Normal clouds, one per class, around the corners of a regular polygon with radius 1."""

    kind = "blobs"
    examples = (Example("blobs: {samples: 300, classes: 3, noise: 0.2}"), Example("blobs"))

    def centres(self, labels: Tensor, generator: Generator) -> Tensor:
        """Return the corner of each label."""
        import torch

        angle = 2 * pi * labels / self.classes
        return torch.stack((angle.cos(), angle.sin()), dim=1)
