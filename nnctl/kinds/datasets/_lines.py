"""A text file of labelled lines: a label, a tab, a text; every mistake is named with file and line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from nnctl.errors import DataError, Position, Problem
from nnctl.kinds.datasets._csv_file import Row, Sheet, opened_text, refuse_encoding
from nnctl.kinds.datasets._csv_problems import listed
from nnctl.kinds.datasets._csv_seen import Seen, classes_of, normal

FIRST = 2 << 20
"""Bytes of a file that `check` looks at."""
_AT_ONCE = 2048


@dataclass(frozen=True)
class Corpus:
    """What the lines of a file hold: classes, and words from the most frequent on."""

    classes: tuple[str, ...]
    words: tuple[str, ...]
    rows: int | None
    """How many lines there are, where all were seen."""
    notes: tuple[str, ...]


def labelled(file: str) -> Iterator[Row]:
    """Yield each line as label and text; empty ones are left out. Raises DataError for a line without a tab."""
    for number, line, text in _lines(file, None):
        label, tab, rest = text.partition("\t")
        if not tab or not label.strip():
            what = "no tab" if not tab else "nothing before its tab"
            hint = "write `LABEL<tab>TEXT`"
            raise DataError(Problem("row", f"line {line} has {what}", Position(file, line), hint=hint))
        yield Row(number, line, [label.strip(), rest.strip()])


def unlabelled(file: str, content: bytes | None) -> Iterator[Row]:
    """Yield each line as a text; empty ones are left out."""
    for number, line, text in _lines(file, content):
        yield Row(number, line, [text.strip()])


def words_of(text: str) -> list[str]:
    """Return a text's words, without capitals and punctuation."""
    return "".join(sign if sign.isalnum() or sign in "'’" else " " for sign in normal(text).lower()).split()


@lru_cache(maxsize=8)
def study(
    file: str, stamp: tuple[int, int], classes: int | tuple[str, ...] | None, words: int | None, whole: bool
) -> Corpus:
    """Return what the first lines of a file hold, or all. `stamp` changes where the file does."""
    sheet = Sheet(file, (), "\t")
    seen, counts, spent = Seen("label"), Counter[str](), 0
    rows, complete = labelled(file), True
    while some := list(islice(rows, _AT_ONCE)):
        seen.add(sheet, some, 0)
        for row in some if words is not None else ():
            counts.update(words_of(row.cells[1]))
        spent += sum(len(row.cells[1]) + len(row.cells[0]) + 2 for row in some)
        if spent > FIRST and not whole:
            complete = next(rows, None) is None
            break
    if not seen.rows:
        raise DataError(Problem("empty", f"{file} has no lines", hint="write `LABEL<tab>TEXT` in each"))
    found = classes_of(seen, classes, complete)
    frequent = sorted(counts, key=lambda word: (-counts[word], word))[: words or 0]
    said = f"classes, as {'' if complete else 'the first '}{seen.rows:,} lines say: {listed(list(found))}"
    return Corpus(found, tuple(frequent), seen.rows if complete else None, () if classes is not None else (said,))


def _lines(file: str, content: bytes | None) -> Iterator[tuple[int, int, str]]:
    """Yield number, line and text of what is not empty."""
    number = 0
    with opened_text(file, content) as lines:
        try:
            for line, text in enumerate(lines, start=1):
                if text.strip():
                    number += 1
                    yield number, line, text.rstrip("\r\n")
        except UnicodeDecodeError:
            refuse_encoding(file, content)
