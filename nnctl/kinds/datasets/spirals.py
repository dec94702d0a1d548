"""Interleaved spirals."""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import NonNegative
from nnctl.kinds.datasets._toy import Toy

if TYPE_CHECKING:
    from torch import Generator, Tensor


class Spirals(Toy):
    """Points on interleaved spirals, one arm per class: no straight line tells them apart.

    An arm turns once and a half on its way from the origin to radius 1: with r uniform on [0, 1] the point is
    r (cos φ, sin φ), φ = 3π r + 2π class / classes.
    """

    kind = "spirals"
    examples = (Example("spirals: {samples: 300, classes: 3, noise: 0.02}"), Example("spirals"))

    noise: NonNegative = 0.02
    """Standard deviation of the normal noise added to both coordinates."""

    def centres(self, labels: Tensor, generator: Generator) -> Tensor:
        """Return points on the arms."""
        import torch

        radius = torch.rand(len(labels), generator=generator)
        angle = 3 * pi * radius + 2 * pi * labels / self.classes
        return torch.stack((radius * angle.cos(), radius * angle.sin()), dim=1)
