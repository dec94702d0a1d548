"""The layers with weights that the signal passes one after the other, and what happens to it along them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log10, sqrt

from nnctl.diagnosis.result import InspectResult, LayerSignals
from nnctl.graph.build import Graph
from nnctl.graph.nodes import Leaf
from nnctl.kinds.layers.base import Weighted

_ASIDE = frozenset({"gate", "shortcut"})
_BESIDE = frozenset({"squeeze_excite"})
SIGNIFICANT = 4.0
"""Standard errors that a slope must be away from 0: a few layers out of line make no trend."""


@dataclass(frozen=True, slots=True)
class Place:
    """A layer in the graph beside what was measured there."""

    leaf: Leaf
    layer: LayerSignals


def places(graph: Graph, result: InspectResult) -> tuple[Place, ...]:
    """Return every layer."""
    return tuple(Place(leaf, layer) for leaf, layer in zip(graph.leaves, result.layers, strict=True))


def main_line(graph: Graph, result: InspectResult) -> tuple[Place, ...]:
    """Return the layers with weights that the signal passes: without heads, gates, shortcuts and what only scales."""
    heads = tuple(f"{head.path}." for head in graph.heads.values())
    return tuple(
        place
        for place in places(graph, result)
        if isinstance(place.leaf.layer, Weighted)
        and not place.leaf.layer.takes_codes
        and place.leaf.layer.kind not in _BESIDE
        and not _ASIDE & set(place.leaf.path.split("."))
        and not place.leaf.path.startswith(heads)
    )


def hidden(line: Sequence[Place]) -> Sequence[Place]:
    """Return the line without its last layer, whose δ is the loss's own, where two others are left to compare."""
    return line[:-1] if len(line) >= 3 else line


def error_of(place: Place) -> float | None:
    """Return ‖δ‖ of a sample: unlike its root mean square it does not depend on how many units there are."""
    delta = place.layer.delta_rms
    return None if delta is None else delta * sqrt(place.layer.units)


def expected_error(place: Place) -> float | None:
    """Return the predicted ‖δ‖."""
    expected = place.layer.prediction
    return None if expected is None or expected.delta_rms is None else expected.delta_rms * sqrt(place.layer.units)


def slope(values: Sequence[float]) -> tuple[float, float]:
    """Return the decades by which positive numbers grow from one to the next (least squares), and its t statistic."""
    n = len(values)
    y = [log10(value) for value in values]
    centre, mean = (n - 1) / 2, sum(y) / n
    spread = sum((x - centre) ** 2 for x in range(n))
    growth = sum((x - centre) * (value - mean) for x, value in enumerate(y)) / spread
    rest = sum((value - mean - growth * (x - centre)) ** 2 for x, value in enumerate(y))
    if rest <= 1e-18 * max(1.0, spread * growth**2):
        return growth, inf if growth else 0.0
    return growth, abs(growth) / sqrt(rest / (n - 2) / spread)


def has_trend(values: Sequence[float]) -> bool:
    """Return whether positive numbers grow or fall along the line; fewer than four tell nothing against it."""
    return len(values) < 4 or slope(values)[1] > SIGNIFICANT
