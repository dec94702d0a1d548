"""Blend samples and their targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.augmentations._mixing import check_numbers, share
from nnctl.kinds.augmentations.base import Mixing
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Mixup(Mixing):
    """Blend each sample with the one before it in the batch, and the targets alike.

    x̃ = λx + (1 − λ)x′, ỹ = λy + (1 − λ)y′ with λ ~ Beta(α, α) drawn once a batch, classes as one-hot rows. As batches
    are in random order, the sample before is a random one. Training accuracy counts the unblended class.
    """

    kind = "mixup"
    paper = "H. Zhang, M. Cissé, Y. Dauphin, D. Lopez-Paz: mixup: beyond empirical risk minimization, 2018"
    examples = (Example("mixup: 0.2", input=(3, 32, 32)), Example("mixup", input=(4,)))

    alpha: Positive = 0.2
    """α of the Beta distribution: near 0 hardly mixes, 1 mixes uniformly."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are codes."""
        check_numbers(self.kind, x)

    def mix(
        self, inputs: torch.Tensor, target: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the blended samples and targets."""
        own = share(self.alpha, generator)
        return own * inputs + (1 - own) * inputs.roll(1, 0), own * target + (1 - own) * target.roll(1, 0)
