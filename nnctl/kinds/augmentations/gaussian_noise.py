"""Add normal noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.layers.shape import Shape, ShapeError

if TYPE_CHECKING:
    import torch


class GaussianNoise(Augmentation):
    """Add noise N(0, std²) to every number: x̃ = x + std·ε.

    On images `std` is a share of the range from black to white, and what leaves the range is cut off; on tables it is
    in the column's own units. It corrupts: `data.input` as a target is the input without it, which makes a denoiser.
    """

    kind = "gaussian_noise"
    corrupts = True
    paper = "P. Vincent et al.: Extracting and composing robust features with denoising autoencoders, 2008"
    examples = (Example("gaussian_noise: 0.2", input=(3, 32, 32)), Example("gaussian_noise: 0.1", input=(4,)))

    std: Positive
    """Standard deviation of the noise."""

    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples are codes."""
        if x.vocabulary is not None:
            raise ShapeError("`gaussian_noise` is for numbers", "samples are codes, such as letters", "remove it")

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the batch with noise."""
        import torch

        noise = self.std * torch.randn(batch.shape, generator=generator).to(batch.device, non_blocking=batch.is_cuda)
        if batch.dtype != torch.uint8:
            return batch + noise if batch.dim() == 2 else (batch + noise).clamp_(0, 1)
        return (batch + noise.mul_(255)).round_().clamp_(0, 255).to(torch.uint8)
