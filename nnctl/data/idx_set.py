"""Sets of four IDX files in torchvision's layout: MNIST and what is published in its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nnctl.data.cache import Decoded, Sink, remember
from nnctl.data.download import DownloadFailed, Source, fetch
from nnctl.data.idx import read_idx
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets.base import SplitName


@dataclass(frozen=True)
class IdxSet:
    """A set as it is published: 28×28 pixels, one channel."""

    kind: str
    title: str
    folder: str
    """The folder under the root, which holds `raw`."""
    addresses: tuple[str, ...]
    files: Mapping[SplitName, tuple[Source, Source]]
    """Images and labels of each split."""


def read_idx_set(
    published: IdxSet, root: Path, split: SplitName, classes: tuple[str, ...], progress: Progress
) -> Samples:
    """Return a split from `root/FOLDER/raw`: unpacked files, else gzipped ones, else fetched ones."""
    folder = root / published.folder / "raw"
    images, labels = (_find(published, folder, source, progress) for source in published.files[split])
    decode = partial(_decode, images, labels, classes)
    return remember([str(images), str(labels)], {"kind": published.kind}, decode)


def _find(published: IdxSet, folder: Path, source: Source, progress: Progress) -> Path:
    unpacked = folder / source.name.removesuffix(".gz")
    for path in (unpacked, folder / source.name):
        if path.is_file():
            return path
    try:
        return fetch(source, published.addresses, folder, progress)
    except DownloadFailed as error:
        expected = [str(folder / file.name) for files in published.files.values() for file in files]
        place = f"{published.folder}/raw"
        raise DataError(
            Problem(
                "data-missing",
                f"{published.title} is not in {folder} and cannot be downloaded",
                details=("expected, with or without .gz:", *expected, f"tried {error}"),
                hint=f"put these files there, or name the folder that has {place} in data.root or $NNCTL_DATA",
            )
        ) from error


def _decode(image_file: Path, label_file: Path, classes: tuple[str, ...], sink: Sink) -> Decoded:
    (count, height, width), pixels = read_idx(image_file, axes=3)
    (label_count,), labels = read_idx(label_file, axes=1)
    if (height, width) != (28, 28) or label_count != count or max(labels) >= len(classes):
        message = f"{image_file} and {label_file} do not belong together"
        details = (
            f"expected 28×28 pixels and as many labels from 0 to {len(classes) - 1}, "
            f"found {count:,} images of {height}×{width} and {label_count:,} labels up to {max(labels)}",
        )
        raise DataError(Problem("data-damaged", message, details=details, hint="remove both and fetch them again"))
    sink.add(pixels, labels)
    return Decoded((1, height, width), classes)
