"""From differences to a verdict. There is no absolute tolerance: a gradient of 1e-19 is held to its own size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal

from nnctl.diagnosis.gradient.differences import Difference
from nnctl.diagnosis.gradient.result import Verdict

SMOOTH, KINKED = 1e-6, 1e-5
"""Largest relative error of a right gradient, where the step stays on a smooth piece and where it crosses kinks."""

_SEEN, _SURE = 3.0, 30.0
"""Standard deviations of rounding that a pass must resolve, and that a failure must exceed."""
_CURVED, _BENT = 10.0, 2.0
"""How many times over a failure must exceed what curvature, or a kink just at the point, may have done."""

Reason = Literal["kink", "zero", "small", "nonfinite"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one tensor for one term, with the step that it rests on."""

    verdict: Verdict
    relative_error: float | None
    step: float | None
    resolution: float | None
    reason: Reason | None = None
    """Why it is inconclusive, or what else is wrong."""


def judge(differences: Sequence[Difference], term: int, norm: float) -> Finding:
    """Return what differences along the same directions say of a gradient whose norm is `norm`.

    It passes where one step shows agreement that rounding could not have hidden a disagreement behind. It fails where
    a step within one smooth piece shows an error that neither rounding nor curvature explains. All else is open.
    """
    if not isfinite(norm):
        return Finding("fail", None, None, None, "nonfinite")
    views = [_view(difference, term, norm) for difference in differences if difference.finite]
    for view in views:
        if view.passes:
            return _finding("pass", view)
    failing = [view for view in views if view.fails]
    if failing:
        return _finding("fail", min(failing, key=lambda view: view.error))
    if not views:
        return Finding("inconclusive", None, None, None, "small")
    looked = [view for view in views if view.looked]
    best = min(looked or views, key=lambda view: view.resolution)
    if norm == 0 and all(view.measured <= _SURE * view.noise for view in views):
        return _finding("inconclusive", best, "zero")
    sharp = [view for view in looked if _SEEN * view.noise < SMOOTH * view.size]
    kinked = sharp and all(view.crossed or (view.bent and view.error > KINKED * view.size) for view in sharp)
    return _finding("inconclusive", best, "kink" if kinked else "small")


def settled(differences: Sequence[Difference], term: int, norm: float) -> bool:
    """Return whether further steps would not change the verdict: a pass, or two steps that show the same error."""
    if not isfinite(norm) or judge(differences, term, norm).verdict == "pass":
        return True
    errors = [view.error for d in differences if d.finite and (view := _view(d, term, norm)).fails]
    return any(abs(one - other) < 0.01 * one for number, one in enumerate(errors) for other in errors[:number])


def drowned(difference: Difference, term: int, norm: float) -> bool:
    """Return whether rounding at this step hides what a pass would have to resolve."""
    view = _view(difference, term, norm)
    return difference.finite and _SEEN * view.noise > SMOOTH * view.size


@dataclass(frozen=True, slots=True)
class _View:
    """One term of a difference."""

    step: float
    error: float
    size: float
    measured: float
    backward: float
    noise: float
    spread: float
    bend: float
    crossed: bool
    looked: bool

    @property
    def tolerance(self) -> float:
        return KINKED if self.crossed else SMOOTH

    @property
    def resolution(self) -> float:
        return (_SEEN * self.noise + self.spread) / self.size if self.size else inf

    @property
    def bent(self) -> bool:
        return self.error <= _BENT * self.bend

    @property
    def passes(self) -> bool:
        """Whether there is no error, and one would be seen."""
        allowed = self.tolerance * self.size
        return self.size > 0 and self.error <= allowed and _SEEN * self.noise <= allowed

    @property
    def fails(self) -> bool:
        """Whether there is an error that nothing else explains."""
        excuse = _SURE * self.noise + _CURVED * self.spread + _BENT * self.bend
        return self.looked and not self.crossed and self.error > max(self.tolerance * self.size, excuse)


def _view(difference: Difference, term: int, norm: float) -> _View:
    measured = float(difference.size[term])
    return _View(
        step=difference.step,
        error=float(difference.error[term]),
        size=max(norm, measured),
        measured=measured,
        backward=float(difference.backward[term]),
        noise=float(difference.noise[term]),
        spread=float(difference.spread[term]),
        bend=float(difference.bend[term]),
        crossed=difference.crossed,
        looked=difference.looked,
    )


def _finding(verdict: Verdict, view: _View, reason: Reason | None = None) -> Finding:
    known = view.size > 0
    # the error of what fails is told beside the slopes along the same directions: exactly, where it is a factor
    beside = max(view.measured, view.backward) if verdict == "fail" else view.size
    return Finding(
        verdict,
        view.error / beside if known and beside else None,
        view.step,
        view.resolution if known else None,
        reason,
    )
