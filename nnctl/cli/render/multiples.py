"""Small multiples as SVG: one measure over depth, for several networks, on the same decades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import ceil, floor, isfinite, log10

WIDTH, _PANEL_HEIGHT = 560, 128
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 26, 10
_INK, _SOFT, _GRID, _LINE, _BAND = "#1f2937", "#6b7280", "#e5e7eb", "#2563eb", "#fde68a"
_COLOURS = {"warn": "#d97706", "fail": "#dc2626"}
_FLOOR = -46.0
"""The least decade that is drawn: float32 holds nothing smaller."""


@dataclass(frozen=True, slots=True)
class Point:
    """One layer's value, with what theory expects of it and how far that may stray, in decades."""

    x: float
    value: float
    label: str
    expected: float | None = None
    spread: float = 0.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict at a layer."""

    x: float
    severity: str
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """The range of a measure: decades where `log`, else shares from 0 to 1."""

    low: float
    high: float
    log: bool

    def up(self, value: float) -> float:
        """Return a value's height, from 0 at the bottom to 1 at the top."""
        y = _decade(value) if self.log else value
        return min(max((y - self.low) / (self.high - self.low), 0.0), 1.0)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Return heights and names of the grid's lines: five at most."""
        if not self.log:
            return [(0.0, "0"), (0.5, "0.5"), (1.0, "1")]
        step = max(1, ceil((self.high - self.low) / 5))
        decades = range(int(self.low), int(self.high) + 1, step)
        return [((decade - self.low) / (self.high - self.low), f"1e{decade}") for decade in decades]


def decades(panels: Sequence[Sequence[Point]]) -> Scale:
    """Return whole decades that hold all points of all networks, at least from 0.01 to 100."""
    sizes = [point.value for points in panels for point in points]
    sizes += [point.expected for points in panels for point in points if point.expected]
    found = [_decade(size) for size in sizes if isfinite(size) and size > 0]
    return Scale(min(floor(min(found, default=0.0)), -2), max(ceil(max(found, default=0.0)), 2), True)


SHARES = Scale(0.0, 1.0, False)


def panel(title: str, points: Sequence[Point], marks: Sequence[Mark], scale: Scale, last: float) -> str:
    """Return one picture: dots and line as measured, the band as predicted; `last` is the greatest x."""

    def across(x: float) -> float:
        return _LEFT + (x / last if last else 0.5) * (WIDTH - _LEFT - _RIGHT)

    def up(value: float) -> float:
        return _TOP + (1 - scale.up(value)) * (_PANEL_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {_PANEL_HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">',
        f'<text x="{_LEFT}" y="15" font-size="12" font-weight="600" fill="{_INK}">{escape(title)}</text>',
    ]
    for height, name in scale.ticks:
        y = _TOP + (1 - height) * (_PANEL_HEIGHT - _TOP - _BOTTOM)
        parts.append(f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}" stroke="{_GRID}"/>')
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y + 3.5:.1f}" font-size="10" fill="{_SOFT}" text-anchor="end">{name}</text>'
        )
    for known, group in groupby(points, lambda point: point.expected is not None):
        stretch = list(group)
        if known:
            above = [(across(p.x), up(_strayed(p, 2))) for p in stretch]
            below = [(across(p.x), up(_strayed(p, -2))) for p in stretch]
            parts.append(f'<polygon points="{_joined([*above, *reversed(below)])}" fill="{_BAND}" stroke="{_BAND}"/>')
    for mark in marks:
        x = across(mark.x)
        colour = _COLOURS[mark.severity]
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_PANEL_HEIGHT - _BOTTOM}" stroke="{colour}" '
            f'stroke-width="2"><title>{escape(mark.label)}</title></line>'
        )
    drawn = [(p, (across(p.x), up(p.value))) for p in points if isfinite(p.value)]
    parts.append(f'<polyline points="{_joined([at for _, at in drawn])}" fill="none" stroke="{_LINE}" opacity="0.5"/>')
    for point, (x, y) in drawn:
        expected = "" if point.expected is None else f", predicted {point.expected:.3g}"
        parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{_LINE}">'
            f"<title>{escape(point.label)}: {point.value:.3g}{expected}</title></circle>"
        )
    parts.append("</svg>")
    return "".join(parts)


def _strayed(point: Point, deviations: float) -> float:
    return (point.expected or 0.0) * float(10.0 ** (deviations * point.spread))


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _decade(size: float) -> float:
    return max(log10(size), _FLOOR) if size > 0 else _FLOOR
