"""Labelled lines of text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, FilePath, Text, as_tuple
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._csv_columns import LETTERS
from nnctl.kinds.datasets._lines import Corpus, study
from nnctl.kinds.datasets.base import TEST_SHARE, Dataset, Facts, SplitName, count_of
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.fresh import Fresh
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples


class Lines(Dataset):
    """A file of labelled lines, `LABEL<tab>TEXT`: sequences of codes for characters or words, to be classified.

    Characters are ASCII codes, without accents, `?` for other signs. With `words` the most frequent words, without
    capitals and punctuation, have codes from 2 on, 1 is any other word. Texts are cut to `length` or filled up with 0
    on the left. The file is UTF-8; of its lines a fixed 20% is the test split.
    """

    kind = "text"
    examples = (
        Example("text: {path: names.tsv, length: 20}"),
        Example("text: {path: reviews.tsv, length: 40, words: 5000, classes: 2}"),
    )

    path: FilePath
    """The file."""
    length: Count
    """Characters, or words, that are kept of each line."""
    words: Annotated[
        Annotated[int, Field(ge=1, le=20_000)] | tuple[Text, ...] | None,
        BeforeValidator(as_tuple),
        Expected("a whole number from 1 to 20000, or a list of words"),
    ] = None
    """How many words have a code of their own, or these words in order; not given, texts are characters."""
    classes: Annotated[
        Count | Annotated[tuple[Text, ...], Field(min_length=1)] | None,
        BeforeValidator(as_tuple),
        Expected("a whole number of at least 1, or a list of names"),
    ] = None
    """How many labels there are, or their names; found in the file if not given."""

    def has_own_test(self, root: Path) -> bool:
        """Return False: 20% is cut."""
        return False

    @property
    def vocabulary(self) -> int:
        """Return how many codes there are."""
        if self.words is None:
            return LETTERS
        return 2 + (self.words if isinstance(self.words, int) else len(self.words))

    def facts(self, root: Path) -> Facts:
        """Return what the first lines tell, or what the fields say where the file is missing."""
        if not Path(self.path).exists():
            return self._facts(None, f"there is no file {self.path}")
        return self._facts(self._study(whole=False))

    def facts_unseen(self, root: Path) -> Facts:
        """Return what the fields say."""
        return self._facts(None, "the file was not looked at")

    def _facts(self, corpus: Corpus | None, absent: str | None = None) -> Facts:
        names = corpus.classes if corpus else self.classes if isinstance(self.classes, tuple) else None
        count = self.classes if isinstance(self.classes, int) else len(names) if names else None
        test = count_of(TEST_SHARE, corpus.rows) if corpus and corpus.rows is not None else None
        return Facts(
            "classification",
            {"input": Shape((self.length,), vocabulary=self.vocabulary)},
            count,
            names if names and len(names) == count else None,
            train=corpus.rows - test if corpus and corpus.rows is not None and test is not None else None,
            test=test,
            absent=absent,
            single="text",
            notes=corpus.notes if corpus else (),
        )

    def coded_as(self, main: Dataset) -> Dataset:
        """Return the file with the words of another one."""
        return self.model_copy(update={"words": main.words}) if isinstance(main, Lines) else self

    def pinned(self, facts: Facts) -> Dataset:
        """Return the file with the labels and words of all its lines. Raises DataError where labels are more than the
        first lines told."""
        if facts.absent is not None:
            return self
        corpus = self._study(whole=True)
        if facts.classes is not None and len(corpus.classes) != facts.classes:
            message = f"the lines have {len(corpus.classes)} labels, but {facts.classes} in the first lines"
            hint = f"`check` looks at these alone: write `classes: {len(corpus.classes)}`"
            raise DataError(Problem("classes", message, hint=hint))
        return self.model_copy(update={"classes": corpus.classes, "words": self._words(corpus)})

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return all lines."""
        from nnctl.data.line_table import read_lines

        corpus = self._study(whole=True)
        return read_lines(self.path, corpus.classes, self.length, self._words(corpus))

    def fresh(self, root: Path, file: str, content: bytes | None) -> Fresh:
        """Return the lines of a new file, each a text without a label."""
        from nnctl.data.line_table import fresh_lines

        return fresh_lines(file, content, self.length, self.words if isinstance(self.words, tuple) else None)

    def _words(self, corpus: Corpus) -> tuple[str, ...] | None:
        """Return the words that have codes; fewer than asked for are filled up, so that the codes stay as many."""
        if not isinstance(self.words, int):
            return self.words
        return (*corpus.words, *[""] * (self.words - len(corpus.words)))

    def _study(self, whole: bool) -> Corpus:
        status = os.stat(self.path)
        words = self.words if isinstance(self.words, int) else None
        return study(self.path, (status.st_size, status.st_mtime_ns), self.classes, words, whole)
