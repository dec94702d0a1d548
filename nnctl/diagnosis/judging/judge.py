"""From statistics to verdicts, and from verdicts to fixes that were tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from nnctl.diagnosis.judging.fixes import Fix, as_overrides, candidates
from nnctl.diagnosis.judging.rules import RULES
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.verdict import Verdict
from nnctl.errors import NnctlError
from nnctl.graph.build import Graph

TRIALS = 8
"""Changes that are tried against one verdict before none is known."""


def verdicts_of(graph: Graph, result: InspectResult) -> tuple[Verdict, ...]:
    """Return what is wrong, failures first; after infinities nothing else means anything."""
    found: list[Verdict] = []
    for rule in RULES:
        found += rule(graph, result)
        if any(verdict.code == "nonfinite" for verdict in found):
            break
    return tuple(sorted(found, key=lambda verdict: verdict.severity != "fail"))


def with_fixes(
    graph: Graph, verdicts: tuple[Verdict, ...], again: Callable[[list[str]], tuple[Verdict, ...]] | None
) -> tuple[Verdict, ...]:
    """Return the verdicts with what mends each.

    `again` inspects the network with overrides. The first change is kept after which no verdict is left; else the
    first that takes the verdict away and brings no other. Without `again`, as of trained weights, the likeliest is
    named untried.
    """
    outcomes: dict[Fix, frozenset[str] | None] = {}

    def left(fix: Fix) -> frozenset[str] | None:
        if fix not in outcomes:
            assert again is not None
            try:
                outcomes[fix] = frozenset(verdict.code for verdict in again(as_overrides(fix)))
            except NnctlError:
                outcomes[fix] = None  # no such initialiser for these layers, or it diverges
        return outcomes[fix]

    return tuple(_fixed(verdict, verdicts, graph, left if again else None) for verdict in verdicts)


def _fixed(
    verdict: Verdict, all_found: tuple[Verdict, ...], graph: Graph, left: Callable[[Fix], frozenset[str] | None] | None
) -> Verdict:
    likely: Iterator[Fix] = islice(candidates(graph, verdict.code), TRIALS)
    if left is None:
        first = next(likely, None)
        return replace(verdict, fix="\n".join(first) if first else None)
    before = {other.code for other in all_found}
    second: Fix | None = None
    for fix in likely:
        after = left(fix)
        if after is not None and not after:
            return replace(verdict, fix="\n".join(fix), tried=True)
        if second is None and after is not None and verdict.code not in after and after < before:
            second = fix
    return replace(verdict, fix="\n".join(second), tried=True) if second else verdict
