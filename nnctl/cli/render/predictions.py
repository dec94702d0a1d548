"""What `predict` prints: a line for each sample."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import measure

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
    from nnctl.evaluation.predict import Prediction


def print_predictions(predictions: Sequence[Prediction], to: Terminal) -> None:
    """Print a table: file, row, class and probability with the next ones behind it, or the number."""
    if not predictions:
        return
    numbers, tables = predictions[0].value is not None, any(one.row is not None for one in predictions)
    rows = [["file", *["row"] * tables, *(["value"] if numbers else ["class", "others"])]]
    for one in predictions:
        answer = [_answer(one)] if numbers else [_answer(one), _others(one)]
        rows.append([one.file, *[str(one.row or "")] * tables, *answer])
    heading, *lines = aligned(rows, right={1} if tables else ())
    to.print(to.paint(heading, "dim"))
    for line in lines:
        to.print(line)


def print_csv(predictions: Sequence[Prediction], top: int, to: Terminal) -> None:
    """Print CSV: file, row, then label and probability of each of the `top` classes, or the values."""
    if not predictions:
        return
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    values = _values(predictions[0])
    if values:
        names = ["value"] if len(values) == 1 else [f"value{number}" for number in range(1, len(values) + 1)]
    else:
        count = min(top, len(predictions[0].top or ()))
        names = ["label", "probability"]
        names += [f"{name}{number}" for number in range(2, count + 1) for name in ("label", "probability")]
    writer.writerow(["file", "row", *names])
    for one in predictions:
        choices = [cell for choice in one.top or () for cell in (choice.label, choice.probability)]
        writer.writerow([one.file, one.row, *(_values(one) or choices)])
    to.print(text.getvalue().rstrip("\n"))


def _values(one: Prediction) -> list[float]:
    if one.value is None:
        return []
    return list(one.value) if isinstance(one.value, tuple) else [one.value]


def _answer(one: Prediction) -> str:
    if one.value is not None:
        return ", ".join(f"{value:.6g}" for value in _values(one))
    return _choice(one.label or "", one.probability)


def _others(one: Prediction) -> str:
    return ", ".join(_choice(choice.label, choice.probability) for choice in (one.top or ())[1:])


def _choice(label: str, probability: float | None) -> str:
    return label if probability is None else f"{label} {measure(probability)}"
