"""curves.svg: losses and the monitored measure by epoch, drawn without any plotting package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from nnctl.svg import GRID, INK, SOFT, curve, page, rule, text, ticks

_WIDTH, _HEIGHT = 860, 360
_PANEL, _TOP, _BOTTOM, _LEFT, _GAP = 340, 64, 308, 64, 88
_COLOURS = ("#2563eb", "#ea580c", "#059669", "#9333ea")


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: a name and a point for each epoch where it was measured."""

    name: str
    points: tuple[tuple[float, float], ...]


def draw_curves(title: str, epochs: Sequence[dict[str, Any]], monitor: str) -> str:
    """Return the picture: losses to the left; to the right the monitored measure, or where that is a loss the
    accuracy or rmse."""
    measure = monitor.split("_", 1)[1]
    if measure == "loss":
        names = epochs[-1] if epochs else {}
        measure = next((name for name in ("accuracy", "rmse") if f"train_{name}" in names), "loss")
    panels = [_panel("loss", _lines(epochs, "loss"), _LEFT)]
    if measure != "loss":
        panels.append(_panel(measure.replace("_", " "), _lines(epochs, measure), _LEFT + _PANEL + _GAP))
    width = _WIDTH if len(panels) == 2 else _LEFT + _PANEL + 28
    title = text(_LEFT, 28, title, size=16, colour=INK, anchor="start", weight="600")
    return page(width, _HEIGHT, [title, *panels])


def _lines(epochs: Sequence[dict[str, Any]], measure: str) -> list[Line]:
    lines = []
    for part, label in (("train", "training"), ("val", "validation")):
        key = f"{part}_{measure}"
        points = [(float(e["epoch"]), float(e[key])) for e in epochs if isinstance(e.get(key), int | float)]
        if points:
            lines.append(Line(label, tuple(points)))
    return lines


def _panel(name: str, lines: list[Line], left: float) -> str:
    xs = [x for line in lines for x, _ in line.points] or [0.0, 1.0]
    ys = [y for line in lines for _, y in line.points if isfinite(y)] or [0.0, 1.0]
    x_low, x_high = (min(xs), max(xs)) if min(xs) < max(xs) else (min(xs) - 0.5, max(xs) + 0.5)
    margin = 0.06 * (max(ys) - min(ys)) or 0.05 * abs(max(ys)) or 0.5
    y_low, y_high = min(ys) - margin, max(ys) + margin
    y_low = 0.0 if min(ys) >= 0 > y_low else y_low

    def across(x: float) -> float:
        return left + (x - x_low) / (x_high - x_low) * _PANEL

    def up(y: float) -> float:
        return _BOTTOM - (y - y_low) / (y_high - y_low) * (_BOTTOM - _TOP)

    parts = []
    for y in ticks(y_low, y_high):
        parts.append(rule(left, up(y), left + _PANEL, up(y), GRID))
        parts.append(text(left - 8, up(y) + 4, f"{y:.4g}", anchor="end"))
    for x in ticks(x_low, x_high, 6):
        if x == round(x):
            parts.append(rule(across(x), _BOTTOM, across(x), _BOTTOM + 5, SOFT))
            parts.append(text(across(x), _BOTTOM + 19, f"{x:.0f}"))
    parts.append(rule(left, _BOTTOM, left + _PANEL, _BOTTOM, SOFT))
    parts.append(text(left + _PANEL / 2, _BOTTOM + 40, "epoch", size=12))
    parts.append(text(left, _TOP - 12, name, size=13, colour=INK, anchor="start", weight="600"))
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        legend = left + _PANEL - 78 * (len(lines) - number)
        parts.append(rule(legend, _TOP - 16, legend + 16, _TOP - 16, colour, 2.5))
        parts.append(text(legend + 21, _TOP - 12, line.name, anchor="start"))
        parts.append(curve([(across(x), up(y)) for x, y in line.points if isfinite(y)], colour))
    return "\n".join(parts)
