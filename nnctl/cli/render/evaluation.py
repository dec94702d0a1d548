"""What `eval` prints: the measures, each class, and what was taken for what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import measure, thousands

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
    from nnctl.evaluation.checkpoint import EvalResult
    from nnctl.evaluation.ensemble import EnsembleResult

_MEASURES = ("loss", "accuracy", "error", "top5", "rmse", "mae", "r2")
_WIDEST_MATRIX = 20
"""Classes up to which the confusion matrix is printed; `--json` always has it."""


def print_evaluation(result: EvalResult, to: Terminal) -> None:
    """Print the measures, then each class, then the confusion matrix."""
    rows = [("split", f"{result.split}, {thousands(result.n)} samples")]
    few = result.per_class is not None and len(result.per_class) <= 5  # any guess is among the first five
    told = [name for name in _MEASURES if not (few and name == "top5")]
    rows += [(name, measure(value)) for name in told if (value := getattr(result, name)) is not None]
    rows += [(f"accuracy of {head}", measure(value)) for head, value in (result.heads or {}).items()]
    rows += [("note", note) for note in result.notes or ()]
    if result.robust_accuracy is not None and result.robust_loss is not None:
        rows.append(
            (
                f"under {result.attack}",
                f"accuracy {measure(result.robust_accuracy)}, loss {measure(result.robust_loss)}",
            )
        )
    if result.ensemble is not None:
        rows += _ensemble_rows(result.ensemble, "accuracy" if result.per_class else "squared error")
    for line in aligned(rows):
        to.print(line)
    if result.per_class and result.confusion:
        to.print()
        _print_classes(result, to)
        if len(result.per_class) <= _WIDEST_MATRIX:
            to.print()
            _print_confusion(result, to)


def _ensemble_rows(found: EnsembleResult, alone: str) -> list[tuple[str, str]]:
    """Return how the members do alone, and what theory says of their mean beside what was measured."""
    theory = f"v/k + (k − 1)c/k = {measure(found.predicted)}, with v = {measure(found.v)} and c = {measure(found.c)}"
    return [
        ("members", f"{found.members}, each alone {alone} {measure(min(found.alone))} to {measure(max(found.alone))}"),
        ("squared error", f"{measure(found.measured)} of the mean prediction; {theory}"),
    ]


def _print_classes(result: EvalResult, to: Terminal) -> None:
    assert result.per_class is not None
    assert result.confusion is not None
    names = [one.name for one in result.per_class]
    rows = [("class", "samples", "accuracy", "most often taken for")]
    for number, one in enumerate(result.per_class):
        accuracy = "" if one.accuracy is None else measure(one.accuracy)
        rows.append((one.name, thousands(one.n), accuracy, _mistaken(result.confusion[number], number, names)))
    _print_table(rows, {1, 2}, to)


def _mistaken(row: tuple[int, ...], own: int, names: list[str]) -> str:
    """Return the wrong class that was named most often, or nothing where none was."""
    others = [(count, -index) for index, count in enumerate(row) if index != own]
    count, index = max(others, default=(0, 0))
    return f"{names[-index]} ({count})" if count else ""


def _print_confusion(result: EvalResult, to: Terminal) -> None:
    assert result.per_class is not None
    assert result.confusion is not None
    names = [one.name for one in result.per_class]
    rows = [("true \\ named", *names)]
    rows += [
        (name, *(str(count) if count else "·" for count in row))
        for name, row in zip(names, result.confusion, strict=True)
    ]
    _print_table(rows, range(1, len(names) + 1), to)


def _print_table(rows: Sequence[Sequence[str]], right: Collection[int], to: Terminal) -> None:
    heading, *lines = aligned(rows, right)
    to.print(to.paint(heading, "dim"))
    for line in lines:
        to.print(line)
