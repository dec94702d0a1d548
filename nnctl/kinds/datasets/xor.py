"""The exclusive or."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples


class Xor(Dataset):
    """The four points {0, 1}², in class 1 where exactly one coordinate is 1: not solvable by a linear map."""

    kind = "xor"
    test_exists = False
    standardised = False
    paper = "M. Minsky, S. Papert: Perceptrons, 1969"
    examples = (Example("xor"),)

    def facts(self, root: Path) -> Facts:
        """Return the constants."""
        return Facts("classification", {"input": Shape((2,))}, classes=2, class_names=("0", "1"), train=4)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the four points."""
        from nnctl.data.tables import table

        return table([(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)], [0, 1, 1, 0], ("0", "1"))
