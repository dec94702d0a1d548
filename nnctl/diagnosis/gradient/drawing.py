"""The picture of a gradient check: the error by step, and Taylor's remainder, on axes of decades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from nnctl.diagnosis.gradient.result import Curve, GradcheckResult, Taylor
from nnctl.svg import GRID, INK, SOFT, curve, page, rule, text

_SIDE, _TOP, _GAP, _LEFT = 300, 92, 110, 72
_WIDTH, _HEIGHT = 2 * _SIDE + _GAP + _LEFT + 40, _TOP + _SIDE + 76
_MEASURED, _EXPECTED, _KINK = "#2563eb", "#9ca3af", "#ea580c"


@dataclass(frozen=True, slots=True)
class _Axes:
    """A square panel with decades on both axes."""

    left: float
    x: tuple[int, int]
    y: tuple[int, int]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return where a point stands; what is below the panel stands on its edge."""
        across = (log10(x) - self.x[0]) / (self.x[1] - self.x[0])
        up = (max(log10(y), self.y[0]) - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + across * _SIDE, _TOP + (1 - min(up, 1)) * _SIDE

    def frame(self, title: str, below: str) -> list[str]:
        """Return the grid with its numbers and words."""
        parts = [text(self.left, _TOP - 12, title, size=13, colour=INK, anchor="start", weight="600")]
        for power in _every(self.y):
            (_, y) = self.place(10.0 ** self.x[0], 10.0**power)
            parts += [rule(self.left, y, self.left + _SIDE, y, GRID)]
            parts += [text(self.left - 8, y + 4, f"1e{power}", anchor="end")]
        for power in _every(self.x):
            (x, _) = self.place(10.0**power, 10.0 ** self.y[0])
            parts += [rule(x, _TOP + _SIDE, x, _TOP + _SIDE + 5, SOFT), text(x, _TOP + _SIDE + 19, f"1e{power}")]
        parts.append(rule(self.left, _TOP + _SIDE, self.left + _SIDE, _TOP + _SIDE, SOFT))
        return [*parts, text(self.left + _SIDE / 2, _TOP + _SIDE + 40, below, size=12)]


def draw_check(name: str, result: GradcheckResult) -> str:
    """Return the picture as SVG of a result with its curve."""
    assert result.curve is not None
    said = f"{result.verdict}: loss {result.loss:.4g} on {result.samples} samples of {result.data}"
    parts = [text(_LEFT, 30, name, size=16, colour=INK, anchor="start", weight="600")]
    parts.append(text(_LEFT, 50, f"{said}, {result.directions} directions, float64", anchor="start"))
    parts += _errors(result.curve)
    if result.taylor is not None:
        parts += _remainders(result.taylor, _LEFT + _SIDE + _GAP)
    return page(_WIDTH, _HEIGHT, parts)


def _errors(found: Curve) -> list[str]:
    axes = _Axes(_LEFT, _decades(found.steps), _decades([*found.errors, *found.floors], lowest=-16))
    parts = axes.frame("relative error of central differences", "step (grey: rounding; orange: across a kink)")
    parts.append(_line(axes, found.steps, found.floors, _EXPECTED))
    parts.append(_line(axes, found.steps, found.errors, _MEASURED))
    for step, error, crossed in zip(found.steps, found.errors, found.crossed, strict=True):
        if crossed and error > 0:
            x, y = axes.place(step, error)
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="{_KINK}"/>')
    return parts


def _remainders(found: Taylor, left: float) -> list[str]:
    axes = _Axes(left, _decades(found.steps), _decades(found.remainders, lowest=-18))
    slope = "no slope: kinks or rounding" if found.slope is None else f"slope {found.slope:.3f}"
    parts = axes.frame(f"Taylor's remainder, {slope}", "step (grey: slope 2)")
    first = next(((h, r) for h, r in zip(found.steps, found.remainders, strict=True) if r > 0), None)
    if first is not None:
        straight = [first[1] * (h / first[0]) ** 2 for h in found.steps]
        parts.append(_line(axes, found.steps, straight, _EXPECTED))
    return [*parts, _line(axes, found.steps, found.remainders, _MEASURED)]


def _line(axes: _Axes, steps: Sequence[float], values: Sequence[float], colour: str) -> str:
    return curve([axes.place(h, value) for h, value in zip(steps, values, strict=True) if value > 0], colour)


def _decades(values: Sequence[float], lowest: int = -20) -> tuple[int, int]:
    """Return whole decades around the values above 0."""
    logs = [log10(value) for value in values if value > 0] or [0.0]
    low = max(floor(min(logs) + 1e-9), lowest)
    return low, max(ceil(max(logs) - 1e-9), low + 1)


def _every(decades: tuple[int, int]) -> range:
    low, high = decades
    return range(low, high + 1, ceil((high - low) / 7))
