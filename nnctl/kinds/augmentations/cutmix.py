"""Paste a part of another sample into each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.augmentations._images import check_image
from nnctl.kinds.augmentations._mixing import share
from nnctl.kinds.augmentations.base import Mixing
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Cutmix(Mixing):
    """Paste a box of the sample before it in the batch into each image, and blend targets by area.

    With λ ~ Beta(α, α) the box has √(1 − λ) of height and width about a uniform middle, cut off at the borders; the
    target is λ′y + (1 − λ′)y′, λ′ being the share of pixels that stay. One box a batch. Training accuracy counts the
    image's own class.
    """

    kind = "cutmix"
    paper = "S. Yun et al.: CutMix: regularization strategy to train strong classifiers, 2019"
    examples = (Example("cutmix: 1.0", input=(3, 32, 32)), Example("cutmix", input=(1, 28, 28)))

    alpha: Positive = 1.0
    """α of the Beta distribution of the share that stays."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are not images."""
        check_image(self.kind, x)

    def mix(
        self, inputs: torch.Tensor, target: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the pasted images and blended targets."""
        import torch

        height, width = inputs.shape[2:]
        half = 0.5 * (1 - share(self.alpha, generator)) ** 0.5
        middle_y, middle_x = (int(torch.randint(extent, (), generator=generator)) for extent in (height, width))
        rows = slice(max(middle_y - int(half * height), 0), min(middle_y + int(half * height), height))
        columns = slice(max(middle_x - int(half * width), 0), min(middle_x + int(half * width), width))
        pasted = inputs.clone()
        pasted[:, :, rows, columns] = inputs.roll(1, 0)[:, :, rows, columns]
        own = 1 - (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
        return pasted, own * target + (1 - own) * target.roll(1, 0)
