"""The picture of a learning-rate range test: the loss against the rate, on a logarithmic axis."""

from __future__ import annotations

from math import ceil, floor, log10

from nnctl.svg import GRID, INK, SOFT, curve, page, rule, text, ticks
from nnctl.training.rate_range import RateRange

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 400, 64, 612, 64, 340
_RAW, _SMOOTH, _MARK = "#93c5fd", "#2563eb", "#ea580c"


def draw_range(title: str, found: RateRange) -> str:
    """Return the picture as SVG: each step's loss, the smoothed loss, and the proposed rate as an upright line."""
    low, high = floor(log10(found.rates[0])), ceil(log10(found.rates[-1]))
    ceiling = max(found.smoothed[: found.smoothed.index(min(found.smoothed)) + 1]) * 1.25
    floor_ = min(*found.losses, min(found.smoothed))
    bottom = 0.0 if 0 <= floor_ < 0.5 * ceiling else floor_

    def across(rate: float) -> float:
        return _LEFT + (log10(rate) - low) / (high - low) * (_RIGHT - _LEFT)

    def up(loss: float) -> float:
        return _BOTTOM - (min(loss, ceiling) - bottom) / (ceiling - bottom) * (_BOTTOM - _TOP)

    parts = [text(_LEFT, 28, title, size=16, colour=INK, anchor="start", weight="600")]
    for y in ticks(bottom, ceiling):
        parts += [rule(_LEFT, up(y), _RIGHT, up(y), GRID), text(_LEFT - 8, up(y) + 4, f"{y:.4g}", anchor="end")]
    for power in range(low, high + 1):
        x = across(10.0**power)
        parts += [rule(x, _BOTTOM, x, _BOTTOM + 5, SOFT), text(x, _BOTTOM + 19, f"1e{power}")]
    parts += [
        rule(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, SOFT),
        text((_LEFT + _RIGHT) / 2, _BOTTOM + 40, "learning rate", size=12),
        text(_LEFT, _TOP - 12, "loss", size=13, colour=INK, anchor="start", weight="600"),
        curve([(across(x), up(y)) for x, y in zip(found.rates, found.losses, strict=True)], _RAW),
        curve([(across(x), up(y)) for x, y in zip(found.rates, found.smoothed, strict=True)], _SMOOTH),
        rule(across(found.proposed), _TOP, across(found.proposed), _BOTTOM, _MARK, 1.5),
        text(across(found.proposed), _TOP - 4, f"proposed {found.proposed:g}", colour=_MARK),
    ]
    return page(_WIDTH, _HEIGHT, parts)
