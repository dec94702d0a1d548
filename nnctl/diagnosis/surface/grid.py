"""Losses over a grid of coordinates, each written down as it is measured, so that what was stopped can go on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import product
from math import ceil, isfinite, nan
from pathlib import Path
from typing import TypeAlias

from nnctl.data.progress import Progress
from nnctl.posix import replace_durably

Place: TypeAlias = tuple[int, ...]
"""Where a point stands on each axis; the last axis is x."""


class Record:
    """The measured points of one grid in a file of JSON lines; what the grid is makes the first of them."""

    def __init__(self, path: Path, description: dict[str, object]) -> None:
        """Open the file. A record of another grid, or a damaged one, is begun anew."""
        self.path = path
        heading = json.dumps(description)
        self.known = _read(path, heading)
        lines = [heading, *(_line(place, loss) for place, loss in self.known.items())]
        replace_durably(path, "".join(line + "\n" for line in lines).encode())

    def add(self, place: Place, loss: float) -> None:
        """Write one more point at once."""
        self.known[place] = loss
        with self.path.open("a", encoding="utf-8") as file:
            file.write(_line(place, loss) + "\n")


def measure_grid(
    loss_at: Callable[..., float], axes: Sequence[Sequence[float]], record: Record | None, progress: Progress
) -> dict[Place, float]:
    """Return the loss at every point of the grid that the axes (x, or x and y) span; those in the record are taken
    from it."""
    places = list(product(*(range(len(axis)) for axis in reversed(axes))))
    found = dict(record.known) if record else {}
    for place in places:
        if place in found:
            continue
        found[place] = loss_at(*(axis[index] for axis, index in zip(axes, reversed(place), strict=True)))
        if record:
            record.add(place, found[place])
        progress("loss surface", len(found), len(places))
    return found


def around_zero(span: float, points: int) -> tuple[float, ...]:
    """Return at least as many evenly spaced coordinates from −`span` to `span`, 0 among them."""
    half = points // 2
    return tuple(span * number / half for number in range(-half, half + 1))


def along_line(span: float, points: int) -> tuple[float, ...]:
    """Return at least as many evenly spaced coordinates, `span` or a little more to either side of ½, 0 and 1 among
    them: what a line's ends themselves lose has to be there, or no barrier could be read off."""
    between = ceil((points - 1) / (2 * span))
    beyond = ceil((span - 0.5) * between)
    return tuple(number / between for number in range(-beyond, between + beyond + 1))


def _line(place: Place, loss: float) -> str:
    return json.dumps({"at": place, "loss": loss if isfinite(loss) else None})


def _read(path: Path, heading: str) -> dict[Place, float]:
    """Return the points of a record with this heading; its last line may have been cut off."""
    if not path.is_file():
        return {}
    first, *lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    found: dict[Place, float] = {}
    for line in lines if first == heading else ():
        try:
            entry = json.loads(line)
            found[tuple(entry["at"])] = nan if entry["loss"] is None else float(entry["loss"])
        except (ValueError, TypeError, KeyError):
            continue
    return found
