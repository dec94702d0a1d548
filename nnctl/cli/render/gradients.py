"""What `gradcheck` prints: one row for each tensor, what is wrong in full, and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import measure
from nnctl.diagnosis.gradient.result import ALIKE

if TYPE_CHECKING:
    from nnctl.cli.terminal import Colour, Terminal
    from nnctl.diagnosis.gradient.result import GradcheckResult, TensorCheck, Verdict

_ROWS = 40
"""Tensors that the table shows, at most."""
_SLOPE = 0.1
"""How far from 2 the slope of a right gradient may be measured."""
_NOTABLE = 1e-2
"""Relative error of a float32 gradient that is worth a colour."""
_COLOURS: dict[Verdict, Colour] = {"pass": "green", "fail": "red", "inconclusive": "yellow"}


def print_gradients(result: GradcheckResult, to: Terminal) -> None:
    """Print the table, the failures and the verdict."""
    headings = ("tensor", "line", "verdict", "error", "resolved to", "gradient", "step")
    several = len(result.terms) > 1
    shown = _shown(result.tensors)
    heading, *lines = aligned([headings, *(_row(tensor) for tensor in shown)], right=range(3, len(headings)))
    to.print(to.paint(heading, "dim"))
    for tensor, line in zip(shown, lines, strict=True):
        to.print(line if tensor.verdict == "pass" else to.paint(line, _COLOURS[tensor.verdict]))
    if len(shown) < len(result.tensors):
        to.print(to.paint(f"… and {len(result.tensors) - len(shown)} more that are no worse; all with --json", "dim"))
    for name in result.not_differentiable:
        to.print(f"{name} has no gradient: it holds codes, or is a constant of the loss")
    if result.frozen:
        more = f" and {len(result.frozen) - 1} more" if len(result.frozen) > 1 else ""
        to.print(f"frozen, and not checked: {result.frozen[0]}{more}")
    for tensor in shown:
        _print_open(tensor, several, to)
    if result.layers:
        to.print()
    for layer in result.layers:
        to.print(to.paint(str(layer), "red"))
    if result.alike:
        to.print(to.paint(ALIKE, "red"))
    to.print()
    _print_verdict(result, several, to)


def _shown(tensors: Sequence[TensorCheck]) -> list[TensorCheck]:
    """Return the rows of the table, in their order: all, or of a large network the worst."""
    if len(tensors) <= _ROWS:
        return list(tensors)
    order = ("fail", "inconclusive", "pass")
    worst = sorted(tensors, key=lambda tensor: (order.index(tensor.verdict), -(tensor.relative_error or 0.0)))[:_ROWS]
    return [tensor for tensor in tensors if tensor in worst]


def _print_open(tensor: TensorCheck, several: bool, to: Terminal) -> None:
    """Print what there is to say of a tensor that does not pass, or passes for a reason of its own."""
    term = f" of {tensor.term}" if several and tensor.verdict != "pass" else ""
    said = [text for text in (tensor.reason, tensor.guess) if text]
    if said or tensor.rows or tensor.entries:
        to.print()
        to.print(to.paint(f"{tensor.name}{term}: {'; '.join(said) or 'wrong'}", _COLOURS[tensor.verdict]))
    if tensor.layer_error is not None and tensor.verdict == "inconclusive":
        to.print(f"  its layer by itself is right to {_short(tensor.layer_error)}")
    if tensor.rows:
        shown = ", ".join(str(row) for row in tensor.rows[:12])
        to.print(f"  wrong rows: {shown}{' …' if len(tensor.rows) > 12 else ''}")
    if tensor.entries:
        rows = [("  entry", "backward", "measured")]
        for entry in tensor.entries:
            index = ", ".join(str(i) for i in entry.index)
            rows.append((f"  [{index}]", f"{entry.backward:.6g}", f"{entry.measured:.6g}"))
        for line in aligned(rows, right=(1, 2)):
            to.print(line)


def _print_verdict(result: GradcheckResult, several: bool, to: Terminal) -> None:
    counts = {verdict: sum(t.verdict == verdict for t in result.tensors) for verdict in _COLOURS}
    parts = ", ".join(f"{number} {verdict}" for verdict, number in counts.items() if number)
    to.print(to.paint(result.verdict, _COLOURS[result.verdict]) + f": {parts}")
    if several:
        to.print("terms: " + ", ".join(f"{name} {verdict}" for name, verdict in result.terms.items()))
    notes = [f"loss {measure(result.loss)} on {result.samples} samples of {result.data}"]
    notes.append(f"{result.directions} directions from seed {result.seed}, float64")
    to.print(to.paint("; ".join(notes), "dim"))
    _print_taylor(result, to)
    adjoint = result.adjoint
    if adjoint.agrees is False:
        to.print(to.paint(f"forward mode disagrees by {_short(adjoint.error or 0)}: look at a custom `jvp`", "red"))
    elif adjoint.error is not None:
        to.print(to.paint(f"forward and reverse mode agree to {_short(adjoint.error)}", "dim"))
    elif adjoint.skipped:
        to.print(to.paint(f"no second opinion of forward mode: {adjoint.skipped}", "dim"))
    _print_running(result, to)
    _print_float32(result, to)
    moved = sum(tensor.point == "moved" for tensor in result.tensors)
    if moved:
        noun = "tensor was" if moved == 1 else "tensors were"
        to.print(to.paint(f"{moved} {noun} checked a little beside the point, off kinks or a gradient of 0 (*)", "dim"))


def _print_taylor(result: GradcheckResult, to: Terminal) -> None:
    if result.taylor is None:
        return
    if result.taylor.slope is None:
        to.print(
            to.paint("Taylor's remainder shows no slope: kinks lie within its steps, or only rounding is left", "dim")
        )
        return
    right = abs(result.taylor.slope - 2) < _SLOPE
    line = f"Taylor's remainder falls with slope {result.taylor.slope:.3f}; 2 is right"
    to.print(to.paint(line if right else f"{line}, 1 a wrong gradient", "dim" if right else "red"))


def _print_running(result: GradcheckResult, to: Terminal) -> None:
    if result.running is None:
        return
    wrong = f": {', '.join(result.running.failed)}" if result.running.failed else ""
    line = f"with running statistics, as in evaluation: {result.running.verdict}{wrong}"
    to.print(to.paint(line, "red" if wrong else "dim"))


def _print_float32(result: GradcheckResult, to: Terminal) -> None:
    """Print what float32 makes of the worst tensor's gradient.

    Left out are those of which float32 makes more than they are: but for rounding they are 0, as of a bias before
    batch norm.
    """
    errors = {t.name: t.float32_error for t in result.tensors if t.float32_error is not None and t.float32_error <= 1}
    if not errors:
        return
    name = max(errors, key=errors.__getitem__)
    lost = [name for name, error in errors.items() if error == 1]
    line = f"float32 changes a gradient by {_short(errors[name])} at most, that of {name}"
    if lost:
        others = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        line = f"in float32 the gradient of {lost[0]}{others} underflows to 0"
    to.print(to.paint(line, "yellow" if errors[name] > _NOTABLE else "dim"))


def _row(tensor: TensorCheck) -> tuple[str, ...]:
    return (
        tensor.name + (" *" if tensor.point == "moved" else ""),
        "" if tensor.line is None else str(tensor.line),
        tensor.verdict,
        "" if tensor.relative_error is None else _short(tensor.relative_error),
        "" if tensor.resolution is None else _short(tensor.resolution),
        _short(tensor.gradient_norm),
        "" if tensor.step is None else f"{tensor.step:.0e}",
    )


def _short(value: float) -> str:
    return f"{value:.1e}" if value else "0"
