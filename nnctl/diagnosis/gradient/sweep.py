"""One tensor after the other: along a few directions, with further steps only where the first leaves doubt."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from nnctl.data.progress import Progress, silent
from nnctl.diagnosis.gradient.differences import Difference, Direction, Here, careful, quick
from nnctl.diagnosis.gradient.directions import signs, unit
from nnctl.diagnosis.gradient.function import norms
from nnctl.diagnosis.gradient.verdict import Finding, drowned, judge, settled

FIRST = 1e-6
STEPS = (1e-6, 1e-5, 1e-7, 1e-4, 1e-8, 1e-3, 1e-9, 1e-2, 1e-10)
"""Steps, in units of the tensor: what is tried where the first, quick look leaves doubt."""

_LONG = (1e-2, 1e-3, 1e-4)
"""Steps for a gradient that rounding hides at the longest of them: shorter ones show even less."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found for one tensor, of the term that does worst."""

    finding: Finding
    term: int
    norm: float
    """‖g‖ of that term."""
    by_term: tuple[Finding | None, ...]
    """Every term's; None where the term does not depend on the tensor."""


def check_tensors(
    here: Here, names: Collection[str], count: int, seed: int, progress: Progress = silent
) -> dict[str, Outcome]:
    """Return what `count` directions say of each tensor."""
    found = {}
    for number, name in enumerate(names):
        progress("gradients checked", number, len(names))
        found[name] = check_tensor(here, name, count, seed)
    return found


def check_tensor(here: Here, name: str, count: int, seed: int) -> Outcome:
    """Return what `count` directions say of one tensor."""
    tensor = here.function.tensors[name]
    size = unit(tensor)
    directions = [{name: size * signs(tensor, seed, name, number)} for number in range(count)]
    scale = (size * norms(here.gradients[name])).tolist()
    return _outcome(here, name, sweep(here, directions, scale), scale, size)


def sweep(here: Here, directions: Sequence[Direction], scale: Sequence[float]) -> list[Difference]:
    """Return differences for as many steps as it takes to settle every term."""
    found = [quick(here, directions, FIRST)]
    smooth = inf
    steps: tuple[float, ...] = STEPS
    if all(drowned(found[0], term, norm) for term, norm in enumerate(scale)):
        found.append(careful(here, directions, _LONG[0]))
        hopeless = not found[-1].crossed and all(drowned(found[-1], term, norm) for term, norm in enumerate(scale))
        steps = _LONG[1:] if hopeless else STEPS
    for step in steps:
        if all(settled(found, term, norm) for term, norm in enumerate(scale)):
            break
        if step > smooth:
            continue  # a longer step crosses the same kink
        found.append(careful(here, directions, step))
        if found[-1].crossed:
            smooth = step
    return found


def _outcome(here: Here, name: str, found: list[Difference], scale: list[float], size: float) -> Outcome:
    independent = [
        gradient is None and all(float(difference.size[term]) == 0 for difference in found)
        for term, gradient in enumerate(here.gradients[name])
    ]
    findings = tuple(
        None if independent[term] and not all(independent) else judge(found, term, norm)
        for term, norm in enumerate(scale)
    )
    term, worst = max(
        ((term, finding) for term, finding in enumerate(findings) if finding is not None),
        key=lambda pair: badness(pair[1]),
    )
    return Outcome(worst, term, scale[term] / size, findings)


def badness(finding: Finding) -> tuple[int, float]:
    """Return a key that orders findings from good to bad."""
    return ("pass", "inconclusive", "fail").index(finding.verdict), finding.relative_error or 0.0


def terms_of(outcomes: Mapping[str, Outcome], count: int) -> list[list[Finding]]:
    """Return for each term what was found of the tensors that it depends on."""
    return [
        [finding for outcome in outcomes.values() if (finding := outcome.by_term[term]) is not None]
        for term in range(count)
    ]
