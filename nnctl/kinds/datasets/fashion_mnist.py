"""Fashion-MNIST."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

CLASSES = (
    *("t-shirt/top", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)


class FashionMnist(Dataset):
    """70,000 pictures of clothes, 28×28 pixels in ten classes, 10,000 of them for the test: MNIST's form, but harder.

    Under the root: `FashionMNIST/raw/*-ubyte` or the official `.gz` files, which are fetched where they are missing.
    """

    kind = "fashion_mnist"
    places = ("FashionMNIST/raw",)
    paper = "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST, a novel image dataset for benchmarking, 2017"
    examples = (Example("fashion_mnist"),)

    def facts(self, root: Path) -> Facts:
        """Return the constants."""
        inputs = {"input": Shape((1, 28, 28))}
        return Facts("classification", inputs, 10, CLASSES, train=60_000, test=10_000)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the pictures of a split."""
        from nnctl.data.fashion_mnist import FASHION_MNIST
        from nnctl.data.idx_set import read_idx_set

        return read_idx_set(FASHION_MNIST, root, split, CLASSES, progress)
