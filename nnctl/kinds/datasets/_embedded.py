"""Small real sets that come with scikit-learn: their facts are constants."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from nnctl.kinds.datasets.base import TEST_SHARE, Dataset, Facts, SplitName, count_of
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples


class Embedded(Dataset):
    """A set of scikit-learn's, without a test split of its own."""

    samples: ClassVar[int]
    shape: ClassVar[tuple[int, ...]]
    names: ClassVar[tuple[str, ...] | None] = None
    """Names of the classes; None for regression."""

    def has_own_test(self, root: Path) -> bool:
        """Return False: 20% is cut."""
        return False

    def facts(self, root: Path) -> Facts:
        """Return the constants."""
        test = count_of(TEST_SHARE, self.samples)
        return Facts(
            task="classification" if self.names else "regression",
            inputs={"input": Shape(self.shape)},
            classes=len(self.names) if self.names else None,
            class_names=self.names,
            train=self.samples - test,
            test=test,
        )

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return all samples."""
        from nnctl.data.embedded import read_embedded

        return read_embedded(self.kind, self.shape, self.names)
