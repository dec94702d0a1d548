"""The sheet of a landscape: the slice, the spectrum, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from nnctl.diagnosis.surface.panels import contour_map, curve_panel, spectrum_panel
from nnctl.diagnosis.surface.picture import Picture, Shape, Words
from nnctl.diagnosis.surface.result import LandscapeResult
from nnctl.svg import INK

_HEIGHT, _TOP, _LEFT = 560, 92, 64
_SIDE = 380
_SPECTRUM = 390
_NOTES = _TOP + _SIDE + 62
_MEANING = {
    "slope": "on a slope, where a step still gains over 1%",
    "saddle": "a saddle: there is negative curvature",
    "minimum": "a minimum: all curvature is positive",
    "flat": "no negative curvature; the least is not told from 0",
}


def draw_landscape(result: LandscapeResult, centre: tuple[float, float] = (0.0, 0.0)) -> Picture:
    """Return the sheet; `centre` is where the weights themselves stand in the slice."""
    shapes: list[Shape] = [Words(_LEFT, 30, _title(result), size=16, colour=INK, anchor="start", bold=True)]
    shapes.append(Words(_LEFT, 50, _caption(result), anchor="start"))
    right = _LEFT
    if result.grid is not None and result.loss is not None:
        place = (right, _TOP, _SIDE, _SIDE)
        if result.grid.y is not None:
            rows = cast("Sequence[Sequence[float]]", result.loss)
            shapes += contour_map(result.grid, rows, centre, result.chance, place)
        else:
            marks = [
                (0.0, "weights" if result.to is None else "first"),
                *([] if result.to is None else [(1.0, "second")]),
            ]
            shapes += curve_panel(result.grid, cast("Sequence[float]", result.loss), marks, result.chance, place)
        for number, line in enumerate(_of_slice(result)):
            shapes.append(Words(_LEFT, _NOTES + 17 * number, line, anchor="start"))
        right += _SIDE + 170
    if result.spectrum is not None:
        limit = result.sharpness.limit if result.sharpness else None
        shapes += spectrum_panel(result.spectrum, limit, (right, _TOP, _SPECTRUM, _SIDE - 100))
        for number, line in enumerate(_of_curvature(result)):
            shapes.append(Words(right, _TOP + _SIDE - 40 + 17 * number, line, colour=INK, anchor="start"))
        right += _SPECTRUM + 40
    return Picture(max(right, 640), _HEIGHT, shapes)


def _title(result: LandscapeResult) -> str:
    return f"{result.name} to {result.to}" if result.to else result.name


def _caption(result: LandscapeResult) -> str:
    samples = "sample" if result.samples == 1 else "samples"
    parts = [f"loss {result.centre:.4g} on {result.samples:,} training {samples} of {result.data}"]
    parts.append(f"{result.parameters:,} weights")
    if result.batch_norm is not None:
        parts.append("batch norm " + ("frozen" if result.batch_norm == "frozen" else "recalibrated at each point"))
    return " · ".join([*parts, f"seed {result.seed}"])


def _of_slice(result: LandscapeResult) -> list[str]:
    if result.nonconvex:
        lines = ["This slice is not convex, so neither is the loss."]
    else:
        lines = ["This slice shows no lack of convexity, which proves nothing of the loss."]
    if result.barrier is not None:
        lines.append(f"{result.barrier}.")
    return lines


def _of_curvature(result: LandscapeResult) -> list[str]:
    assert result.eigenvalues is not None
    assert result.negative_share is not None
    assert result.trace is not None
    first, last = result.eigenvalues[0], result.eigenvalues[-1]
    lines = [
        f"eigenvalues from {last.value:.4g} ± {last.bound:.1g} to {first.value:.4g} ± {first.bound:.1g}",
        f"trace {result.trace:.4g}" + (f" ± {result.trace_error:.2g}" if result.trace_error is not None else ""),
        f"negative eigenvalues: share {result.negative_share:.3f}"
        + (f" ± {result.negative_share_error:.3f}" if result.negative_share_error is not None else "")
        + f", at least {result.negative_share_certain:.3f}",
        f"share of eigenvalues not told from 0: {result.undecided_share:.3f}",
        f"gradient {result.gradient_norm:.3g}: {_MEANING[result.point or 'flat']}",
    ]
    if result.sharpness is not None:
        lines.append(f"sharpness: {result.sharpness.ratio:.2g} of 2/rate = {result.sharpness.limit:.4g}")
    return lines
