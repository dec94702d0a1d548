"""The binary versions of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3,072 pixels."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nnctl.data.cache import Decoded, Sink, remember
from nnctl.data.download import DownloadFailed, Source, fetch, sha256_of
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets.base import SplitName

ADDRESSES = ("https://www.cs.toronto.edu/~kriz/",)
_SHAPE = (3, 32, 32)
_PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class Version:
    """One of the two sets as it is published."""

    title: str
    archive: Source
    folder: str
    files: Mapping[SplitName, tuple[str, ...]]
    labels: tuple[str, ...]
    """What the bytes before a record's pixels are."""
    records: int
    """The most that a file holds."""


@dataclass(frozen=True)
class Labels:
    """Which labels are wanted: the target, and those that are fields of their own; for each its classes."""

    target: str
    classes: Mapping[str, tuple[str, ...]]
    also: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """Return the target and the others, in the order of storing."""
        return (self.target, *self.also)


def read_cifar(
    version: Version, root: Path, split: SplitName, labels: Labels, options: Mapping[str, object], progress: Progress
) -> Samples:
    """Return a split from the unpacked folder, else the archive, else the archive fetched.

    The archive is never unpacked: its members are read by name, after its SHA-256 is checked. `options` tell what
    is made of the files apart from others.
    """
    files = [root / version.folder / name for name in version.files[split]]
    if all(file.is_file() for file in files):
        decode = partial(_decode, version, _from_files(version, files), labels)
        return remember([str(file) for file in files], options, decode)
    archive = root / version.archive.name
    if not archive.is_file():
        _fetch(version, root, progress)
    decode = partial(_decode, version, _from_archive(version, archive, split), labels)
    return remember([str(archive)], {**options, "split": split}, decode)


def _fetch(version: Version, root: Path, progress: Progress) -> None:
    try:
        fetch(version.archive, ADDRESSES, root, progress)
    except DownloadFailed as error:
        raise DataError(
            Problem(
                "data-missing",
                f"{version.title} is not in {root} and cannot be downloaded",
                details=(
                    f"expected {root / version.archive.name} (SHA-256 {version.archive.sha256})",
                    f"or the folder {root / version.folder} with {_listed(version)}",
                    f"tried {error}",
                ),
                hint="put the archive or the folder there, or name the folder that has one in data.root or $NNCTL_DATA",
            )
        ) from error


def _listed(version: Version) -> str:
    (train, *more), test = version.files["train"], version.files["test"][0]
    return f"{train} … {more[-1]} and {test}" if more else f"{train} and {test}"


def _most(version: Version) -> int:
    """Return one byte more than a file holds, so that a longer file does not divide into records."""
    return version.records * (len(version.labels) + _PIXELS) + 1


def _from_files(version: Version, files: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for path in files:
        try:
            with path.open("rb") as file:
                yield str(path), file.read(_most(version))
        except OSError as error:
            raise _damaged(str(path), error.strerror or str(error)) from error


def _from_archive(version: Version, archive: Path, split: SplitName) -> Iterator[tuple[str, bytes]]:
    found = sha256_of(archive)
    if found != version.archive.sha256:
        raise _damaged(str(archive), f"expected the SHA-256 {version.archive.sha256}, found {found}")
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for name in version.files[split]:
                file = tar.extractfile(f"{version.folder}/{name}")
                yield f"{archive}:{version.folder}/{name}", file.read(_most(version)) if file else b""
    except (tarfile.TarError, KeyError, EOFError, zlib.error, OSError) as error:
        raise _damaged(str(archive), str(error)) from error


def _decode(version: Version, batches: Iterator[tuple[str, bytes]], labels: Labels, sink: Sink) -> Decoded:
    width = len(version.labels)
    record = width + _PIXELS
    for name, content in batches:
        if not content or len(content) % record:
            expected = f"up to {version.records:,} records of {record:,} bytes"
            raise _damaged(name, f"expected {expected}, found {len(content):,} bytes")
        columns = {label: content[place::record] for place, label in enumerate(version.labels)}
        for label, values in columns.items():
            classes = len(labels.classes[label])
            if max(values) >= classes:
                kind = f"{label} labels" if width > 1 else "labels"
                raise _damaged(name, f"expected {kind} from 0 to {classes - 1}, found {max(values)}")
        view = memoryview(content)
        pixels = b"".join(view[start + width : start + record] for start in range(0, len(content), record))
        sink.add(pixels, *(columns[label] for label in labels.wanted))
    return Decoded(_SHAPE, labels.classes[labels.target], further=labels.also)


def _damaged(name: str, reason: str) -> DataError:
    return DataError(Problem("data-damaged", f"{name} cannot be read: {reason}", hint="remove it and fetch it again"))
