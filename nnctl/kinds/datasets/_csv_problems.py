"""What is said of cells that are not as they should be."""

from __future__ import annotations

import re

from nnctl.document.numbers import respelt
from nnctl.document.suggest import did_you_mean
from nnctl.errors import Position, Problem


def not_a_number(row: str, place: Position, heading: str, cell: str, otherwise: str = "") -> Problem:
    """Return the problem of a cell that should be a number; `otherwise` is what else may be done about it."""
    meant = number_meant(cell)
    cure = f"write {meant[0]}: {meant[1]}" if meant else "correct it"
    hint = f"{cure}, {otherwise}" if otherwise else cure
    return Problem("number", f'{row}: `{heading}` is "{shortened(cell)}", expected a number', place, hint=hint)


def number_meant(cell: str) -> tuple[str, str] | None:
    """Return how a number is to be written, in words and itself, where a cell holds one in another way."""
    percent = re.fullmatch(r"([+-]?\d+(?:\.\d*)?)\s?%", cell)
    return ("the number alone in every row", percent[1]) if percent else respelt(cell)


def missing_value(row: str, place: Position, heading: str, cell: str, fillable: bool = True) -> Problem:
    """Return the problem of a cell that says nothing; `fillable` is whether the spec could ask to fill it."""
    hint = "fill it, remove the row, or write `missing: mean` (or median, most_frequent)"
    if not fillable:
        hint = "fill it, or remove the row"
    return Problem("missing-value", f"{row}: `{heading}` is {_found(cell)}", place, hint=hint)


def missing_target(row: str, place: Position, heading: str, cell: str) -> Problem:
    """Return the problem of a row that has no target."""
    message = f"{row}: the target `{heading}` is {_found(cell)}"
    return Problem("missing-value", message, place, hint="fill it, or remove the row")


def unknown_level(row: str, place: Position, what: str, name: str, known: tuple[str, ...]) -> Problem:
    """Return the problem of a category or class that training did not have."""
    hint = did_you_mean(name, known, "known") if len(known) <= 50 else None
    return Problem("category", f'{row}: {what} is "{shortened(name)}", which training did not have', place, hint=hint)


def shortened(text: str, most: int = 60) -> str:
    """Return a text that a message can quote."""
    return text if len(text) <= most else text[:most] + "…"


def listed(names: list[str], most: int = 12) -> str:
    """Return names with commas, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _found(cell: str) -> str:
    return f'"{cell}"' if cell else "empty"
