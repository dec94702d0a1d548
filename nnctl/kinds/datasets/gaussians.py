"""Normal clouds around given points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field, model_validator

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, Number, Positive, as_tuple
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples


class Gaussians(Dataset):
    """Normal clouds in any number of dimensions, one class around each mean, drawn from the seed.

    x ~ N(mean of the class, std² I). Classes are of equal size; `test` is drawn afresh. No classifier of two classes
    at the distance d errs less than Φ(−d / (2 std)) of the time.
    """

    kind = "gaussians"
    standardised = False
    examples = (
        Example("gaussians: {means: [[0], [1]], samples: 400}"),
        Example("gaussians: {means: [[0, 0, 0], [2, 0, 0], [0, 2, 0]], std: 0.5}"),
    )

    means: Annotated[
        tuple[Annotated[tuple[Number, ...], Field(min_length=1)], ...],
        Field(min_length=1, max_length=1000),
        BeforeValidator(as_tuple),
        Expected("a list of means, each a list of numbers"),
    ]
    """The mean of each class, a list of numbers."""
    std: Positive = 1.0
    """Standard deviation in every direction."""
    samples: Count = 1000
    """Points for training; as many again are drawn for the test."""

    @model_validator(mode="after")
    def _check_lengths(self) -> Gaussians:
        odd = next((place for place, mean in enumerate(self.means) if len(mean) != len(self.means[0])), None)
        if odd is not None:
            lengths = f"{len(self.means[odd])} numbers in means[{odd}], but {len(self.means[0])} in means[0]"
            raise ValueError(f"`gaussians` has {lengths}; give every mean the same number")
        return self

    def facts(self, root: Path) -> Facts:
        """Return what the fields say."""
        names = tuple(str(number) for number in range(len(self.means)))
        inputs = {"input": Shape((len(self.means[0]),))}
        return Facts("classification", inputs, len(names), names, train=self.samples, test=self.samples)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the points of a split."""
        from nnctl.data.generated import draw_gaussians

        return draw_gaussians(self.means, self.std, self.samples, split, seed)
