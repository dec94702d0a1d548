"""The different cells that a column has, and what they make of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Literal

from nnctl.document.reader import hidden_character
from nnctl.errors import DataError, Position, Problem
from nnctl.kinds.datasets._csv_columns import (
    MISSING,
    MOST_LEVELS,
    CategoryColumn,
    Column,
    Role,
    TextColumn,
    class_name,
    number_of,
)
from nnctl.kinds.datasets._csv_file import Row, Sheet
from nnctl.kinds.datasets._csv_problems import (
    missing_target,
    missing_value,
    not_a_number,
    number_meant,
    shortened,
    unknown_level,
)

FEW = 20
"""Different whole numbers up to which a target is one of classes, and texts up to which a column is a category."""
LONGEST = 500
"""Characters of a level's name."""


class Seen:
    """The different cells of one column, each with the first row that has it."""

    def __init__(self, heading: str) -> None:
        self.heading = heading
        self.rows = 0
        self._first: dict[str, tuple[Sheet, Row, int]] = {}

    def add(self, sheet: Sheet, rows: Sequence[Row], place: int) -> None:
        """Take in the cells of some rows."""
        self.rows += len(rows)
        cells = [row.cells[place] for row in rows]
        if new := [cell for cell in dict.fromkeys(cells) if cell not in self._first]:
            first = dict(zip(reversed(cells), reversed(rows), strict=True))
            self._first.update((cell, (sheet, first[cell], place)) for cell in new)

    @property
    def cells(self) -> Iterable[str]:
        """Return the different cells, in the order of the file."""
        return self._first

    @property
    def file(self) -> Position:
        """Return the heading's place."""
        return Position(next(iter(self._first.values()))[0].file, 1)

    def place(self, cell: str) -> tuple[str, Position]:
        """Return the first row of a cell, in words, and its position."""
        sheet, row, place = self._first[cell]
        return f"row {row.number}", sheet.place(row, place)


def column_of(seen: Seen, role: Role | None, gaps: bool) -> Column:
    """Return what a column is: what the spec says, or what its cells look like. Raises DataError where it cannot be."""
    if isinstance(role, TextColumn):
        return Column(seen.heading, "text", size=role.text.length)
    if role == "number":
        _check_numbers(seen, f"or write `{seen.heading}: category`")
    elif role is not None or not _looks_like_numbers(seen):
        return category_of(seen, role, gaps)
    gap = next((cell for cell in seen.cells if cell in MISSING), None)
    if gap is not None and not gaps:
        raise DataError(missing_value(*seen.place(gap), seen.heading, gap))
    return Column(seen.heading, "number")


