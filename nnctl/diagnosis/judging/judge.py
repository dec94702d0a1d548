"""From statistics to verdicts, and from verdicts to fixes that were tried."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import islice
from textwrap import shorten
from typing import TypeAlias

from nnctl.diagnosis.judging.fixes import Fix, as_arguments, as_overrides, candidates
from nnctl.diagnosis.judging.rules import RULES
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.verdict import Verdict
from nnctl.errors import NnctlError
from nnctl.graph.build import Graph

_Left: TypeAlias = "frozenset[str] | None"
"""The codes that a change leaves, None where the network cannot be inspected with it."""

TRIALS = 8
"""Changes that are tried against one verdict before none is known."""
_NAME = 60
"""Characters of a change that was tried in vain."""


def verdicts_of(graph: Graph, result: InspectResult) -> tuple[Verdict, ...]:
    """Return what is wrong, failures first; after infinities nothing else means anything."""
    found: list[Verdict] = []
    for rule in RULES:
        found += rule(graph, result)
        if any(verdict.code == "nonfinite" for verdict in found):
            break
    return tuple(sorted(found, key=lambda verdict: verdict.severity != "fail"))


def with_fixes(
    graph: Graph,
    verdicts: tuple[Verdict, ...],
    again: Callable[[list[str]], tuple[Verdict, ...]] | None,
    learned: Collection[str] = (),
    rash: float | None = None,
) -> tuple[Verdict, ...]:
    """Return the verdicts with what mends each.

    `again` inspects the network with overrides. The first change is kept after which no verdict is left; else the
    first that takes the verdict away and brings no other, unless one that was tried against another verdict leaves
    fewer; of several lines only those that it takes. Without `again` the likeliest is named untried. `learned` are the
    codes of the verdicts that training has brought, `rash` the size of a first step that was too large.
    """
    outcomes: dict[Fix, _Left] = {}

    def left(fix: Fix) -> _Left:
        if fix not in outcomes:
            assert again is not None
            try:
                outcomes[fix] = frozenset(verdict.code for verdict in again(as_overrides(fix)))
            except NnctlError:
                outcomes[fix] = None  # no such initialiser for these layers, or it diverges
        return outcomes[fix]

    likely = [candidates(graph, verdict, verdict.code in learned, rash) for verdict in verdicts]
    if again is None:
        firsts = [next(fixes, None) for fixes in likely]
        return tuple(
            replace(verdict, fix="\n".join(first)) if first else verdict
            for verdict, first in zip(verdicts, firsts, strict=True)
        )
    tried = [list(islice(fixes, TRIALS)) for fixes in likely]
    own = [_own(verdict, verdicts, fixes, left) for verdict, fixes in zip(verdicts, tried, strict=True)]
    return tuple(
        replace(verdict, fix="\n".join(fix), tried=True)
        if (fix := _best(verdict, verdicts, first, outcomes)) is not None
        else replace(verdict, cause=verdict.cause + _in_vain(fixes))
        for verdict, first, fixes in zip(verdicts, own, tried, strict=True)
    )


def fixes_from(
    start: tuple[Verdict, ...], verdicts: tuple[Verdict, ...], learned: Collection[str]
) -> tuple[Verdict, ...]:
    """Return the verdicts of trained weights with the fixes of those that a fresh start of the spec has.

    The fix of a first step that is too large is the likeliest for what training has brought (`learned`).
    """
    known = {verdict.code: verdict for verdict in start if verdict.fix is not None}
    rash = known.get("update_large")
    return tuple(
        replace(verdict, fix=known[verdict.code].fix, tried=True, afresh=True)
        if verdict.code in known
        else replace(verdict, fix=rash.fix)
        if rash is not None and verdict.code in learned
        else verdict
        for verdict in verdicts
    )


def _own(
    verdict: Verdict, all_found: tuple[Verdict, ...], tried: Collection[Fix], left: Callable[[Fix], _Left]
) -> Fix | None:
    """Return the first change that leaves nothing, else the first that takes the verdict away and brings no other."""
    second: Fix | None = None
    for fix in tried:
        after = left(fix)
        if after is not None and not after:
            return _least(fix, left)
        if second is None and _mends(after, verdict, all_found):
            second = fix
    return None if second is None else _least(second, left)


def _best(
    verdict: Verdict, all_found: tuple[Verdict, ...], own: Fix | None, outcomes: Mapping[Fix, _Left]
) -> Fix | None:
    """Return of all changes that were tried, against other verdicts too, the one that leaves the fewest."""
    mending = {fix: len(after or ()) for fix, after in outcomes.items() if _mends(after, verdict, all_found)}
    return min(mending, key=lambda fix: (mending[fix], fix != own, len(fix)), default=None)


def _mends(after: _Left, verdict: Verdict, all_found: tuple[Verdict, ...]) -> bool:
    """Return whether a change takes a verdict away and brings no other."""
    return after is not None and verdict.code not in after and after < {other.code for other in all_found}


def _least(fix: Fix, left: Callable[[Fix], _Left]) -> Fix:
    """Return the lines of a fix that it takes to leave no more than it leaves as a whole."""
    after = left(fix)
    assert after is not None
    for line in fix:
        fewer = tuple(other for other in fix if other != line)
        without = left(fewer) if fewer else None
        if without is not None and without <= after:
            fix = fewer
    return fix


def _in_vain(tried: Collection[Fix]) -> str:
    """Return what to know where nothing that was tried takes a verdict away."""
    if not tried:
        return ""
    names = ", ".join(shorten(as_arguments("\n".join(fix)), _NAME) for fix in tried)
    if len(tried) == 1:
        return f". The one change tried does not take it away: {names}"
    return f". None of the {len(tried)} changes tried takes it away: {names}"
