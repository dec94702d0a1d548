"""What the columns of a CSV file mean: as a spec writes it, and as it is once the file was looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from nnctl.component.types import Count, as_tuple
from nnctl.kinds.layers.shape import Shape

MOST_LEVELS = 10_000
"""Levels of a category that a run's own spec writes down."""
LETTERS = 128
"""Codes of a text: ASCII, 0 for what is left of it."""
MISSING = frozenset({"", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"})
"""What stands for a number that is not known. A category is missing only where nothing is written."""

Fill: TypeAlias = Literal["mean", "median", "most_frequent"]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CategoryColumn(_Entry):
    """A column of codes."""

    category: Annotated[int, Field(ge=1, le=MOST_LEVELS)]
    """How many levels there are at most."""
    levels: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] | None = None
    """Their names in the order of their codes; those of the training file, sorted, if not given."""


class TextLength(_Entry):
    """How long a text is."""

    length: Count
    """Characters that are kept."""


class TextColumn(_Entry):
    """A column of letters."""

    text: TextLength
    """Its length."""


Role: TypeAlias = Literal["number", "category"] | CategoryColumn | TextColumn


@dataclass(frozen=True)
class Column:
    """One column that enters the network."""

    heading: str
    kind: Literal["number", "category", "text"]
    levels: tuple[str, ...] | None = None
    """A category's values by code; None where they are not known yet."""
    size: int = 1
    """Codes of a category, characters of a text."""

    @property
    def field(self) -> str:
        """Return its name in `data.FIELD`."""
        return field_name(self.heading)

    @property
    def role(self) -> Role:
        """Return what a spec writes to say all of this."""
        if self.kind == "number":
            return "number"
        if self.kind == "text":
            return TextColumn(text=TextLength(length=self.size))
        return CategoryColumn(category=self.size, levels=self.levels)

    @property
    def features(self) -> int:
        """Return how many numbers it is in one vector: one for each level of a category."""
        return self.size if self.kind == "category" else 1


@dataclass(frozen=True)
class Table:
    """How rows become samples: the columns that enter, and the target."""

    columns: tuple[Column, ...]
    target: str
    classes: tuple[str, ...] | None
    """The classes by number; None for regression."""
    one_hot: bool
    """Whether all columns make one vector, categories with a place for each level."""
    gaps: bool
    """Whether numbers may be missing."""
    rows: int | None = None
    """How many there are, where all were seen."""
    notes: tuple[str, ...] = ()
    """What was inferred, in words."""

    def shapes(self) -> dict[str, Shape]:
        """Return the fields of a sample by name: one vector, or the numbers together and every other column by itself.

        A single one is called `input`.
        """
        if self.one_hot:
            return {"input": Shape((sum(column.features for column in self.columns),))}
        numbers = sum(column.kind == "number" for column in self.columns)
        fields = {"numbers": Shape((numbers,))} if numbers else {}
        for column in self.columns:
            if column.kind == "category":
                fields[column.field] = Shape((), vocabulary=column.size)
            elif column.kind == "text":
                fields[column.field] = Shape((column.size,), vocabulary=LETTERS)
        return {"input": next(iter(fields.values()))} if len(fields) == 1 else fields

    def single(self) -> str | None:
        """Return the name that a single field has beside `input`."""
        names = {"numbers" if column.kind == "number" else column.field for column in self.columns}
        return names.pop() if len(names) == 1 and not self.one_hot else None


def field_name(heading: str) -> str:
    """Return a heading as a name of the language: `_` stands for all that no name may hold."""
    name = re.sub("[^A-Za-z0-9_]", "_", heading)
    return f"_{name}" if name[:1].isdigit() else name


def number_of(cell: str) -> float:
    """Return the number that a cell holds. Raises ValueError where it is none, or not finite."""
    if "_" in cell or not cell.isascii():
        raise ValueError(cell)
    number = float(cell)
    if not abs(number) <= 3e38:  # what float32 holds; not a number at all compares false
        raise ValueError(cell)
    return number


def class_name(cell: str) -> str:
    """Return the class that a cell names: 2 and 2.0 are the same."""
    return re.sub(r"^([+-]?\d+)\.0*$", r"\1", cell)
