"""The orthogonal initialiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.errors import Problem, SpecError
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

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Fill with an orthogonal matrix. Raises SpecError for a bias, which is none."""
        from torch import nn

        if tensor.dim() < 2:
            message = "`orthogonal` fills a weight matrix, and a bias is none"
            raise SpecError(Problem("init", message, hint="give the bias another one, such as `zero`"))
        nn.init.orthogonal_(tensor, place.gain if self.gain == "auto" else self.gain, generator=generator)
