"""Rows of CSV files as tensors."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from nnctl.data.fresh import Fresh
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.data.tables import digest_of
from nnctl.errors import DataError, Position, Problem, name_of
from nnctl.kinds.datasets._csv_columns import MISSING, Column, Fill, Table, number_of
from nnctl.kinds.datasets._csv_file import Row, Sheet, open_sheet
from nnctl.kinds.datasets._csv_problems import missing_target, missing_value, not_a_number, unknown_level
from nnctl.kinds.datasets._csv_seen import class_of, normal
from nnctl.kinds.datasets._csv_survey import column_index, sheets_of

_AT_ONCE = 8192
_TARGET = "target"


def read_csv(files: Sequence[str], table: Table, fill: Fill | None, progress: Progress) -> Samples:
    """Return all rows of the files, in order. Raises DataError as `read_rows` does, and for unlike headings."""
    return read_rows(sheets_of(files), table, fill, progress)


def read_rows(sheets: Sequence[Sheet], table: Table, fill: Fill | None, progress: Progress) -> Samples:
    """Return all rows of the sheets, in order. Raises DataError, naming file and row, where one is not as it should be.

    Missing numbers are NaN.
    """
    blocks, done = [], 0
    for sheet in sheets:
        reader = _Reader(sheet, table, with_target=True)
        for rows in _some(sheet.rows()):
            blocks.append(reader.block(rows))
            done += len(rows)
            if done > _AT_ONCE:
                progress("reading rows", done, table.rows)
    fields = _joined(blocks)
    target = fields.pop(_TARGET)
    unscaled = _places_of_levels(table.columns) if table.one_hot else ()
    return Samples(fields, target, table.classes, digest_of(*fields.values(), target), fill=fill, unscaled=unscaled)


def fresh_rows(file: str, content: bytes | None, table: Table) -> Fresh:
    """Return the rows of a new file that can be read, without a target, and what is wrong with the others.

    Raises DataError where the file is no table with these columns.
    """
    sheet = open_sheet(file, content)
    reader, bad = _Reader(sheet, table, with_target=False), list[Problem]()
    blocks, places = [], list[tuple[str, int | None]]()
    for rows in _some(sheet.rows(bad=bad)):
        try:
            blocks.append(reader.block(rows))
        except DataError:  # then each row by itself, to keep the others
            good = []
            for row in rows:
                try:
                    reader.block([row])
                    good.append(row)
                except DataError as error:
                    bad += error.problems
            rows = good
            if rows:
                blocks.append(reader.block(rows))
        places += [(file, row.number) for row in rows]
    if not places and not bad:
        message = f"{name_of(file)} has a heading, but no rows"
        raise DataError(Problem("empty", message, hint="give rows to predict"))
    return Fresh(_joined(blocks), tuple(places), tuple(sorted(bad, key=lambda problem: problem.position.line or 0)))


def _some(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while some := list(islice(rows, _AT_ONCE)):
        yield some


def _joined(blocks: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([block[name] for block in blocks]) for name in blocks[0]} if blocks else {}


def _places_of_levels(columns: Sequence[Column]) -> tuple[int, ...]:
    """Return the places of a vector that are 0 or 1."""
    places, begin = list[int](), 0
    for column in columns:
        if column.kind == "category":
            places += range(begin, begin + column.size)
        begin += column.features
    return tuple(places)


@dataclass
class _Reader:
    """Turns some rows of a file into fields."""

    sheet: Sheet
    table: Table
    with_target: bool

    def __post_init__(self) -> None:
        self._places = [column_index(self.sheet, column.heading) for column in self.table.columns]
        self._codes = [{name: code for code, name in enumerate(column.levels or ())} for column in self.table.columns]
        self._labels = {name: label for label, name in enumerate(self.table.classes or ())}
        if self.with_target:
            self._target_place = column_index(self.sheet, self.table.target, "target column")

    def block(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        """Return the fields of some rows, and the target if it is wanted."""
        fields: dict[str, Tensor] = {}
        numbers, vector = list[Tensor](), list[Tensor]()
        for number, (column, place) in enumerate(zip(self.table.columns, self._places, strict=True)):
            cells = [row.cells[place] for row in rows]
            if column.kind == "number":
                values = self._numbers(rows, cells, column.heading)
                numbers.append(values)
                vector.append(values.unsqueeze(1))
            elif column.kind == "text":
                fields[column.field] = letters(cells, column.size)
            else:
                codes = self._category(rows, cells, column, self._codes[number])
                fields[column.field] = codes
                if self.table.one_hot:
                    vector.append(torch.nn.functional.one_hot(codes, column.size).double())
        if self.table.one_hot:
            fields = {"input": torch.cat(vector, 1)}
        elif numbers:
            fields = {"numbers": torch.stack(numbers, 1), **fields}
        if len(fields) == 1:
            fields = {"input": next(iter(fields.values()))}
        return fields | {_TARGET: self._target(rows)} if self.with_target else fields

    def _numbers(self, rows: Sequence[Row], cells: list[str], heading: str) -> Tensor:
        """Return numbers, NaN for those that are missing."""
        quick = _plain_numbers(cells)
        if quick is not None:
            return quick
        values = []
        for row, cell in zip(rows, cells, strict=True):
            if cell in MISSING:
                if not self.table.gaps:
                    raise DataError(missing_value(*self._at(row, heading), heading, cell, self.with_target))
                values.append(torch.nan)
                continue
            try:
                values.append(number_of(cell))
            except ValueError:
                raise DataError(not_a_number(*self._at(row, heading), heading, cell)) from None
        return torch.tensor(values, dtype=torch.float64)

    def _category(self, rows: Sequence[Row], cells: list[str], column: Column, codes: dict[str, int]) -> Tensor:
        try:
            return torch.tensor([codes[normal(cell)] for cell in cells], dtype=torch.int64)
        except KeyError:
            row, cell = next((row, cell) for row, cell in zip(rows, cells, strict=True) if normal(cell) not in codes)
        if not cell:
            fillable = self.with_target and not self.table.gaps
            raise DataError(missing_value(*self._at(row, column.heading), column.heading, cell, fillable))
        raise DataError(unknown_level(*self._at(row, column.heading), f"`{column.heading}`", cell, column.levels or ()))

    def _target(self, rows: Sequence[Row]) -> Tensor:
        cells, heading = [row.cells[self._target_place] for row in rows], self.table.target
        for row, cell in zip(rows, cells, strict=True):
            if not cell or (self.table.classes is None and cell in MISSING):
                raise DataError(missing_target(*self._at(row, heading), heading, cell))
        if self.table.classes is None:
            return self._numbers(rows, cells, heading).float().unsqueeze(1)
        try:
            return torch.tensor([self._labels[class_of(cell)] for cell in cells], dtype=torch.int64)
        except KeyError as error:
            row = rows[[class_of(cell) in self._labels for cell in cells].index(False)]
            what = f"the target `{heading}`"
            raise DataError(unknown_level(*self._at(row, heading), what, error.args[0], self.table.classes)) from None

    def _at(self, row: Row, heading: str) -> tuple[str, Position]:
        return f"row {row.number}", self.sheet.place(row, self.sheet.headings.index(heading))


def _plain_numbers(cells: list[str]) -> Tensor | None:
    """Return the numbers where every cell is one, without a look at each; None where that must be had."""
    text = "".join(cells)
    if "_" in text or not text.isascii():
        return None
    try:
        values = torch.tensor([float(cell) for cell in cells], dtype=torch.float64)
    except ValueError:
        return None
    return values if bool((values.abs() <= 3e38).all()) else None


def letters(cells: Sequence[str], length: int) -> Tensor:
    """Return texts as ASCII codes (N, length)."""
    raw = bytearray(b"".join(_ascii(cell)[:length].rjust(length, b"\0") for cell in cells))
    return torch.frombuffer(raw, dtype=torch.uint8).view(len(cells), length).long()


def _ascii(text: str) -> bytes:
    """Return a text without accents; other signs beyond ASCII become `?`."""
    if not text.isascii():
        text = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return text.encode("ascii", "replace").replace(b"\0", b"?")
