"""Small multiples as SVG: one measure over depth, on decades that are the same for every network and every page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import ceil, inf, isnan, log10

WIDTH, _PANEL_HEIGHT = 560, 108
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 24, 10
_INK, _SOFT, _GRID, _LINE, _BAND = "#1f2937", "#6b7280", "#e5e7eb", "#2563eb", "#fde68a"
_COLOURS = {"warn": "#d97706", "fail": "#dc2626"}
_FLOOR = -46.0
"""The least decade: float32 holds nothing smaller."""
_AT_EDGE = 0.02
"""Of the height, that a value may lie outside before it is marked: a cosine about 0 is often a little below."""


@dataclass(frozen=True, slots=True)
class Point:
    """One layer's value, and where it is expected."""

    x: float
    value: float
    label: str
    """What is said of it."""
    band: tuple[float, float] | None = None


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
        """Return a value's height, from 0 at the bottom to 1 at the top; what lies outside is at the edge."""
        return min(max(self._height(value), 0.0), 1.0)

    def outside(self, value: float) -> int:
        """Return 1 for a value above the range, -1 for one below, else 0."""
        height = self._height(value)
        return (height > 1 + _AT_EDGE) - (height < -_AT_EDGE)

    def _height(self, value: float) -> float:
        y = _decade(value) if self.log else value
        return (y - self.low) / (self.high - self.low)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Return heights and names of the grid's lines."""
        if not self.log:
            return [(0.0, "0"), (0.5, "0.5"), (1.0, "1")]
        step = max(1, ceil((self.high - self.low) / 5))
        decades = range(ceil(self.low / step) * step, int(self.high) + 1, step)
        return [((decade - self.low) / (self.high - self.low), f"1e{decade}") for decade in decades]


def decades(low: int, high: int) -> Scale:
    """Return the range from 10^low to 10^high."""
    return Scale(low, high, True)


SHARES = Scale(0.0, 1.0, False)


def panel(title: str, points: Sequence[Point], marks: Sequence[Mark], scale: Scale, last: float) -> str:
    """Return one picture: dots and line as measured, the band as expected; `last` is the greatest x.

    What lies outside the range is a triangle at its edge; the furthest of several in a row tells how far.
    """

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
    for known, group in groupby(points, lambda point: point.band is not None):
        if known:
            bands = [(across(p.x), p.band) for p in group if p.band is not None]
            above = [(x, up(high)) for x, (_, high) in bands]
            below = [(x, up(low)) for x, (low, _) in bands]
            parts.append(f'<polygon points="{_joined([*above, *reversed(below)])}" fill="{_BAND}" stroke="{_BAND}"/>')
    for mark in marks:
        x = across(mark.x)
        colour = _COLOURS[mark.severity]
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{_PANEL_HEIGHT - _BOTTOM}" stroke="{colour}" '
            f'stroke-width="2"><title>{escape(mark.label)}</title></line>'
        )
    present = [p for p in points if not isnan(p.value)]
    line = _joined([(across(p.x), up(p.value)) for p in present])
    parts.append(f'<polyline points="{line}" fill="none" stroke="{_LINE}" opacity="0.5"/>')
    for way, group in groupby(present, lambda point: scale.outside(point.value)):
        stretch = list(group)
        for p in stretch:
            x, y = across(p.x), up(p.value)
            shape = (
                f'<path d="M{x - 3.5:.1f} {y:.1f}h7l-3.5 {-5 * way}z"'
                if way
                else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2"'
            )
            parts.append(f'{shape} fill="{_LINE}"><title>{escape(p.label)}</title></{"path" if way else "circle"}>')
        if way:
            furthest = max(stretch, key=lambda p: way * p.value)
            x, y = across(furthest.x), up(furthest.value) + (13 if way > 0 else -5)
            anchor = "end" if x > WIDTH / 2 else "start"
            parts.append(
                f'<text x="{x:.1f}" y="{y:.1f}" font-size="10" fill="{_LINE}" text-anchor="{anchor}">'
                f"to {furthest.value:.1g}</text>"
            )
    parts.append("</svg>")
    return "".join(parts)


def _joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _decade(size: float) -> float:
    if size == inf:
        return inf
    return max(log10(size), _FLOOR) if size > 0 else _FLOOR
