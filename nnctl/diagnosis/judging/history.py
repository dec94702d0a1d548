"""Since when something is wrong: from the start, or since the training."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.verdict import Verdict
from nnctl.graph.build import Graph

_OF_A_STEP = frozenset({"update_small", "update_large"})
"""Verdicts of the step that is taken now, whenever that is."""


def learned_codes(verdicts: Collection[Verdict], start: Collection[Verdict]) -> frozenset[str]:
    """Return the codes of the verdicts that the network did not have at its `start`."""
    return frozenset(verdict.code for verdict in verdicts) - {verdict.code for verdict in start} - _OF_A_STEP


def with_history(
    graph: Graph, result: InspectResult, verdicts: tuple[Verdict, ...], start: tuple[Verdict, ...]
) -> tuple[Verdict, ...]:
    """Return the verdicts of a network that has taken steps, with causes that say whether its `start` had them.

    Where it had one at the same layer, that cause is kept: of weights as they were drawn more is known.
    """
    learned = learned_codes(verdicts, start)
    then = {(verdict.code, verdict.path): verdict.cause for verdict in start}
    steps = (
        ("1 step" if result.steps == 1 else f"{result.steps:,} steps")
        if result.steps and result.trained is None
        else "its training"
    )
    brought = f"not there at initialisation: {steps}{_rate(graph)} brought it{_too_large(start)}. Now "

    def cause(verdict: Verdict) -> str:
        if verdict.code in _OF_A_STEP:
            return verdict.cause
        if verdict.code in learned:
            return brought + verdict.cause
        return f"at initialisation already, before any step: {then.get((verdict.code, verdict.path), verdict.cause)}"

    return tuple(replace(verdict, cause=cause(verdict)) for verdict in verdicts)


def _rate(graph: Graph) -> str:
    train = graph.spec.train
    return "" if train is None else f" with `{train.optimizer.kind}` at the learning rate {train.optimizer.lr:g}"


def _too_large(start: Collection[Verdict]) -> str:
    """Return what is known of the first step, where it was too large."""
    rash = next((verdict for verdict in start if verdict.code == "update_large"), None)
    if rash is None:
        return ""
    return f", too far at a time: the first changed the weights by {rash.value:.3g} of their size"
