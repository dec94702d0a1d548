"""The orthogonal initialiser."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.initializers._matrix import need_matrix
from nnctl.kinds.initializers.base import Gain, Initializer, Place

if TYPE_CHECKING:
    import torch


class Orthogonal(Initializer):
    """Draw a random matrix whose rows or columns, whichever are fewer, are orthonormal, times the gain.

    A kernel is taken as the matrix (channels, C·|kernel|).
    """

    kind = "orthogonal"
    paper = "Saxe, McClelland & Ganguli, Exact Solutions to the Dynamics of Learning in Deep Linear Networks, 2014"
    examples = (Example("orthogonal"), Example("orthogonal: 1.4"), Example("orthogonal: auto"))

    gain: Gain = 1.0
    """Factor of the matrix: all its singular values; `auto` is that of the activation that follows."""

    def check(self, shape: tuple[int, ...], place: Place) -> None:
        """Raise SpecError for a bias, which is no matrix."""
        need_matrix(self.kind, shape)

    def mean_square(self, shape: tuple[int, ...], place: Place) -> float | None:
        """Return gain² over the longer side: the squares of an orthonormal matrix add up to its shorter one."""
        return place.chosen(self.gain) ** 2 / max(shape[0], prod(shape[1:]))

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Fill with an orthogonal matrix."""
        from torch import nn

        nn.init.orthogonal_(tensor, place.chosen(self.gain), generator=generator)
