"""What the initialisers that reckon a deviation from fans share: the draw."""

from __future__ import annotations

from abc import abstractmethod
from math import sqrt
from typing import TYPE_CHECKING

from nnctl.kinds.initializers.base import Distribution, Initializer, Place

if TYPE_CHECKING:
    import torch


class Scaled(Initializer):
    """An initialiser whose entries are drawn alike, by a deviation that follows from the place."""

    @abstractmethod
    def spread(self, place: Place) -> tuple[float, Distribution]:
        """Return the standard deviation of every entry, and how it is drawn."""

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return the deviation's square."""
        return self.spread(place)[0] ** 2

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Draw every entry."""
        draw(tensor, *self.spread(place), generator)


def draw(tensor: torch.Tensor, deviation: float, distribution: Distribution, generator: torch.Generator) -> None:
    """Fill `tensor` from a distribution of mean 0 and the given standard deviation."""
    from torch import nn

    if distribution == "normal":
        nn.init.normal_(tensor, 0.0, deviation, generator=generator)
    else:
        bound = sqrt(3) * deviation  # the variance of U(−b, b) is b²/3
        nn.init.uniform_(tensor, -bound, bound, generator=generator)
