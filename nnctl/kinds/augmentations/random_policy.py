"""Random operations of one strength."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected
from nnctl.kinds.augmentations._images import check_colours
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class RandomPolicy(Augmentation):
    """Apply a few operations drawn at random to each image, all of one strength.

    Drawn uniformly, one after the other, from: nothing, turning (up to 30°), shearing along x or y (up to 0.3), moving
    along x or y (up to 0.45 of the extent), brightness, contrast, saturation (factors up to 1 ± 0.9), fewer bits (down
    to 4) and inverting bright pixels (all of them at full strength). Those that have a sign get a random one.
    """

    kind = "random_policy"
    paper = "E. Cubuk, B. Zoph, J. Shlens, Q. Le: RandAugment, 2020"
    examples = (
        Example("random_policy", input=(3, 32, 32)),
        Example("random_policy: {operations: 1, magnitude: 0.6}", input=(1, 28, 28)),
    )

    operations: Count = 2
    """Operations on each image, one after the other."""
    magnitude: Annotated[float, Field(gt=0, le=1), Expected("a number above 0, up to 1")] = 0.3
    """Their strength, as a share of the largest."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not grey or RGB images."""
        check_colours(self.kind, x)

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the changed images."""
        import torch

        from nnctl.data.pixels.policy import OPERATIONS

        for _ in range(self.operations):
            chosen = torch.randint(len(OPERATIONS) + 1, (len(batch),), generator=generator)  # the last does nothing
            signs = torch.randint(2, (len(batch),), generator=generator) * 2.0 - 1.0
            batch = batch.clone()
            for number, operation in enumerate(OPERATIONS):
                at = (chosen == number).nonzero()[:, 0]
                if len(at):
                    places = at.to(batch.device, non_blocking=batch.is_cuda)
                    batch[places] = operation(batch[places], signs[at] * self.magnitude)
        return batch
