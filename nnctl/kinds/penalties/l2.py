"""The sum of the weights' squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.penalties.base import Prox, Term

if TYPE_CHECKING:
    from torch import Tensor


class L2(Term):
    """Draw every weight to zero in proportion to its size: ½λ‖W‖², whose gradient is λW.

    For all weights and plain gradient steps it is the optimiser's `weight_decay`; as a penalty it can differ from
    layer to layer.
    """

    kind = "l2"
    paper = "Hoerl and Kennard, Ridge Regression, 1970; Krogh and Hertz, A Simple Weight Decay, 1991"
    examples = (Example("l2: 1e-3"), Example("l2: {strength: 1e-2, layers: [head]}"))

    def value(self, weight: Tensor) -> Tensor:
        """Return ½λ‖W‖²."""
        return 0.5 * self.strength * weight.square().sum()

    def prox(self) -> Prox:
        """Return W / (1 + ελ)."""
        from nnctl.optim import prox

        return lambda weight, step: prox.l2(weight, step * self.strength)
