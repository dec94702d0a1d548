"""What a look at CSV files tells of their columns: numbers or categories, their levels, and the target's classes.

`check` looks at the first bytes only; before training all rows are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from math import inf
from typing import Literal

from nnctl.document.suggest import did_you_mean, suggest
from nnctl.errors import DataError, Position, Problem, name_of
from nnctl.kinds.datasets._csv_columns import MOST_LEVELS, Column, Role, Table, field_name
from nnctl.kinds.datasets._csv_file import PARTED, Sheet, open_sheet
from nnctl.kinds.datasets._csv_problems import listed, shortened
from nnctl.kinds.datasets._csv_seen import (
    Seen,
    category_of,
    classes_of,
    column_of,
    is_number,
    numbers_of_target,
    task_of,
)

FIRST = 2 << 20
"""Bytes of the files that `check` looks at."""
_AT_ONCE = 2048


@dataclass(frozen=True)
class Question:
    """What a spec says of its files, and what it leaves to be found out."""

    files: tuple[str, ...]
    stamps: tuple[tuple[int, int], ...]
    """Size and time of each file: an answer is good only while they are the same."""
    target: str
    columns: tuple[tuple[str, Role], ...] | None
    classes: int | tuple[str, ...] | None
    task: Literal["classification", "regression"] | None
    one_hot: bool
    gaps: bool


@lru_cache(maxsize=16)
def survey(question: Question, whole: bool) -> Table:
    """Return what the files' columns are, by their first rows or by all of them.

    Raises DataError, naming file and row, where they cannot be that.
    """
    if whole:
        first = survey(question, False)
        return first if first.rows is not None else _with_all_levels(question, first)
    sheets = sheets_of(question.files)
    chosen = _chosen(question, sheets[0])
    seen, complete = _look(sheets, [*chosen, question.target], FIRST)
    target = seen.pop()
    if not target.rows:
        message = f"{listed(list(question.files))} has a heading, but no rows"
        raise DataError(Problem("empty", message, hint="give rows to learn from"))
    declared = dict(question.columns or ())
    columns = tuple(column_of(one, declared.get(one.heading), question.gaps) for one in seen)
    task = question.task or task_of(target, question.classes)
    classes = None
    if task == "classification":
        classes = classes_of(target, question.classes, complete)
    else:
        numbers_of_target(target)
    _check_fields(columns, question.one_hot)
    notes = _notes(question, columns, target, classes, complete)
    rows = target.rows if complete else None
    return Table(columns, question.target, classes, question.one_hot, question.gaps, rows, notes)


def sheets_of(files: Sequence[str]) -> list[Sheet]:
    """Return the files with their headings read. Raises DataError where they have not the same ones."""
    sheets = [open_sheet(file) for file in files]
    for sheet in sheets[1:]:
        if sheet.headings != sheets[0].headings:
            details = tuple(f"{one.file}: {', '.join(one.headings)}" for one in (sheets[0], sheet))
            hint = "give files with the same columns in the same order"
            raise DataError(Problem("heading", "the files name different columns", details=details, hint=hint))
    return sheets


def column_index(sheet: Sheet, heading: str, what: str = "column") -> int:
    """Return the place of a column. Raises DataError where the file has none of that name."""
    try:
        return sheet.headings.index(heading)
    except ValueError:
        hint = did_you_mean(heading, sheet.headings, "columns")
        if any(map(is_number, sheet.headings)) and suggest(heading, sheet.headings) is None:
            hint = "the first line names the columns: put such a line before the rows"
        elif len(sheet.headings) == 1:
            hint = f"its only column is `{sheet.headings[0]}`; {PARTED}"
        message = f"{name_of(sheet.file)} has no {what} `{heading}`"
        raise DataError(Problem("heading", message, Position(sheet.file, 1), hint=hint)) from None


def _chosen(question: Question, sheet: Sheet) -> list[str]:
    """Return the columns that enter the network."""
    column_index(sheet, question.target, "target column")
    if question.columns is not None:
        for heading, _ in question.columns:
            column_index(sheet, heading)
        return [heading for heading, _ in question.columns]
    others = [heading for heading in sheet.headings if heading != question.target]
    if not others:
        message = "there is no column beside the target"
        raise DataError(Problem("heading", message, Position(sheet.file, 1), hint=PARTED))
    if "" in others:
        number = sheet.headings.index("") + 1
        hint = "name it, or say which columns are used: `columns: {NAME: number}` with `one_hot: true`"
        raise DataError(Problem("heading", f"column {number} has no name", Position(sheet.file, 1), hint=hint))
    return others


def _look(sheets: Sequence[Sheet], headings: Sequence[str], most: float) -> tuple[list[Seen], bool]:
    """Return the different cells of some columns in the first `most` bytes, and whether these were all."""
    seen = [Seen(heading) for heading in headings]
    places = [column_index(sheets[0], heading) for heading in headings]
    for sheet in sheets:
        if most <= 0:
            return seen, False
        rows = sheet.rows(most)
        while some := list(islice(rows, _AT_ONCE)):
            for one, place in zip(seen, places, strict=True):
                one.add(sheet, some, place)
        most -= sheet.size
    return seen, most >= 0


def _with_all_levels(question: Question, first: Table) -> Table:
    """Return what the first rows told with the levels and classes of all rows; numbers are checked as they are read."""
    headings = [column.heading for column in first.columns if column.kind == "category"]
    seen, _ = _look(sheets_of(question.files), [*headings, question.target], inf)
    target = seen.pop()
    declared, found = dict(question.columns or ()), {one.heading: one for one in seen}
    columns = tuple(
        category_of(found[one.heading], declared.get(one.heading, "category"), question.gaps)
        if one.heading in found
        else one
        for one in first.columns
    )
    classes = None if first.classes is None else classes_of(target, question.classes, complete=True)
    return replace(first, columns=columns, classes=classes, rows=target.rows)


def _check_fields(columns: Sequence[Column], one_hot: bool) -> None:
    """Raise DataError where two fields would have one name, or there are more levels than a run's spec can hold."""
    if sum(len(column.levels or ()) for column in columns) > 3 * MOST_LEVELS:
        message = f"the categories have more than {3 * MOST_LEVELS:,} levels together"
        raise DataError(Problem("category", message, hint="leave out the column with most"))
    taken = {"target": "the target", "input": "a single field", "numbers": "all numbers together"}
    for column in columns:
        if one_hot or column.kind == "number":
            continue
        if column.field in taken:
            message = f"`{column.heading}` and {taken[column.field]} would both be `data.{column.field}`"
            raise DataError(Problem("field", message, hint="rename the column in the file"))
        taken[field_name(column.heading)] = f"`{column.heading}`"


def _notes(
    question: Question, columns: Sequence[Column], target: Seen, classes: tuple[str, ...] | None, complete: bool
) -> tuple[str, ...]:
    """Return in words what the spec did not say."""
    notes = []
    rows = f"{target.rows:,} rows" if complete else f"the first {target.rows:,} rows"
    if question.columns is None:
        numbers = [column.heading for column in columns if column.kind == "number"]
        categories = [f"{column.heading} ({column.size})" for column in columns if column.kind == "category"]
        parts = [f"numbers {listed(numbers)}"] * bool(numbers) + [f"categories {listed(categories)}"] * bool(categories)
        notes.append(f"columns, as {rows} say: {'; '.join(parts)}")
    if question.task is None and question.classes is None:
        what = f"{len(classes)} classes: {listed([shortened(one, 20) for one in classes])}" if classes else "a number"
        notes.append(f"target, as {rows} say: {target.heading} is {what}")
    return tuple(notes)
