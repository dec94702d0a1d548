"""Where CIFAR-100 lies and what it is made of."""

from __future__ import annotations

from pathlib import Path

from nnctl.data.cifar import Labels, Version, read_cifar
from nnctl.data.download import Source
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.kinds.datasets.base import SplitName

CIFAR100 = Version(
    title="CIFAR-100",
    archive=Source(
        "cifar-100-binary.tar.gz", 168_513_733, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec"
    ),
    folder="cifar-100-binary",
    files={"train": ("train.bin",), "test": ("test.bin",)},
    labels=("coarse", "fine"),
    records=50_000,
)


def read_cifar100(root: Path, split: SplitName, labels: Labels, progress: Progress) -> Samples:
    """Return the photos of a split with the labels that are wanted."""
    options = {"kind": "cifar100", "labels": labels.wanted}
    return read_cifar(CIFAR100, root, split, labels, options, progress)
