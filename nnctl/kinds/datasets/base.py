"""What a data set is to the front end: shapes, classes and counts, known without decoding anything."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

from nnctl.component.base import Component
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.fresh import Fresh
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

SplitName: TypeAlias = Literal["train", "test"]
TEST_SHARE = 0.2
"""What is cut from a set without a test split of its own."""


def count_of(part: float, samples: int) -> int:
    """Return how many of `samples` a share (a fraction) or a number (an int) of them is; shares are rounded down."""
    if isinstance(part, int):
        return min(part, samples)
    return min(int(part * samples + 1e-9), samples)  # 0.29 × 100 is 28.999… in binary


@dataclass(frozen=True)
class Facts:
    """What is known of a data set before it is read. None stands for "not known"."""

    task: Literal["classification", "regression"]
    inputs: dict[str, Shape] = field(default_factory=dict)
    """The fields beside `target`; a single one is called `input`."""
    classes: int | None = None
    """Classes of the target; None for regression."""
    class_names: tuple[str, ...] | None = None
    targets: int = 1
    """Numbers per sample to predict; regression only."""
    train: int | None = None
    """Samples in the training set, before `subset` and `validation` are cut."""
    test: int | None = None
    absent: str | None = None
    """What was not there to be looked at, in words."""
    single: str | None = None
    """The name that a single field has beside `input`."""
    notes: tuple[str, ...] = ()
    """What was inferred from the files rather than said by the spec, in words."""
    joined: str | None = None
    """What to write so that several fields are one `input`, in words; None where nothing does that."""


class Dataset(Component):
    """A component that names samples: where they lie, what shape they have, and how they are read."""

    family = "datasets"

    places: ClassVar[tuple[str, ...]] = ()
    """Files or folders under `data.root` any one of which holds the set; none for sets that lie elsewhere."""
    test_exists: ClassVar[bool] = True
    """False for xor and points, which have `train` alone."""
    standardised: ClassVar[bool] = True
    """Whether inputs get mean 0 and deviation 1; False for sets whose numbers the user or a formula gives."""
    white: ClassVar[int] = 255
    """The value of full brightness in the set's photos; 0 is black."""

    @property
    def under_root(self) -> bool:
        """Return whether the files lie under `data.root`."""
        return bool(self.places)

    def has_own_test(self, root: Path) -> bool:
        """Return whether `test` is read; otherwise a fixed 20% of the set is cut for it, if it exists at all."""
        return self.test_exists

    @abstractmethod
    def facts(self, root: Path) -> Facts:
        """Return what is known at check time: constants, or what listing a folder and reading one header tell.

        Torch-free and quick. Raises DataError where files that must be looked at are missing.
        """

    def facts_unseen(self, root: Path) -> Facts:
        """Return what is known without a look at any file, all that a run's own spec writes down."""
        return self.facts(root)

    @abstractmethod
    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return a split's samples, raw (uint8 images, float32 numbers), decoding into the cache where needed.

        Sets without a test split of their own return all samples for `train` and are never asked for `test`.
        `seed` matters only to generated sets; `progress` is told of long work. Raises DataError, naming the
        file, where something is missing or damaged.
        """

    def fresh(self, root: Path, file: str, content: bytes | None) -> Fresh:
        """Return new samples in a file, or in `content` where they were piped in, to predict their target.

        What cannot be read of several rows is among its problems. Raises DataError where nothing can.
        """
        from nnctl.data.fresh_files import read_fresh

        return read_fresh(self.facts_unseen(root).inputs, file, content, self.white)

    def coded_as(self, main: Dataset) -> Dataset:
        """Return the set with the codes of categories and words that `main`, which is pinned, gives them: a stream's
        codes must mean to the network what the data set's do."""
        return self

    def pinned(self, facts: Facts) -> Dataset:
        """Return the data set with all that was found out about it written down, as a run's own spec holds it: its
        network can then be built where the data is not."""
        return self
