"""The panels of a sheet: a contour map, a curve, a spectrum."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, inf, isfinite, log10, nan

from nnctl.diagnosis.surface.colours import CHANCE, MARK, NOTHING, band_colour
from nnctl.diagnosis.surface.contours import Rows, contour, is_steep, levels
from nnctl.diagnosis.surface.picture import Boxes, Lines, Shape, Words
from nnctl.diagnosis.surface.result import Grid, Spectrum
from nnctl.svg import GRID, INK, SOFT, ticks

_FINE = 152
"""Patches of colour across a map."""
_LINE = "#2563eb"
_FLOOR = 1e-7
"""The least density that is drawn, in units of the largest."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A panel's rectangle and the coordinates at its edges."""

    left: float
    top: float
    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where coordinates lie in the picture."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + across * self.width, self.top + (1 - up) * self.height

    def axes(self, x_name: str, y_name: str, label: Callable[[float], str] | None = None) -> list[Shape]:
        """Return edges, ticks and names; the second name stands above."""
        bottom, right = self.top + self.height, self.left + self.width
        shapes: list[Shape] = [Lines([[(self.left, self.top), (self.left, bottom), (right, bottom)]], SOFT)]
        for value in ticks(*self.x):
            x, _ = self.at(value, self.y[0])
            shapes += [Lines([[(x, bottom), (x, bottom + 5)]], SOFT), Words(x, bottom + 19, f"{value:.4g}")]
        for value in ticks(*self.y):
            _, y = self.at(self.x[0], value)
            if label is None or value == round(value):
                said = label(value) if label else f"{value:.4g}"
                shapes += [Lines([[(self.left - 5, y), (self.left, y)]], SOFT)]
                shapes += [Words(self.left - 9, y + 4, said, anchor="end")]
        shapes.append(Words(self.left + self.width / 2, bottom + 38, x_name, size=12))
        shapes.append(Words(self.left, self.top - 12, y_name, size=12, colour=INK, anchor="start"))
        return shapes


def contour_map(
    grid: Grid, rows: Rows, centre: tuple[float, float], chance: float | None, place: tuple[float, float, float, float]
) -> list[Shape]:
    """Return a map of the loss with its scale: bands of colour, lines between them, and chance level in orange."""
    assert grid.y is not None
    frame = Frame(*place, (grid.x[0], grid.x[-1]), (grid.y[0], grid.y[-1]))
    heights = levels(rows)
    put = log10 if is_steep(rows) else float  # between points what is drawn changes linearly
    drawn, lines = [[put(loss) if isfinite(loss) else nan for loss in row] for row in rows], [*map(put, heights)]
    shapes = _bands(frame, drawn, lines)
    for height in lines:
        shapes.append(Lines(_placed(frame, grid, contour(drawn, height)), INK, 0.6))
    if chance is not None:
        shapes.append(Lines(_placed(frame, grid, contour(drawn, put(chance))), CHANCE, 2.2))
    if frame.x[0] <= centre[0] <= frame.x[1] and frame.y[0] <= centre[1] <= frame.y[1]:
        x, y = frame.at(*centre)
        shapes.append(Lines([[(x - 6, y), (x + 6, y)], [(x, y - 6), (x, y + 6)]], MARK, 2))
    shapes += frame.axes(grid.x_name, grid.y_name or "")
    finite = [loss for row in rows for loss in row if isfinite(loss)]
    reached = chance is not None and bool(finite) and min(finite) <= chance <= max(finite)
    return shapes + _scale(frame, heights, chance, reached)


def curve_panel(
    grid: Grid, losses: Sequence[float], marks: Sequence[tuple[float, str]], chance: float | None, place: Place
) -> list[Shape]:
    """Return the loss along a line, on a logarithmic axis where it covers over two decades."""
    finite = [loss for loss in losses if isfinite(loss)] or [0.0, 1.0]
    levels_drawn = [*finite, chance] if chance is not None else finite
    decades = min(finite) > 0 and max(finite) / min(finite) > 100
    put = log10 if decades else float
    low, high = put(min(levels_drawn)), put(max(levels_drawn))
    margin = 0.05 * (high - low) or 0.5
    frame = Frame(*place, (grid.x[0], grid.x[-1]), (low - margin, high + margin))
    shapes = frame.axes(grid.x_name, "loss", (lambda value: f"1e{value:.0f}") if decades else None)
    for x, name in marks:
        (x1, bottom), (_, top) = frame.at(x, frame.y[0]), frame.at(x, frame.y[1])
        shapes += [Lines([[(x1, bottom), (x1, top)]], GRID, 1.5), Words(x1, top - 2, name, colour=MARK)]
    if chance is not None:
        ends = [frame.at(x, put(chance)) for x in frame.x]
        shapes += [Lines([ends], CHANCE, 1.5), Words(ends[1][0], ends[1][1] - 5, "chance", colour=CHANCE, anchor="end")]
    points = [
        [frame.at(x, put(loss)) for x, loss in piece]
        for piece in _pieces([(x, loss) for x, loss in zip(grid.x, losses, strict=True)])
    ]
    return [*shapes, Lines(points, _LINE, 2)]


