"""CSV files read strictly: a heading, then rows of as many cells; every mistake is named with file, row and line."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

from nnctl.document.reader import hidden_character
from nnctl.errors import DataError, Position, Problem, name_of

DELIMITERS = (",", ";", "\t", "|")
PARTED = "columns are parted by a comma, a semicolon, a tab or |"


@dataclass(frozen=True, slots=True)
class Row:
    """One row below the heading."""

    number: int
    """Counted from 1, blank lines left out."""
    line: int
    """The line of the file that it begins in, counted from 1."""
    cells: list[str]
    text: str = ""
    """All of it as written, to tell where a cell begins."""


@dataclass(frozen=True)
class Sheet:
    """A CSV file whose heading has been read."""

    file: str
    headings: tuple[str, ...]
    delimiter: str
    content: bytes | None = None
    """What was read from a pipe, where there is no file."""

    @property
    def size(self) -> int:
        """Return its bytes."""
        return len(self.content) if self.content is not None else Path(self.file).stat().st_size

    def rows(self, most_bytes: float = inf, bad: list[Problem] | None = None) -> Iterator[Row]:
        """Yield the rows, without the white space around cells; with `most_bytes` only those that begin within them.

        Raises DataError at the first row that is no such row; with `bad` its problem is put there, and rows go on.
        """
        number = 0
        with opened_text(self.file, self.content) as text:
            binary = cast(BinaryIO, text.buffer)
            records = _records(self, text)
            try:
                next(records)  # the heading
                for line, cells, written in records:
                    if not "".join(cells).strip():
                        continue
                    number += 1
                    if len(cells) == len(self.headings):
                        yield Row(number, line, [cell.strip() for cell in cells], written)
                    else:
                        found = (
                            f"row {number} has {_values(len(cells))}, the heading names {len(self.headings)} columns"
                        )
                        hint = "put texts that hold the delimiter or a new line in double quotes"
                        problem = Problem("row", found, Position(self.file, line), hint=hint)
                        if bad is None:
                            raise DataError(problem)
                        bad.append(problem)
                    if binary.tell() > most_bytes:
                        return
            except UnicodeDecodeError:
                refuse_encoding(self.file, self.content)

    def place(self, row: Row, column: int) -> Position:
        """Return where a row's cell begins, or its row where that is not known."""
        if not row.text:
            return Position(self.file, row.line)
        below, offset = _cell_begins(row.text, self.delimiter, column)
        return Position(self.file, row.line + below, offset + 1)


def open_sheet(file: str, content: bytes | None = None) -> Sheet:
    """Return a file, or the `content` of a pipe, with its heading read and its delimiter inferred from that.

    Raises DataError where the file is missing, empty, not UTF-8 text, or has headings that are missing or alike.
    """
    try:
        with opened_text(file, content) as text:
            first = text.readline(csv.field_size_limit())
            second = text.readline(csv.field_size_limit())
    except UnicodeDecodeError:
        refuse_encoding(file, content)
    if "\0" in first:
        raise _not_text(file)
    if not first.strip():
        name = name_of(file)
        message = f"{name} begins with an empty line" if second.strip() else f"{name} is empty"
        raise DataError(Problem("empty", message, hint="its first line names the columns"))
    delimiter = _delimiter(first, second)
    sheet = Sheet(file, (), delimiter, content)
    with opened_text(file, content) as text:
        try:
            _, cells, _ = next(_records(sheet, text))
        except UnicodeDecodeError:
            refuse_encoding(file, content)
    headings = tuple(unicodedata.normalize("NFC", cell.strip()) for cell in cells)
    _check_headings(file, headings)
    return Sheet(file, headings, delimiter, content)


def _check_headings(file: str, headings: tuple[str, ...]) -> None:
    place = Position(file, 1)
    for number, heading in enumerate(headings, start=1):
        if headings.count(heading) > 1 and heading:
            hint = "give every column a name of its own"
            raise DataError(Problem("heading", f"two columns are called `{heading}`", place, hint=hint))
        if hidden := hidden_character(heading):
            message = f"the name of column {number} holds the hidden character {hidden}"
            raise DataError(Problem("heading", message, place, hint="remove it"))


def _delimiter(first: str, second: str) -> str:
    """Return what cuts the heading into most columns; of equals, what cuts the first row into as many."""

    def columns(line: str, delimiter: str) -> int:
        return len(next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []))

    def merit(delimiter: str) -> tuple[int, bool]:
        count = columns(first, delimiter)
        return count, columns(second, delimiter) == count

    return max(DELIMITERS, key=merit)


def _records(sheet: Sheet, text: io.TextIOWrapper) -> Iterator[tuple[int, list[str], str]]:
    """Yield the line that every record begins in, its cells, and all of it as written."""
    read: list[str] = []

    def lines() -> Iterator[str]:
        for line in text:
            read.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=sheet.delimiter, skipinitialspace=True, strict=True)
    while True:
        line = reader.line_num + 1
        read.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            hint = "close the quotes, and write a quote inside a quoted text twice"
            message = f"the row that begins here cannot be read: {error}"
            raise DataError(Problem("row", message, Position(sheet.file, line), hint=hint)) from None
        yield line, cells, "".join(read)


def _cell_begins(text: str, delimiter: str, column: int) -> tuple[int, int]:
    """Return how many lines below a record's first one a cell begins, and behind how many characters of its line."""
    cut, begin = re.escape(delimiter), 0
    cell = re.compile(f' *(?:"(?:[^"]|"")*")?[^{cut}]*{cut}')
    for _ in range(column):
        match = cell.match(text, begin)
        assert match is not None, "as many cells were read"
        begin = match.end()
    begin += len(text[begin:]) - len(text[begin:].lstrip(" "))
    return text.count("\n", 0, begin), begin - (text.rfind("\n", 0, begin) + 1)


def opened_text(file: str, content: bytes | None) -> io.TextIOWrapper:
    """Return a file, or the `content` of a pipe, as UTF-8 text. Raises DataError where there is no such file."""
    return io.TextIOWrapper(_opened(file, content), encoding="utf-8-sig", newline="")


def _opened(file: str, content: bytes | None) -> BinaryIO:
    if content is not None:
        return io.BytesIO(content)
    try:
        return Path(file).open("rb")
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        message = f"there is no file {file}" if missing else f"{file} cannot be read: {error.strerror or error}"
        raise DataError(Problem("data-missing", message, hint="correct the path")) from None


def refuse_encoding(file: str, content: bytes | None) -> NoReturn:
    """Raise DataError with the first line that is not UTF-8."""
    hint = "save it as UTF-8, for example `iconv -f LATIN1 -t UTF-8`"
    name = name_of(file)
    with _opened(file, content) as binary:
        begin = binary.read(1024)
        if begin[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise DataError(Problem("encoding", f"{name} is UTF-16, expected UTF-8", hint="save it as UTF-8"))
        if b"\0" in begin:  # a photo, say
            raise _not_text(file)
        binary.seek(0)
        for number, raw in enumerate(binary, start=1):
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                message = f"line {number} is not UTF-8 text: it holds the byte 0x{raw[error.start]:02x}"
                raise DataError(Problem("encoding", message, Position(file, number), hint=hint)) from None
    raise DataError(Problem("encoding", f"{name} is not UTF-8 text", hint=hint))


def _not_text(file: str) -> DataError:
    return DataError(Problem("encoding", f"{name_of(file)} is not text", hint="give a text file in UTF-8"))


def _values(count: int) -> str:
    return f"{count} value" + ("s" if count != 1 else "")
