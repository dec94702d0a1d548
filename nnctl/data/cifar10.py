"""Where CIFAR-10 lies and what it is made of."""

from __future__ import annotations

from pathlib import Path

from nnctl.data.cifar import Labels, Version, read_cifar
from nnctl.data.download import Source
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.kinds.datasets.base import SplitName

CIFAR10 = Version(
    title="CIFAR-10",
    archive=Source(
        "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
    ),
    folder="cifar-10-batches-bin",
    files={
        "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
        "test": ("test_batch.bin",),
    },
    labels=("class",),
    records=10_000,
)


def read_cifar10(root: Path, split: SplitName, classes: tuple[str, ...], progress: Progress) -> Samples:
    """Return the photos of a split with their classes."""
    return read_cifar(CIFAR10, root, split, Labels("class", {"class": classes}), {"kind": "cifar10"}, progress)
