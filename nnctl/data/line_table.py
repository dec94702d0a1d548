"""Lines of text as codes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from nnctl.data.csv_table import letters
from nnctl.data.fresh import Fresh
from nnctl.data.samples import Samples
from nnctl.data.tables import in_memory
from nnctl.errors import DataError, Position, Problem, name_of
from nnctl.kinds.datasets._csv_problems import unknown_level
from nnctl.kinds.datasets._csv_seen import class_of
from nnctl.kinds.datasets._lines import labelled, unlabelled, words_of

_OTHER, _FIRST = 1, 2  # codes of a word that is not known, and of the first that is


def read_lines(file: str, classes: tuple[str, ...], length: int, words: tuple[str, ...] | None) -> Samples:
    """Return all lines of a file. Raises DataError, naming the line, for a label that is not one of `classes`."""
    labels = {name: label for label, name in enumerate(classes)}
    target, texts = list[int](), list[str]()
    for row in labelled(file):
        name = class_of(row.cells[0])
        if name not in labels:
            place = Position(file, row.line)
            raise DataError(unknown_level(f"line {row.line}", place, "the label", name, classes))
        target.append(labels[name])
        texts.append(row.cells[1])
    return in_memory(_codes(texts, length, words), torch.tensor(target), classes)


def fresh_lines(file: str, content: bytes | None, length: int, words: tuple[str, ...] | None) -> Fresh:
    """Return the lines of a new file. Raises DataError where there are none."""
    rows = list(unlabelled(file, content))
    if not rows:
        raise DataError(Problem("empty", f"{name_of(file)} has no lines", hint="give a text in each line"))
    codes = _codes([row.cells[0] for row in rows], length, words)
    return Fresh({"input": codes}, tuple((file, row.number) for row in rows))


def _codes(texts: Sequence[str], length: int, words: tuple[str, ...] | None) -> Tensor:
    """Return texts as codes (N, length) of characters or words, 0 on the left of short ones."""
    if words is None:
        return letters(texts, length)
    known = {word: code for code, word in enumerate(words, start=_FIRST) if word}
    codes = torch.zeros(len(texts), length, dtype=torch.int64)
    for row, text in enumerate(texts):
        found = [known.get(word, _OTHER) for word in words_of(text)[:length]]
        if found:
            codes[row, -len(found) :] = torch.tensor(found)
    return codes
