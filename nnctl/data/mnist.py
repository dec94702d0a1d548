"""MNIST's four files, in torchvision's layout."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from nnctl.data.cache import Decoded, Sink, remember
from nnctl.data.download import DownloadFailed, Source, fetch
from nnctl.data.idx import read_idx
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets.base import SplitName

ADDRESSES = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
FILES: dict[SplitName, tuple[Source, Source]] = {
    "train": (
        Source(
            "train-images-idx3-ubyte.gz",
            9_912_422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        ),
        Source(
            "train-labels-idx1-ubyte.gz", 28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        ),
    ),
    "test": (
        Source(
            "t10k-images-idx3-ubyte.gz",
            1_648_877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        ),
        Source("t10k-labels-idx1-ubyte.gz", 4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ),
}
_CLASSES = tuple("0123456789")


def read_mnist(root: Path, split: SplitName, progress: Progress) -> Samples:
    """Return a split from `root/MNIST/raw`: unpacked files, else gzipped ones, else fetched ones."""
    folder = root / "MNIST" / "raw"
    images, labels = (_find(folder, source, progress) for source in FILES[split])
    return remember([str(images), str(labels)], {"kind": "mnist"}, partial(_decode, images, labels))


def _find(folder: Path, source: Source, progress: Progress) -> Path:
    unpacked = folder / source.name.removesuffix(".gz")
    for path in (unpacked, folder / source.name):
        if path.is_file():
            return path
    try:
        return fetch(source, ADDRESSES, folder, progress)
    except DownloadFailed as error:
        expected = [f"{folder / name}.gz" for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")]
        expected += [f"{folder / name}.gz" for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")]
        raise DataError(
            Problem(
                "data-missing",
                f"MNIST is not in {folder} and cannot be downloaded",
                details=("expected, with or without .gz:", *expected, f"tried {error}"),
                hint="put these files there, or name the folder that has MNIST/raw in data.root or $NNCTL_DATA",
            )
        ) from error


def _decode(image_file: Path, label_file: Path, sink: Sink) -> Decoded:
    (count, height, width), pixels = read_idx(image_file, axes=3)
    (label_count,), labels = read_idx(label_file, axes=1)
    if (height, width) != (28, 28) or label_count != count or max(labels) > 9:
        message = f"{image_file} and {label_file} do not belong together"
        details = (
            f"expected 28×28 pixels and as many labels from 0 to 9, "
            f"found {count:,} images of {height}×{width} and {label_count:,} labels up to {max(labels)}",
        )
        raise DataError(Problem("data-damaged", message, details=details, hint="remove both and fetch them again"))
    sink.add(pixels, labels)
    return Decoded((1, height, width), _CLASSES)
