"""What `landscape` prints: cuts through the slice, the eigenvalues, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import measure, sparkline, thousands

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
    from nnctl.diagnosis.surface.result import Curvature, LandscapeResult

_MEANING = {
    "slope": "slope: a step along the gradient still lowers the loss by over 1%",
    "saddle": "saddle: there is negative curvature",
    "minimum": "minimum: all curvature is positive",
    "flat": "flat: no curvature is negative, the least is not told from 0",
}


def print_landscape(result: LandscapeResult, to: Terminal) -> None:
    """Print the page."""
    samples = "sample" if result.samples == 1 else "samples"
    where = f"{result.name} → {result.to}" if result.to else result.name
    to.print(
        f"{to.paint(where, 'bold')} · {thousands(result.parameters)} weights · "
        f"{thousands(result.samples)} training {samples} of {result.data} · loss {measure(result.centre)}"
    )
    to.print()
    if result.grid is not None:
        _print_slice(result, to)
    if result.eigenvalues is not None:
        _print_curvature(result, result.name if result.other else "", to)
    if result.other is not None and result.to is not None:
        _print_curvature(result.other, result.to, to)
    for file in result.files or ():
        to.print(to.paint(f"wrote {file}", "dim"))


def _print_slice(result: LandscapeResult, to: Terminal) -> None:
    assert result.grid is not None
    assert result.loss is not None
    rows = [row if isinstance(row, tuple) else (row,) for row in result.loss]
    losses = [loss for row in rows for loss in row]
    finite = [loss for loss in losses if isfinite(loss)]
    heading = ("along", "from", "to", "")
    if result.grid.y is None:
        cuts = [(result.grid.x_name, result.grid.x, [row[0] for row in rows])]
    else:
        middle = [row[len(row) // 2] for row in rows]
        cuts = [(result.grid.x_name, result.grid.x, list(rows[len(rows) // 2]))]
        cuts.append((result.grid.y_name or "", result.grid.y, middle))
    drawn = [(name, f"{axis[0]:.3g}", f"{axis[-1]:.3g}", sparkline(course, 51)) for name, axis, course in cuts]
    head, *lines = aligned([heading, *drawn], right=(1, 2))
    to.print(to.paint(head, "dim"))
    for line in lines:
        to.print(line)
    if finite:
        chance = f", chance {measure(result.chance)}" if result.chance is not None else ""
        lost = f", {len(losses) - len(finite)} points not finite" if len(finite) < len(losses) else ""
        to.print(f"loss from {measure(min(finite))} to {measure(max(finite))}{chance}{lost}")
    if result.nonconvex:
        to.print("the slice is not convex, so neither is the loss")
    else:
        to.print("the slice shows no lack of convexity, which proves nothing of the loss")
    if result.barrier is not None:
        to.print(str(result.barrier))
    if result.batch_norm is not None:
        what = "frozen: those of the weights" if result.batch_norm == "frozen" else "measured afresh at each point"
        to.print(to.paint(f"batch norm's statistics {what}", "dim"))
    to.print()


def _print_curvature(found: Curvature | LandscapeResult, name: str, to: Terminal) -> None:
    if name:
        to.print(to.paint(name, "bold"))
    rows = [("eigenvalue", "±"), *((measure(one.value), f"{one.bound:.1e}") for one in found.eigenvalues or ())]
    heading, *lines = aligned(rows, right=(0, 1))
    to.print(to.paint(heading, "dim"))
    for line in lines:
        to.print(line)
    for line in _facts(found):
        to.print(line)
    to.print()


def _facts(found: Curvature | LandscapeResult) -> Sequence[str]:
    assert found.negative_share is not None
    assert found.trace is not None
    assert found.gradient_norm is not None
    share, error = f"{100 * found.negative_share:.1f}%", found.negative_share_error
    lines = [
        f"negative: {share}" + (f" ± {100 * error:.1f}" if error is not None else "") + " of all eigenvalues, "
        f"at least {100 * (found.negative_share_certain or 0.0):.1f}%; "
        f"{100 * (found.undecided_share or 0.0):.1f}% are not told from 0",
        f"trace {measure(found.trace)}" + (f" ± {found.trace_error:.2g}" if found.trace_error is not None else ""),
        f"gradient norm {measure(found.gradient_norm)}",
        _MEANING[found.point or "flat"],
    ]
    if found.sharpness is not None:
        sharp = found.sharpness
        lines.append(f"sharpness: λ max is {sharp.ratio:.2g} of 2/rate = {measure(sharp.limit)} (rate {sharp.rate:g})")
    return lines
