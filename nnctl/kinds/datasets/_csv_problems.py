"""What is said of cells that are not as they should be."""

from __future__ import annotations

import re

from nnctl.document.suggest import did_you_mean
from nnctl.errors import Position, Problem


def not_a_number(row: str, place: Position, heading: str, cell: str, otherwise: str = "") -> Problem:
    """Return the problem of a cell that should be a number; `otherwise` is what else may be done about it."""
    cure = "write decimals with a point" if re.fullmatch(r"[+-]?\d+,\d+", cell) else "correct it"
    hint = f"{cure}, {otherwise}" if otherwise else cure
    return Problem("number", f'{row}: `{heading}` is "{shortened(cell)}", expected a number', place, hint=hint)


def missing_value(row: str, place: Position, heading: str, cell: str) -> Problem:
    """Return the problem of a cell that says nothing."""
    hint = "fill it, remove the row, or write `missing: mean` (or median, most_frequent)"
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
