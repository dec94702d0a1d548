"""The sparse initialiser."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, Positive
from nnctl.errors import Problem, SpecError
from nnctl.kinds.initializers.base import Initializer, Place

if TYPE_CHECKING:
    import torch


class Sparse(Initializer):
    """Give every unit the same small number of weights, drawn from N(0, std²), and set the others to 0.

    The input of a unit then has the same size however many units there are before it: Var W = nonzero std² / fan_in.
    """

    kind = "sparse"
    paper = "Martens, Deep Learning via Hessian-Free Optimization, 2010"
    examples = (Example("sparse: 3"), Example("sparse: {nonzero: 2, std: 0.5}"))

    nonzero: Count
    """Weights of a unit that are not 0; which ones is drawn for each unit."""
    std: Positive = 1.0
    """Standard deviation of those."""

    def check(self, shape: tuple[int, ...], place: Place) -> None:
        """Raise SpecError where a unit has fewer weights than `nonzero`."""
        per_unit = prod(shape[1:])
        if len(shape) < 2 or per_unit < self.nonzero:
            what = "a bias, which has 1 for each unit" if len(shape) < 2 else f"a unit that has {per_unit}"
            message = f"`sparse` cannot choose {self.nonzero} weights of {what}"
            raise SpecError(Problem("init", message, hint="lower `nonzero`, or give it another `init`"))

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Draw every unit's weights."""
        import torch

        per_unit = tensor[0].numel()
        units = torch.zeros(len(tensor), per_unit)
        chosen = torch.rand(units.shape, generator=generator).topk(self.nonzero).indices
        units.scatter_(1, chosen, torch.randn(chosen.shape, generator=generator) * self.std)
        with torch.no_grad():
            tensor.copy_(units.view_as(tensor))
