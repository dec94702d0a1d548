"""CIFAR-10's binary version: records of one label byte and 3,072 pixels."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from nnctl.data.cache import Decoded, Sink, remember
from nnctl.data.download import DownloadFailed, Source, fetch, sha256_of
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets.base import SplitName

ADDRESSES = ("https://www.cs.toronto.edu/~kriz/",)
ARCHIVE = Source(
    "cifar-10-binary.tar.gz", 170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
)
FOLDER = "cifar-10-batches-bin"
FILES: dict[SplitName, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test": ("test_batch.bin",),
}
_SHAPE = (3, 32, 32)
_RECORD = 1 + 3 * 32 * 32
_LARGEST = 10_000 * _RECORD  # one byte more is read, so that a longer file does not divide into records


def read_cifar10(root: Path, split: SplitName, classes: tuple[str, ...], progress: Progress) -> Samples:
    """Return a split from the unpacked folder, else the archive, else the archive fetched.

    The archive is never unpacked: its members are read by name, after its SHA-256 is checked.
    """
    files = [root / FOLDER / name for name in FILES[split]]
    if all(file.is_file() for file in files):
        return remember(
            [str(file) for file in files], {"kind": "cifar10"}, partial(_decode, _from_files(files), classes)
        )
    archive = root / ARCHIVE.name
    if not archive.is_file():
        _fetch(root, progress)
    members = _from_archive(archive, [f"{FOLDER}/{name}" for name in FILES[split]])
    return remember([str(archive)], {"kind": "cifar10", "split": split}, partial(_decode, members, classes))


def _fetch(root: Path, progress: Progress) -> None:
    try:
        fetch(ARCHIVE, ADDRESSES, root, progress)
    except DownloadFailed as error:
        raise DataError(
            Problem(
                "data-missing",
                f"CIFAR-10 is not in {root} and cannot be downloaded",
                details=(
                    f"expected {root / ARCHIVE.name} (SHA-256 {ARCHIVE.sha256})",
                    f"or the folder {root / FOLDER} with data_batch_1.bin … data_batch_5.bin and test_batch.bin",
                    f"tried {error}",
                ),
                hint="put the archive or the folder there, or name the folder that has one in data.root or $NNCTL_DATA",
            )
        ) from error


def _from_files(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    for path in files:
        try:
            with path.open("rb") as file:
                yield str(path), file.read(_LARGEST + 1)
        except OSError as error:
            raise _damaged(str(path), error.strerror or str(error)) from error


def _from_archive(archive: Path, members: list[str]) -> Iterator[tuple[str, bytes]]:
    found = sha256_of(archive)
    if found != ARCHIVE.sha256:
        raise _damaged(str(archive), f"expected the SHA-256 {ARCHIVE.sha256}, found {found}")
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for name in members:
                file = tar.extractfile(name)
                yield f"{archive}:{name}", file.read(_LARGEST + 1) if file else b""
    except (tarfile.TarError, KeyError, EOFError, zlib.error, OSError) as error:
        raise _damaged(str(archive), str(error)) from error


def _decode(batches: Iterator[tuple[str, bytes]], classes: tuple[str, ...], sink: Sink) -> Decoded:
    for name, content in batches:
        if not content or len(content) % _RECORD:
            raise _damaged(name, f"expected up to 10,000 records of {_RECORD:,} bytes, found {len(content):,} bytes")
        labels = content[::_RECORD]
        if max(labels) >= len(classes):
            raise _damaged(name, f"expected labels from 0 to {len(classes) - 1}, found {max(labels)}")
        view = memoryview(content)
        pixels = b"".join(view[start + 1 : start + _RECORD] for start in range(0, len(content), _RECORD))
        sink.add(pixels, labels)
    return Decoded(_SHAPE, classes)


def _damaged(name: str, reason: str) -> DataError:
    return DataError(Problem("data-damaged", f"{name} cannot be read: {reason}", hint="remove it and fetch it again"))