def category_of(seen: Seen, role: Role | None, gaps: bool) -> Column:
    """Return a category with the levels that the spec gives, or that were seen."""
    if "" in seen.cells and not gaps:
        raise DataError(missing_value(*seen.place(""), seen.heading, ""))
    given = role if isinstance(role, CategoryColumn) else None
    if given is not None and given.levels is not None:
        _check_known(seen, given.levels, f"`{seen.heading}`", normal)
        return Column(seen.heading, "category", given.levels, given.category)
    _check_names(seen)
    levels = tuple(sorted({normal(cell) for cell in seen.cells}))
    if role is None and len(levels) > max(FEW, min(1000, seen.rows // 10)):
        message = f"`{seen.heading}` has {len(levels):,} different texts in {seen.rows:,} rows: is it a category?"
        hint = "say what the columns are, this one `category`, `{text: {length: 20}}` or left out: `columns: {…}`"
        raise DataError(Problem("column", message, seen.file, hint=hint))
    most = given.category if given is not None else MOST_LEVELS
    if len(levels) > most:
        row, place = seen.place(next(islice(seen.cells, most, None)))
        message = f"{row}: one level of `{seen.heading}` more than the {most:,} that it may have"
        hint = f"write `{seen.heading}: {{category: {len(levels)}}}`" if len(levels) <= MOST_LEVELS else "leave it out"
        raise DataError(Problem("category", message, place, hint=hint))
    return Column(seen.heading, "category", levels, given.category if given is not None else len(levels))


def task_of(target: Seen, classes: object) -> Literal["classification", "regression"]:
    """Return what the target looks like: texts, and few whole numbers, are classes."""
    if classes is not None:
        return "classification"
    cells = [cell for cell in target.cells if cell not in MISSING]
    if 2 * sum(map(_is_meant, cells)) <= len(cells):
        return "classification"
    _check_numbers(target, "or write `task: classification`")
    different = {number_of(cell) for cell in cells}
    few = len(different) <= FEW and target.rows >= 2 * len(different)
    return "classification" if few and all(number.is_integer() for number in different) else "regression"


def classes_of(target: Seen, given: int | tuple[str, ...] | None, complete: bool) -> tuple[str, ...]:
    """Return the classes: those that the spec names, or that were seen, numbers in their order, texts in theirs."""
    name = f"the target `{target.heading}`"
    if "" in target.cells:
        raise DataError(missing_target(*target.place(""), target.heading, ""))
    if isinstance(given, tuple):
        _check_known(target, given, name, class_of)
        return given
    _check_names(target)
    found = sorted({class_of(cell) for cell in target.cells}, key=_in_order)
    if given is not None and (len(found) > given or (complete and len(found) < given)):
        details = ("found " + ", ".join(shortened(one, 30) for one in found[:10]) + " …" * (len(found) > 10),)
        message = f"`classes` is {given}, but {name} has {len(found)} of them"
        hint = "correct `classes`, or leave it out"
        raise DataError(Problem("classes", message, target.file, details=details, hint=hint))
    if given is None and len(found) == 1:
        message = f'{name} is "{shortened(found[0])}" in every row: there is nothing to tell apart'
        hint = "give rows of at least two classes"
        if not complete:
            message = message.replace("every row", "all of the first rows")
            hint = "put the rows in a random order, or say how many `classes` there are"
        raise DataError(Problem("classes", message, target.file, hint=hint))
    if given is None and len(found) > max(FEW, target.rows // 2):
        message = f"{name} has {len(found):,} different texts in {target.rows:,} rows: they are no classes"
        raise DataError(Problem("classes", message, target.file, hint="give another `target`"))
    return tuple(found)


def numbers_of_target(target: Seen) -> None:
    """Raise DataError where a target for regression is missing, or no number."""
    gap = next((cell for cell in target.cells if cell in MISSING), None)
    if gap is not None:
        raise DataError(missing_target(*target.place(gap), target.heading, gap))
    _check_numbers(target, "or write `task: classification` if its values are classes")


def is_number(cell: str) -> bool:
    """Return whether a cell holds a finite number."""
    try:
        number_of(cell)
    except ValueError:
        return False
    return True


def _is_meant(cell: str) -> bool:
    """Return whether a cell is a number, if perhaps not as one is written here."""
    return is_number(cell) or number_meant(cell) is not None


def normal(cell: str) -> str:
    """Return a text in the one form of its letters that specs are read in."""
    return cell if cell.isascii() else unicodedata.normalize("NFC", cell)


def class_of(cell: str) -> str:
    """Return the class that a cell names."""
    return class_name(normal(cell))


def _looks_like_numbers(seen: Seen) -> bool:
    """Return whether cells are numbers. Raises DataError where most are, so that the others are probably mistakes."""
    present = [cell for cell in seen.cells if cell not in MISSING]
    if not present:
        hint = "leave it out: `columns` says which are used, and with `one_hot: true` they are one vector"
        raise DataError(Problem("column", f"`{seen.heading}` has no values", seen.file, hint=hint))
    if sum(map(_is_meant, present)) <= len(present) / 2:
        return False
    _check_numbers(seen, f"or say what the columns are: `columns: {{{seen.heading}: category, …}}`")
    return True


def _check_numbers(seen: Seen, otherwise: str) -> None:
    odd = next((cell for cell in seen.cells if cell not in MISSING and not is_number(cell)), None)
    if odd is not None:
        raise DataError(not_a_number(*seen.place(odd), seen.heading, odd, otherwise))


def _check_known(seen: Seen, known: tuple[str, ...], what: str, name_of: Callable[[str], str]) -> None:
    levels = set(known)
    for cell in seen.cells:
        if (name := name_of(cell)) not in levels:
            raise DataError(unknown_level(*seen.place(cell), what, name, known))


def _check_names(seen: Seen) -> None:
    """Raise DataError where a level has a name that a spec could not hold."""
    for cell in seen.cells:
        hidden = hidden_character(cell)
        if hidden or len(cell) > LONGEST:
            what = f"holds the hidden character {hidden}" if hidden else f"is longer than {LONGEST} characters"
            row, place = seen.place(cell)
            raise DataError(Problem("category", f"{row}: `{seen.heading}` {what}", place, hint="correct it"))


def _in_order(name: str) -> tuple[bool, float, str]:
    return (False, number_of(name), name) if is_number(name) else (True, 0.0, name)
