"""Sets drawn from a formula and the seed."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from nnctl.component.types import Count, Expected, NonNegative
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples


class Toy(Dataset):
    """Points of a plane in classes of equal size, drawn from the seed; `test` is drawn afresh."""

    standardised = False

    samples: Count = 1000
    """Points for training; as many again are drawn for the test."""
    classes: Annotated[int, Field(ge=2, le=1000), Expected("a whole number from 2 to 1000")] = 2
    """Number of classes."""
    noise: NonNegative = 0.1
    """Standard deviation of the normal noise added to both coordinates."""

    def facts(self, root: Path) -> Facts:
        """Return what the fields say."""
        names = tuple(str(number) for number in range(self.classes))
        shape = {"input": Shape((2,))}
        return Facts("classification", shape, self.classes, names, train=self.samples, test=self.samples)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the points of a split."""
        from nnctl.data.toys import draw

        return draw(self, split, seed)

    @abstractmethod
    def centres(self, labels: Tensor, generator: Generator) -> Tensor:
        """Return the point (N, 2) of each label before noise is added."""
