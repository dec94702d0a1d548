"""Colours by height: dark is low, light is high."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

CHANCE, MARK = "#ea580c", "#dc2626"
NOTHING = "#d1d5db"
"""Where the loss is not finite."""

_STOPS = ((29, 58, 110), (42, 111, 151), (82, 160, 171), (154, 204, 180), (217, 236, 200), (252, 248, 228))


def band_colour(value: float, levels: Sequence[float]) -> str:
    """Return the colour of the band between two levels that a height lies in."""
    return shade(bisect_right(levels, value) / max(len(levels), 1))


def shade(share: float) -> str:
    """Return the colour at a share of the scale, from 0 to 1."""
    place = min(max(share, 0.0), 1.0) * (len(_STOPS) - 1)
    low = min(int(place), len(_STOPS) - 2)
    mixed = (round(a + (place - low) * (b - a)) for a, b in zip(_STOPS[low], _STOPS[low + 1], strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)
