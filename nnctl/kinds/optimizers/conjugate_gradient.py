"""Non-linear conjugate gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.optimizers._line_search import LineSearched

if TYPE_CHECKING:
    import torch


class ConjugateGradient(LineSearched):
    """Non-linear conjugate gradients: on a quadratic of n numbers at most n exact steps.

    d ← −∇ + βd, θ ← θ + t·d; β = max(∇·(∇ − ∇₋)/∇₋·∇₋, 0) (Polak and Ribière) or ∇·∇/∇₋·∇₋ (Fletcher and Reeves);
    t by a strong Wolfe line search. For whole training sets: `batch_size: all`.
    """

    kind = "conjugate_gradient"
    paper = "Polak and Ribière, 1969; Fletcher and Reeves, Function minimization by conjugate gradients, 1964"
    examples = (Example("conjugate_gradient"), Example("conjugate_gradient: {formula: fletcher_reeves}"))

    formula: Annotated[Literal["polak_ribiere", "fletcher_reeves"], Expected("polak_ribiere or fletcher_reeves")] = (
        "polak_ribiere"
    )
    """How β is computed."""
    c2: Annotated[float, Field(gt=0, lt=0.5), Expected("a number above 0 and below 1/2")] = 0.1
    """c₂: share of the slope that may be left; below 1/2, that directions go downhill."""

    def state_tensors(self) -> int:
        """Return 2: the last gradient and direction."""
        return 2

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the optimiser."""
        from nnctl.optim.conjugate_gradient import ConjugateGradient as Twin

        return Twin(groups, self.lr, self.formula, self.wolfe())
