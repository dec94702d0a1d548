"""What `inspect` prints: courses by depth, a row of statistics for each layer, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import isfinite, log10
from textwrap import wrap
from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.layer_table import layer_table
from nnctl.cli.render.numbers import measure, thousands
from nnctl.cli.render.spectra import ranks_beside_start, spectra_table, told_jacobian
from nnctl.cli.render.theory import told_theory
from nnctl.diagnosis.judging.fixes import as_arguments

if TYPE_CHECKING:
    from nnctl.cli.terminal import Colour, Terminal
    from nnctl.diagnosis.result import Check, InspectResult, LayerSignals, Verdict

_BARS = "▁▂▃▄▅▆▇█"
_COURSES = {
    "signal": "forward_rms",
    "δ": "delta_rms",
    "gradient/weight": "grad_weight_ratio",
    "step/weight": "update_ratio",
}
_SHARES = {"dead": "dead", "saturated": "saturated", "alike": "cosine"}
_LEGEND = (
    "signal     root mean square of what leaves the layer",
    "δ          root mean square of the gradient of a sample's loss there",
    "grad, step ‖∂L/∂W‖ and the optimiser's ‖ΔW‖, over ‖W‖",
    "dead       units that are zero for every input",
    "sat.       values where an activation's slope is below 5% of its largest",
    "alike      mean cosine between what leaves for different inputs",
)
_TERM = 11
"""Columns of a term of the legend and the spaces behind it."""
ONLY_START = "This is the network before training only; --steps N shows it after N steps."
_LEAST_SPAN = 2.0
_NARROW, _WIDE = 60, 100
_COLOURS: dict[str, Colour] = {"ok": "green", "warn": "yellow", "fail": "red"}


def print_signals(result: InspectResult, name: str, to: Terminal) -> None:
    """Print courses, table and verdicts."""
    width = min(max(to.width, _NARROW), _WIDE)
    facts = (result.when, f"{thousands(result.batch)} samples of {result.data}", f"loss {measure(result.loss)}")
    head = wrap(
        " · ".join((name, *facts)), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    to.print("\n".join(head).replace(name, to.paint(name, "bold"), 1))
    to.print()
    for line in _courses(result.layers, width):
        to.print(line)
    to.print()
    heading, *lines = _table(result, width)
    to.print(to.paint(heading, "dim"))
    for line in lines:
        to.print(line)
    to.print()
    for entry in _LEGEND:
        for line in wrap(entry, width, subsequent_indent=" " * _TERM):
            to.print(to.paint(line, "dim"))
    to.print()
    for note in _notes(result):
        for line in wrap(note, width, subsequent_indent="  "):
            to.print(line)
    for line in spectra_table(result, width):
        to.print(line)
    for note in ranks_beside_start(result):
        for line in wrap(note, width, subsequent_indent="  "):
            to.print(line)
    to.print()
    for check in result.preflight or ():
        _print_check(check, width, to)
    if result.preflight:
        to.print()
    for verdict in result.verdicts:
        _print_verdict(verdict, width, to)
    if result.at_start and result.rate_share is not None:
        for line in wrap(ONLY_START, width):
            to.print(to.paint(line, "dim"))
    to.print(f"verdict  {to.paint(result.verdict, _COLOURS[result.verdict])}")


def different_data(found: Mapping[str, InspectResult]) -> str | None:
    """Return what to know where networks side by side saw different data; None where they did not."""
    if len({(result.data, result.identity) for result in found.values()}) == 1:
        return None
    seen = ", ".join(f"{name} saw {result.data}" for name, result in found.items())
    if len(kinds := {result.data for result in found.values()}) == 1:
        seen = f"{' and '.join(found)} saw {kinds.pop()} with other samples, or cut or changed in another way"
    return f"{seen}: losses and sizes differ for that reason too. --random gives both N(0, 1) inputs."


def _courses(layers: Sequence[LayerSignals], width: int) -> list[str]:
    """Return a line of bars for each measure, first layer to the left, on a scale of decades."""
    rows = []
    for name, attribute in _COURSES.items():
        values = [value for layer in layers if (value := getattr(layer, attribute)) and isfinite(value)]
        if len(values) > 1:
            rows.append((name, f"{min(values):.1e}", f"{max(values):.1e}", _bars(values, width - 40)))
    return aligned([("", "least", "most", "first layer → last, log"), *rows]) if rows else []


def _bars(values: Sequence[float], width: int) -> str:
    """Return bars for log₁₀ of the values; less than two decades between them do not fill the height."""
    columns = min(width, len(values))
    edges = [len(values) * column // columns for column in range(columns + 1)]
    heights = [sum(map(log10, values[low:high])) / (high - low) for low, high in pairwise(edges)]
    middle = (min(heights) + max(heights)) / 2
    span = max(max(heights) - min(heights), _LEAST_SPAN)
    return "".join(_BARS[round(((y - middle) / span + 0.5) * (len(_BARS) - 1))] for y in heights)


def _table(result: InspectResult, width: int) -> list[str]:
    """Return a heading and a line for each layer, of very many for some."""
    named = {verdict.path for verdict in result.verdicts}
    return layer_table(
        result.layers, ("signal", "δ", "grad", "step", "dead", "sat.", "alike"), _statistics, width, named
    )


def _statistics(layer: LayerSignals) -> list[str]:
    sizes = [getattr(layer, name) for name in _COURSES.values()]
    shares = [getattr(layer, name) for name in _SHARES.values()]
    return [
        *("" if value is None else measure(value) for value in sizes),
        *("" if value is None else _share(value) for value in shares),
    ]


def _share(value: float) -> str:
    return f"{value:z.3f}" if isfinite(value) else f"{value}"


def _notes(result: InspectResult) -> Iterable[str]:
    yield from told_theory(result)
    bound = 100 * result.dead_bound
    yield (
        f"dead and sat. from {thousands(result.samples)} inputs: a unit silent for all of them fires for less "
        f"than {bound:.2g}%"
    )
    if result.noise_scale is not None:
        yield (
            f"gradient noise scale {measure(result.noise_scale)} samples: in batches much smaller than that, gradients "
            f"are mostly chance; the batch has {thousands(result.batch)}"
        )
    signs = [layer.one_signed for layer in result.layers if layer.one_signed is not None]
    if signs:
        yield (
            f"units whose weights' gradients all have one sign: {100 * max(signs):.0f}% in the layer with most; a step "
            "moves all of such a unit's weights up, or all down, as it does behind inputs that are all positive"
        )
    if result.jacobian is not None:
        yield told_jacobian(result.jacobian)


def _print_check(check: Check, width: int, to: Terminal) -> None:
    word = to.paint("ok  ", "green") if check.ok else to.paint("FAIL", "red")
    first, *others = wrap(f"{check.check}: {measure(check.value)}, expected {check.expected}", width - 5)
    to.print(f"{word} {first}")
    for line in (*others, *wrap(check.cause or "", width - 5)):
        to.print(f"     {line}")


def _print_verdict(verdict: Verdict, width: int, to: Terminal) -> None:
    place = f"{verdict.file or 'line'}{':' if verdict.file else ' '}{verdict.line}" if verdict.line else ""
    to.print(
        f"{to.paint(verdict.severity + ':', _COLOURS[verdict.severity])} {verdict.code} at {verdict.path} ({place})"
    )
    number = "" if verdict.value is None else f": {measure(verdict.value)}, bound {measure(verdict.threshold)}"
    expected = "" if verdict.predicted is None else f", predicted {measure(verdict.predicted)}"
    for text in (verdict.what + number + expected, verdict.cause):
        for line in wrap(text, width - 2):
            to.print(f"  {line}")
    if verdict.fix is not None:
        # in one line and unbroken, so that it can be pasted behind the command
        told = " (tried on a fresh start)" if verdict.afresh else "" if verdict.tried else " (not tried)"
        to.print(to.paint(f"fix{told}:", "cyan") + f" {as_arguments(verdict.fix)}")
    to.print()
