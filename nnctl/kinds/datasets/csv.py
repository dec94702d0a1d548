"""Tables in CSV files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, FilePath, Flag, Text, as_tuple
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._csv_columns import CategoryColumn, Column, Fill, Role, Table, TextColumn
from nnctl.kinds.datasets._csv_survey import Question, survey
from nnctl.kinds.datasets.base import TEST_SHARE, Dataset, Facts, SplitName, count_of

if TYPE_CHECKING:
    from nnctl.data.fresh import Fresh
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

Columns = Annotated[
    dict[str, Role],
    Field(min_length=1),
    Expected("number, category, {category: 9} or {text: {length: 20}}"),
]


class Csv(Dataset):
    """Rows of CSV files: numbers, categories and texts, and a target to predict.

    The first line names the columns; files are UTF-8, the delimiter (comma, semicolon, tab or |) is inferred. Of the
    rows a fixed 20% is the test split.

    Without `columns` every column but the target enters, in one vector `input`: numbers standardised, categories with
    a 0 or 1 for each level. A column of numbers is a number, one of few texts a category; `check` and `train` say what
    they inferred. With `columns` only those named enter: numbers together as `data.numbers`, every category and
    text as a field of its own, `data.NAME` with `_` for what no name may hold; a single field is also `input`.

    The codes of a category are those of its levels in the training file, sorted; rows with other levels are refused.
    Texts are ASCII codes, without accents, `?` for other signs, cut to `length` or filled up with 0 on the left.

    Values may be missing: a number where nothing, ?, NA, N/A, NaN, null or None is written, a category where nothing
    is. They are refused unless `missing` says how numbers are filled; a missing category is then a level of its own. A
    missing target is always refused. A text may be empty: it is all 0.
    """

    kind = "csv"
    examples = (
        Example("csv: {path: iris.csv, target: species}"),
        Example(
            "csv: {path: adult.csv, target: income, classes: 2, columns: {age: number, native country: {category: 42}}}"
        ),
        Example("csv: {path: names.csv, target: language, classes: 18, columns: {name: {text: {length: 20}}}}"),
        Example("csv: {path: [north.csv, south.csv], target: price, task: regression, missing: median}"),
    )

    path: Annotated[
        FilePath | Annotated[tuple[FilePath, ...], Field(min_length=1)],
        BeforeValidator(as_tuple),
        Expected("a path, or a list of paths"),
    ]
    """The file, or several with the same columns."""
    target: Text
    """The column to predict."""
    columns: Columns | None = None
    """The columns that enter, each `number`, `category`, `{category: n}` with n levels at most, or
    `{text: {length: n}}`."""
    classes: Annotated[
        Count | Annotated[tuple[Text, ...], Field(min_length=1)] | None,
        BeforeValidator(as_tuple),
        Expected("a whole number of at least 1, or a list of names"),
    ] = None
    """How many classes the target has, or their names; found in the file if not given."""
    task: Annotated[Literal["classification", "regression"] | None, Expected("classification or regression")] = None
    """What the target is for. If not given, texts and up to 20 different whole numbers are classes."""
    one_hot: Flag | None = None
    """Whether all columns make one vector, categories one-hot; if not given, where `columns` is not given."""
    missing: Annotated[Literal["refuse"] | Fill, Expected("refuse, mean, median or most_frequent")] = "refuse"
    """What is done about missing values: refused, or numbers filled with what the training rows say, and an empty
    category taken for a level."""

    @model_validator(mode="after")
    def _check(self) -> Csv:
        if self.task == "regression" and self.classes is not None:
            raise ValueError("`csv` has `classes`, but its `task` is regression; remove one of them")
        if self.target in (self.columns or {}):
            raise ValueError(f"`csv` has its target `{self.target}` among the `columns`; remove it there")
        for heading, role in (self.columns or {}).items():
            if self.one_hot and isinstance(role, TextColumn):
                raise ValueError(f"`csv` cannot put the text `{heading}` into one vector; remove `one_hot`")
            if isinstance(role, CategoryColumn) and len(role.levels or ()) > role.category:
                raise ValueError(f"`{heading}` has more `levels` than its category says; give at most {role.category}")
        return self

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files."""
        return (self.path,) if isinstance(self.path, str) else self.path

    def has_own_test(self, root: Path) -> bool:
        """Return False: 20% is cut."""
        return False

    def facts(self, root: Path) -> Facts:
        """Return what the first rows tell, or what the fields say where a file is missing."""
        absent = next((file for file in self.files if not Path(file).exists()), None)
        if absent is not None:
            return self._facts(self.declared(), f"there is no file {absent}")
        return self._facts(self._survey(whole=False))

    def facts_unseen(self, root: Path) -> Facts:
        """Return what the fields say."""
        return self._facts(self.declared(), "its files were not looked at")

    def _facts(self, table: Table | None, absent: str | None = None) -> Facts:
        regression = self.task == "regression" or (table is not None and self.task is None and table.classes is None)
        classes = self.classes if isinstance(self.classes, int) else None
        names = table.classes if table else None
        test = count_of(TEST_SHARE, table.rows) if table and table.rows is not None else None
        return Facts(
            "regression" if regression and classes is None else "classification",
            table.shapes() if table and table.columns else {},
            classes or (len(names) if names else None),
            names if names and classes in (None, len(names)) else None,
            train=table.rows - test if table and table.rows is not None and test is not None else None,
            test=test,
            absent=absent,
            single=table.single() if table else None,
            notes=table.notes if table else (),
            joined=None if self._holds_text else "write `one_hot: true` in `csv` for one vector of all columns",
        )

    def declared(self) -> Table | None:
        """Return how rows become samples as far as the fields alone say so."""
        columns = tuple(_declared(heading, role) for heading, role in (self.columns or {}).items())
        names = self.classes if isinstance(self.classes, tuple) else None
        known = all(column.size for column in columns)
        return Table(columns if known else (), self.target, names, self._one_hot, self.missing != "refuse")

    def coded_as(self, main: Dataset) -> Dataset:
        """Return the table with the columns and levels of another one."""
        if not isinstance(main, Csv):
            return self
        return self.model_copy(update={"columns": main.columns, "one_hot": main.one_hot})

    def pinned(self, facts: Facts) -> Dataset:
        """Return the table with its columns, levels and classes as all rows of its files tell them.

        Raises DataError where they are more than the first rows told.
        """
        if facts.absent is not None:
            return self
        first, table = self._survey(whole=False), self._survey(whole=True)
        for before, after in zip(first.columns, table.columns, strict=True):
            if before.size != after.size:
                message = f"`{after.heading}` has {after.size} levels, but {before.size} in the first rows"
                hint = f"`check` looks at these alone: write `columns: {{{after.heading}: {{category: {after.size}}}}}`"
                raise DataError(Problem("category", message, hint=hint))
        if self.classes is None and first.classes is not None and len(table.classes or ()) != len(first.classes):
            message = f"the target has {len(table.classes or ())} classes, but {len(first.classes)} in the first rows"
            hint = f"`check` looks at these alone: write `classes: {len(table.classes or ())}`"
            raise DataError(Problem("classes", message, hint=hint))
        return self.model_copy(
            update={
                "columns": {column.heading: column.role for column in table.columns},
                "classes": table.classes,
                "task": "regression" if table.classes is None else "classification",
                "one_hot": table.one_hot,
            }
        )

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return all rows."""
        from nnctl.data.csv_table import read_csv

        table = self._survey(whole=True)
        return read_csv(self.files, table, None if self.missing == "refuse" else self.missing, progress)

    def fresh(self, root: Path, file: str, content: bytes | None) -> Fresh:
        """Return the rows of a new file, whose target is not needed."""
        from nnctl.data.csv_table import fresh_rows

        table = self.declared()
        assert table is not None
        return fresh_rows(file, content, table)

    @property
    def _holds_text(self) -> bool:
        return any(isinstance(role, TextColumn) for role in (self.columns or {}).values())

    @property
    def _one_hot(self) -> bool:
        return self.columns is None if self.one_hot is None else self.one_hot

    def _survey(self, whole: bool) -> Table:
        columns = None if self.columns is None else tuple(self.columns.items())
        stamps = tuple(_stamp(file) for file in self.files)
        gaps = self.missing != "refuse"
        return survey(
            Question(self.files, stamps, self.target, columns, self.classes, self.task, self._one_hot, gaps), whole
        )


def _declared(heading: str, role: Role) -> Column:
    """Return a column as the spec alone describes it; a category of unknown levels has the size 0."""
    if isinstance(role, CategoryColumn):
        return Column(heading, "category", role.levels, role.category)
    if isinstance(role, TextColumn):
        return Column(heading, "text", size=role.text.length)
    return Column(heading, role, size=1 if role == "number" else 0)


def _stamp(file: str) -> tuple[int, int]:
    """Return size and time of a file; zeros where it is missing, which opening it will say."""
    try:
        status = os.stat(file)
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns
