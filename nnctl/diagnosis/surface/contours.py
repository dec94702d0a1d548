"""Lines of equal height over a grid, by marching squares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor, isfinite, log10
from typing import TypeAlias

from nnctl.svg import ticks

Point: TypeAlias = tuple[float, float]
Rows: TypeAlias = Sequence[Sequence[float]]

_MANY = 20
_FALL = 2.0


def contour(rows: Rows, level: float) -> list[tuple[Point, Point]]:
    """Return the pieces of the line where the height is `level`, one cell of the grid at a time.

    Points are (column, row), with fractions: heights change linearly along the edges of a cell. Cells with a corner
    that is not finite have no line. Where both diagonals of a cell disagree, the mean of its corners decides.
    """
    pieces = []
    for i in range(len(rows) - 1):
        for j in range(len(rows[i]) - 1):
            corners = ((j, i), (j + 1, i), (j + 1, i + 1), (j, i + 1))
            heights = [rows[row][column] for column, row in corners]
            if all(isfinite(height) for height in heights):
                pieces += list(_cell(corners, heights, level))
    return pieces


def _cell(corners: Sequence[tuple[int, int]], heights: Sequence[float], level: float) -> Iterator[tuple[Point, Point]]:
    above = [height >= level for height in heights]
    crossings = []
    for k in range(4):
        if above[k] != above[(k + 1) % 4]:
            share = (level - heights[k]) / (heights[(k + 1) % 4] - heights[k])
            (x1, y1), (x2, y2) = corners[k], corners[(k + 1) % 4]
            crossings.append((x1 + share * (x2 - x1), y1 + share * (y2 - y1)))
    if len(crossings) == 2:
        yield crossings[0], crossings[1]
    elif len(crossings) == 4:
        # crossing k lies on the edge from corner k to k + 1: the pairs cut off those corners that the middle is unlike
        first = 0 if (sum(heights) / 4 >= level) == above[0] else 3
        yield crossings[first], crossings[(first + 1) % 4]
        yield crossings[(first + 2) % 4], crossings[(first + 3) % 4]


def is_steep(rows: Rows) -> bool:
    """Return whether heights are all above 0 and differ by a factor of two, so that their logarithms are drawn."""
    finite = [height for row in rows for height in row if isfinite(height)]
    return bool(finite) and min(finite) > 0 and max(finite) / min(finite) >= _FALL


def levels(rows: Rows) -> list[float]:
    """Return heights for contours: tenths of a decade, or coarser where that is many; even steps where heights differ
    by less than a factor of two, or are not all above 0."""
    finite = [height for row in rows for height in row if isfinite(height)]
    if not finite or min(finite) == max(finite):
        return []
    low, high = min(finite), max(finite)
    if is_steep(rows):
        for parts in (10, 5, 2, 1):
            first, last = ceil(log10(low) * parts), floor(log10(high) * parts)
            if last - first < _MANY:
                break
        return [10 ** (number / parts) for number in range(first, last + 1)]
    return [height for height in ticks(low, high, 16) if low < height < high]
