"""Samples written in the spec itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, model_validator

from nnctl.component.base import Example
from nnctl.component.types import Expected, Number, WholeNumber, as_tuple
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

LARGEST_CLASS = 100_000


class Points(Dataset):
    """Samples given in the spec: for experiments by hand. They are used as written, all for training."""

    kind = "points"
    test_exists = False
    standardised = False
    examples = (
        Example("points: {x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0, 1, 1, 0]}"),
        Example("points: {x: [[1.0], [2.0]], y: [0.5, 0.25]}"),
        Example("points: {x: [[1.0], [2.0]], y: [[0.5, 1.5], [0.25, 1.0]]}"),
    )

    x: Annotated[
        tuple[Annotated[tuple[Number, ...], Field(min_length=1)], ...],
        Field(min_length=1),
        BeforeValidator(as_tuple),
        Expected("a list of samples, each a list of numbers"),
    ]
    """The inputs, a list of numbers for each sample."""
    y: Annotated[
        tuple[WholeNumber, ...] | tuple[Number, ...] | tuple[Annotated[tuple[Number, ...], Field(min_length=1)], ...],
        BeforeValidator(as_tuple),
        Expected("a class 0, 1, …, a number, or a list of numbers for each sample"),
    ]
    """The targets: whole numbers are classes; numbers with a decimal point, or lists, are for regression."""

    @model_validator(mode="after")
    def _check_lengths(self) -> Points:
        if len(self.x) != len(self.y):
            raise ValueError(
                f"`points` has {len(self.x)} samples in `x` but {len(self.y)} in `y`; give one y for each x"
            )
        if (largest := max(self.labels() or (0,))) >= LARGEST_CLASS:
            raise ValueError(f"`points` has the class {largest} in `y`; number the classes 0, 1, …")
        for name, rows in (("x", self.x), ("y", self.rows_of_y())):
            odd = next((number for number, row in enumerate(rows) if len(row) != len(rows[0])), None)
            if odd is not None:
                lengths = f"{len(rows[odd])} numbers in {name}[{odd}], but {len(rows[0])} in {name}[0]"
                raise ValueError(f"`points` has {lengths}; give every sample the same number")
        return self

    def labels(self) -> tuple[int, ...] | None:
        """Return the classes of the samples, or None for regression."""
        labels = tuple(value for value in self.y if isinstance(value, int))
        return labels if len(labels) == len(self.y) else None

    def rows_of_y(self) -> tuple[tuple[float, ...], ...]:
        """Return the targets as lists of numbers."""
        return tuple(value if isinstance(value, tuple) else (float(value),) for value in self.y)

    def class_names(self) -> tuple[str, ...] | None:
        """Return the classes 0 … the largest label as text, or None for regression."""
        labels = self.labels()
        return None if labels is None else tuple(str(number) for number in range(max(labels) + 1))

    def facts(self, root: Path) -> Facts:
        """Return what the lists say."""
        inputs, names, count = {"input": Shape((len(self.x[0]),))}, self.class_names(), len(self.x)
        if names is None:
            return Facts("regression", inputs, targets=len(self.rows_of_y()[0]), train=count)
        return Facts("classification", inputs, len(names), names, train=count)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the samples."""
        from nnctl.data.tables import table

        labels = self.labels()
        return table(self.x, self.rows_of_y() if labels is None else labels, self.class_names())