def spectrum_panel(spectrum: Spectrum, limit: float | None, place: Place) -> list[Shape]:
    """Return the density of eigenvalues on a logarithmic axis, with 0 and the limit of plain gradient descent."""
    top = max(spectrum.density)
    logs = [log10(max(density / top, _FLOOR)) for density in spectrum.density]
    frame = Frame(*place, (spectrum.at[0], spectrum.at[-1]), (log10(_FLOOR), 0.2))
    shapes = frame.axes("eigenvalue of the Hessian", "density / largest", lambda value: f"1e{value:.0f}")
    for x, colour, name in ((0.0, SOFT, ""), (limit, CHANCE, "2/rate")):
        if x is not None and frame.x[0] <= x <= frame.x[1]:
            (place_x, bottom), (_, upper) = frame.at(x, frame.y[0]), frame.at(x, frame.y[1])
            shapes += [Lines([[(place_x, bottom), (place_x, upper)]], colour, 1.2)]
            shapes += [Words(place_x + 4, upper + 10, name, colour=colour, anchor="start")]
    return [*shapes, Lines([[frame.at(x, y) for x, y in zip(spectrum.at, logs, strict=True)]], _LINE, 1.8)]


Place = tuple[float, float, float, float]
"""Left, top, width and height of a panel."""


def _bands(frame: Frame, rows: Rows, heights: Sequence[float]) -> list[Shape]:
    """Return patches coloured by the band that their middle lies in, equal neighbours in one."""
    patches: dict[str, list[tuple[float, float, float, float]]] = {}
    wide, tall = frame.width / _FINE, frame.height / _FINE
    for i in range(_FINE):
        colours = []
        for j in range(_FINE):
            height = _between(rows, (j + 0.5) / _FINE, 1 - (i + 0.5) / _FINE)
            colours.append(band_colour(height, heights) if isfinite(height) else NOTHING)
        start = 0
        for j in range(1, _FINE + 1):
            if j == _FINE or colours[j] != colours[start]:
                patch = (frame.left + start * wide, frame.top + i * tall, (j - start) * wide, tall)
                patches.setdefault(colours[start], []).append(patch)
                start = j
    return [Boxes(boxes, colour) for colour, boxes in patches.items()]


def _between(rows: Rows, across: float, up: float) -> float:
    """Return the height at a share of both axes, linear between the four nearest points."""
    x, y = across * (len(rows[0]) - 1), up * (len(rows) - 1)
    j, i = min(int(x), len(rows[0]) - 2), min(int(y), len(rows) - 2)
    corners = rows[i][j], rows[i][j + 1], rows[i + 1][j], rows[i + 1][j + 1]
    if not all(isfinite(corner) for corner in corners):
        return nan
    u, v = x - j, y - i
    return (1 - v) * ((1 - u) * corners[0] + u * corners[1]) + v * ((1 - u) * corners[2] + u * corners[3])


def _placed(
    frame: Frame, grid: Grid, pieces: Sequence[tuple[tuple[float, float], ...]]
) -> list[list[tuple[float, float]]]:
    assert grid.y is not None
    x_step, y_step = grid.x[1] - grid.x[0], grid.y[1] - grid.y[0]
    return [[frame.at(grid.x[0] + x * x_step, grid.y[0] + y * y_step) for x, y in piece] for piece in pieces]


def _scale(frame: Frame, heights: Sequence[float], chance: float | None, reached: bool) -> list[Shape]:
    """Return the bands' colours beside the map, the lowest at the bottom, with the levels between them."""
    left, bands = frame.left + frame.width + 18, len(heights) + 1
    tall = frame.height / bands
    bottom = frame.top + frame.height
    shapes: list[Shape] = []
    every = ceil(bands / 16)
    for number in range(bands):
        colour = band_colour(-inf if number == 0 else heights[number - 1], heights)
        shapes.append(Boxes([(left, bottom - (number + 1) * tall, 14, tall)], colour))
        if number > 0 and (number - 1) % every == 0:
            height = heights[number - 1]
            shapes.append(Words(left + 19, bottom - number * tall + 4, f"{height:.3g}", anchor="start"))
    if chance is not None:
        said = f"chance {chance:.3g}" + ("" if reached else " (not reached)")
        y = bottom - bisect_right(heights, chance) * tall if reached else frame.top - 8
        if reached:
            shapes.append(Lines([[(left - 3, y - tall / 2), (left + 17, y - tall / 2)]], CHANCE, 2.2))
        shapes.append(Words(left, frame.top - 12, said, colour=CHANCE, anchor="start"))
    return shapes


def _pieces(points: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Return runs of points whose second number is finite."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in points:
        if isfinite(y):
            pieces[-1].append((x, y))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if len(piece) > 1]
