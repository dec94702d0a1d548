"""The rules: when a statistic is a verdict. Each compares a number with two bounds, one to warn and one to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TypeAlias

from nnctl.diagnosis.judging import causes
from nnctl.diagnosis.judging.line import Place, error_of, expected_error, has_trend, hidden, main_line, places
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.verdict import Code, Severity, Verdict
from nnctl.graph.build import Graph
from nnctl.kinds.layers.base import Activation

Rule: TypeAlias = "Callable[[Graph, InspectResult], Iterator[Verdict]]"

FEWEST_INPUTS = 100
"""Inputs below which a silent unit is no dead one."""
FEWEST_UNITS = 8
"""Units below which the outputs for two inputs easily point the same way."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a value is too large, or too small where `below`."""

    warn: float
    fail: float
    below: bool = False

    def judge(self, value: float) -> tuple[Severity, float] | None:
        """Return severity and the bound that is passed, or None."""
        for severity, bound in (("fail", self.fail), ("warn", self.warn)):
            if value < bound if self.below else value > bound:
                return severity, bound  # type: ignore[return-value]  # the literals widen to str
        return None


VANISHING, EXPLODING = Bounds(1e-2, 1e-3, below=True), Bounds(1e2, 1e3)
UPDATE_SMALL, UPDATE_LARGE = Bounds(1e-5, 1e-6, below=True), Bounds(0.3, 1.0)
DEAD, SATURATED, COLLAPSED = Bounds(0.1, 0.5), Bounds(0.3, 0.7), Bounds(0.999, 0.9999)
CHANCE = 4.0
"""Standard deviations of a share over units that count as chance."""


def nonfinite(graph: Graph, result: InspectResult) -> Iterator[Verdict]:
    """Infinities and what is not a number: the first layer that makes one, or the last that gets one back."""
    for place in places(graph, result):
        if place.layer.nonfinite > 0:
            yield _verdict(
                "nonfinite", ("fail", 0.0), place, place.layer.nonfinite, None,
                "share of the output that is not finite", causes.nonfinite(place, result),
            )  # fmt: skip
            return
    for place in reversed(places(graph, result)):
        if not all(number is None or isfinite(number) for number in (place.layer.delta_rms, place.layer.grad_norm)):
            yield _verdict(
                "nonfinite", ("fail", 0.0), place, None, None,
                f"the gradient at {place.leaf.path}", causes.nonfinite_gradient(place),
            )  # fmt: skip
            return
    if result.loss != result.loss and result.layers:
        last = places(graph, result)[-1]
        yield _verdict(
            "nonfinite", ("fail", 0.0), last, None, None, "the loss", "every layer's output is finite, the loss is not"
        )


def error_signal(graph: Graph, result: InspectResult) -> Iterator[Verdict]:
    """δ from the first layer with weights to the last hidden one."""
    line = [place for place in hidden(main_line(graph, result)) if error_of(place) is not None]
    reached = [place for place in line if error_of(place)]
    if len(reached) < 2:
        return
    errors = [error_of(place) or 0.0 for place in reached]
    if not has_trend(errors):
        return
    first, last = reached[0], reached[-1]
    lost = reached[0] is not line[0] and first.layer.delta_rms is not None and first.layer.delta_rms < causes.TINY
    value = 0.0 if lost else errors[0] / errors[-1]
    top, bottom = expected_error(last), expected_error(first)
    predicted = bottom / top if top and bottom is not None else None
    what = f"‖δ‖ at {first.leaf.path} over that at {last.leaf.path}"
    if found := VANISHING.judge(value):
        cause = causes.error(graph, result, reached, errors, "shrinks", lost or bool(first.layer.underflow))
        yield _verdict("vanishing", found, line[0] if lost else first, value, predicted, what, cause)
    elif found := EXPLODING.judge(value):
        cause = causes.error(graph, result, reached, errors, "grows", False)
        yield _verdict("exploding", found, first, value, predicted, what, cause)


def signal(graph: Graph, result: InspectResult) -> Iterator[Verdict]:
    """What arrives at the layers with weights, beside what arrives at the first of them."""
    line = [place for place in main_line(graph, result) if place.layer.input_rms]
    if len(line) < 2:
        return
    first = line[0]
    start = first.layer.input_rms or 1.0
    ratios = [(place.layer.input_rms or 0.0) / start for place in line]
    for code, bounds, worst in (("vanishing", VANISHING, min), ("exploding", EXPLODING, max)):
        value = worst(ratios)
        if (found := bounds.judge(value)) and has_trend(ratios):
            place = line[ratios.index(value)]
            expected = place.layer.prediction.input_rms if place.layer.prediction else None
            predicted = None if expected is None else expected / start
            what = f"size of what arrives at {place.leaf.path} over that at {first.leaf.path}"
            cause = causes.signal(graph, result, line[: ratios.index(value) + 1], ratios)
            yield _verdict(code, found, place, value, predicted, what, cause)  # type: ignore[arg-type]


