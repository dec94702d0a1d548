"""MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

CLASSES = tuple("0123456789")


class Mnist(Dataset):
    """70,000 handwritten digits of 28×28 pixels in ten classes, 10,000 of them for the test.

    Under the root: `MNIST/raw/*-ubyte` or the official `.gz` files, which are fetched where they are missing.
    """

    kind = "mnist"
    places = ("MNIST/raw",)
    paper = "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition, 1998"
    examples = (Example("mnist"),)

    def facts(self, root: Path) -> Facts:
        """Return the constants."""
        inputs = {"input": Shape((1, 28, 28))}
        return Facts("classification", inputs, 10, CLASSES, train=60_000, test=10_000)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the digits of a split."""
        from nnctl.data.idx_set import read_idx_set
        from nnctl.data.mnist import MNIST

        return read_idx_set(MNIST, root, split, CLASSES, progress)
