"""A second look, a little beside a point where no difference can tell."""

from __future__ import annotations

from collections.abc import Callable

from nnctl.diagnosis.gradient.differences import Here
from nnctl.diagnosis.gradient.directions import signs
from nnctl.diagnosis.gradient.function import Function
from nnctl.diagnosis.gradient.sweep import Outcome

_MOVE = 1e-2
"""How far, in units of the tensor, the point is moved off kinks."""


def beside(
    function: Function, outcomes: dict[str, Outcome], seed: int, check: Callable[[Here, list[str]], dict[str, Outcome]]
) -> dict[str, Outcome]:
    """Return what is found a little beside the point for tensors that lie on a kink or have no gradient there.

    Biases of 0 below a ReLU, maxima among equal pixels, branches that start as 0: no difference can tell there.
    """
    open_ = [name for name, outcome in outcomes.items() if outcome.finding.reason in ("kink", "zero")]
    if not open_:
        return {}
    sizes = {name: max(float(x.detach().square().mean().sqrt()), 0.1) for name, x in function.tensors.items()}
    steps = {name: sizes[name] * signs(x, seed, "beside", name) for name, x in function.tensors.items()}
    with function.moved(steps, _MOVE):
        found = check(Here.of(function), open_)
    return {name: outcome for name, outcome in found.items() if outcome.finding.verdict != "inconclusive"}