def dead(graph: Graph, result: InspectResult) -> Iterator[Verdict]:
    """Units that are zero for every input, beyond those that theory expects of inputs as alike as a deep ReLU network
    makes them."""
    line = places(graph, result)
    expected = {
        place: causes.expected_dead(place, before, result, graph)
        for before, place in zip((None, *line), line, strict=False)
    }
    drawn = result.variances == "initialiser"
    excess = {
        place: place.layer.dead - _by_chance(share, place.layer.dead if drawn else 0.0, place)
        for place, share in expected.items()
        if place.layer.dead
    }
    found = [place for place, share in excess.items() if DEAD.judge(share)]
    if result.samples >= FEWEST_INPUTS and found:
        worst = max(found, key=lambda place: excess[place])
        value = worst.layer.dead or 0.0
        first = next(place for place in found if (place.layer.dead or 0.0) >= value)  # the others may be dead of it
        what = f"share of units that are zero for all of {result.samples} inputs"
        cause = causes.dead(first, found, graph, result)
        yield _verdict("dead", DEAD.judge(value), first, value, expected[first], what, cause)


def _by_chance(expected: float, found: float, place: Place) -> float:
    """Return the share of dead units that is no surprise: as expected, and as a draw of this few units strays."""
    units = place.leaf.output.shape.features
    strays = (CHANCE * sqrt(expected * (1 - expected) / units), CHANCE / 2 * sqrt(found * (1 - found) / units))
    return expected + max(strays)


def saturated(graph: Graph, result: InspectResult) -> Iterator[Verdict]:
    """Squashing activations pressed against their bounds; the network's own last one, and gates, may be."""
    found = [
        place
        for place in places(graph, result)[:-1]
        if isinstance(place.leaf.layer, Activation)
        and place.leaf.layer.pointwise
        and place.leaf.layer.saturates == "both sides"
        and "gate" not in place.leaf.path.split(".")
        and SATURATED.judge(place.layer.saturated or 0.0)
    ]
    if found:
        worst = max(found, key=lambda place: place.layer.saturated or 0.0)
        value = worst.layer.saturated or 0.0
        what = "share of values with a slope below 5% of the largest"
        cause = causes.saturated(worst, len(found))
        predicted = causes.expected_saturation(worst)
        yield _verdict("saturated", SATURATED.judge(value), worst, value, predicted, what, cause)


def collapsed(graph: Graph, result: InspectResult) -> Iterator[Verdict]:
    """Layers whose output hardly depends on the input."""
    line = [place for place in main_line(graph, result)[:-1] if place.layer.units >= FEWEST_UNITS]
    worst = max(line, key=lambda place: place.layer.cosine or 0.0, default=None)
    if worst is not None and (found := COLLAPSED.judge(worst.layer.cosine or 0.0)):
        what = "mean cosine between the outputs for different inputs"
        cause = causes.collapsed(graph, worst, result)
        expected = worst.layer.prediction.cosine if worst.layer.prediction else None
        yield _verdict("collapsed", found, worst, worst.layer.cosine, expected, what, cause)


def updates(graph: Graph, result: InspectResult) -> Iterator[Verdict]:
    """The step that the optimiser takes, beside the weights: too small where none of them moves, even at the recipe's
    largest rate; too large where every other layer changes much and the batch's own loss does not fall. Weights that
    start near 0, or have far to go, may well leap."""
    line = [place for place in places(graph, result) if place.layer.update_ratio is not None]
    if not line:
        return
    line.sort(key=lambda place: place.layer.update_ratio or 0.0)
    middle = line[(len(line) - 1) // 2]
    leap = middle.layer.update_ratio or 0.0
    helps = result.loss_after is not None and result.loss_after < result.loss
    largest = (line[-1].layer.update_ratio or 0.0) / (result.rate_share or 1.0)
    if largest and (found := UPDATE_SMALL.judge(largest)):  # a gradient of 0 is another verdict
        what = "‖ΔW‖ / ‖W‖ of one step at the recipe's largest rate, in the layer that moves most"
        yield _verdict("update_small", found, line[-1], largest, None, what, causes.small_update(graph, largest))
    elif (found := UPDATE_LARGE.judge(leap)) and not helps:
        what = "‖ΔW‖ / ‖W‖ of one step, which every other layer reaches"
        yield _verdict("update_large", found, middle, leap, None, what, causes.large_update(graph, leap, result))


def unused(graph: Graph, result: InspectResult) -> Iterator[Verdict]:
    """Weights that do not learn, although they are to."""
    for learning, severity in (("none", "warn"), ("zero", "fail")):
        found = [place for place in places(graph, result) if place.layer.learning == learning]
        if found:
            yield _verdict(
                "unused", (severity, 0.0), found[0], 0.0, None,  # type: ignore[arg-type]
                "‖∂L/∂W‖", causes.unused(found, learning),
            )  # fmt: skip


RULES: tuple[Rule, ...] = (nonfinite, error_signal, signal, dead, saturated, collapsed, updates, unused)


def _verdict(
    code: Code,
    found: tuple[Severity, float] | None,
    place: Place,
    value: float | None,
    predicted: float | None,
    what: str,
    cause: str,
) -> Verdict:
    assert found is not None
    severity, threshold = found
    layer = place.layer
    return Verdict(
        code, severity, layer.path, layer.line, layer.file, value, threshold, predicted, what, cause, fix=None
    )
