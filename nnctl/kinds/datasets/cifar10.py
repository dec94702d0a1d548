"""CIFAR-10."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Cifar10(Dataset):
    """60,000 colour photos of 32×32 pixels in ten classes, 10,000 of them for the test.

    Under the root: the folder `cifar-10-batches-bin`, or `cifar-10-binary.tar.gz`, which is fetched where both
    are missing. The version for Python is not read: its format can run code.
    """

    kind = "cifar10"
    places = ("cifar-10-batches-bin", "cifar-10-binary.tar.gz")
    paper = "A. Krizhevsky: Learning multiple layers of features from tiny images, 2009"
    examples = (Example("cifar10"),)

    def facts(self, root: Path) -> Facts:
        """Return the constants."""
        return Facts("classification", {"input": Shape((3, 32, 32))}, 10, CLASSES, train=50_000, test=10_000)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the photos of a split."""
        from nnctl.data.cifar10 import read_cifar10

        return read_cifar10(root, split, CLASSES, progress)
