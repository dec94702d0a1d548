"""What optimisers with a line search have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, model_validator

from nnctl.component.types import Expected, Positive
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    from nnctl.optim.line_search import Wolfe


class LineSearched(Optimizer):
    """An optimiser that goes along a direction as far as the strong Wolfe conditions ask.

    φ(t) ≤ φ(0) + c₁tφ′(0) and |φ′(t)| ≤ c₂|φ′(0)|, φ the loss along the direction.
    """

    needs_closure = True

    lr: Positive = 1.0
    """Share of the method's own step that the line search tries first."""
    c1: Annotated[float, Field(gt=0, lt=0.5), Expected("a number above 0 and below 1/2")] = 1e-4
    """c₁: share of the decrease that the slope promises which a step must bring."""
    c2: Annotated[float, Field(gt=0, lt=1), Expected("a number above 0 and below 1")] = 0.9
    """c₂: share of the slope that may be left; small values search exactly."""

    @model_validator(mode="after")
    def _check_order(self) -> LineSearched:
        if self.c2 <= self.c1:
            raise ValueError("`c2` must be above `c1`, else no step may meet both conditions")
        return self

    def wolfe(self) -> Wolfe:
        """Return the conditions."""
        from nnctl.optim.line_search import Wolfe

        return Wolfe(self.c1, self.c2)
