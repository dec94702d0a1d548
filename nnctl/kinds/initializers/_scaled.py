"""What the initialisers that reckon a deviation from fans share: the draw."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from nnctl.kinds.initializers.base import Distribution

if TYPE_CHECKING:
    import torch


def draw(tensor: torch.Tensor, deviation: float, distribution: Distribution, generator: torch.Generator) -> None:
    """Fill `tensor` from a distribution of mean 0 and the given standard deviation."""
    from torch import nn

    if distribution == "normal":
        nn.init.normal_(tensor, 0.0, deviation, generator=generator)
    else:
        bound = sqrt(3) * deviation  # the variance of U(−b, b) is b²/3
        nn.init.uniform_(tensor, -bound, bound, generator=generator)
