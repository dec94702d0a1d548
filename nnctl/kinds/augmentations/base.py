"""What an augmentation is: a random change of a whole batch of training inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Component
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Augmentation(Component):
    """A component that changes training images, one draw per sample, as a function of the generator alone."""

    family = "augmentations"

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples of shape `x` cannot be augmented so."""
        raise NotImplementedError

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the changed batch: (N, C, H, W) -> (N, C, H, W), the dtype kept, uint8 or float.

        Draws come from `generator`, which lives on the CPU; the batch may be on any device.
        """
        raise NotImplementedError
