"""Decoded images on disk: made once, then mapped into memory.

An entry is a folder of raw files named after what it was made from. It is built aside and appears by one
rename, so an interrupted build leaves nothing that could be taken for a whole.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import IO, TypeAlias

import torch

from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem, ResourceError
from nnctl.posix import fsync_directory, waiting_lock, write_durably

_FORMAT = 1  # raised when entries of older programs can no longer be read
_INPUTS, _LABELS, _RECORD = "inputs.uint8", "labels.int64", "record.json"


@dataclass(frozen=True)
class Decoded:
    """What a decoder says when all samples are written."""

    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Sink:
    """Takes decoded samples in order, and hashes them on the way to the disk."""

    def __init__(self, inputs: IO[bytes], labels: IO[bytes]) -> None:
        self._inputs, self._targets = inputs, labels
        self._input_digest, self._label_digest = hashlib.sha256(), hashlib.sha256()
        self.count = 0
        self.labels: set[int] = set()
        """The labels met so far."""

    def add(self, pixels: bytes | memoryview, labels: Iterable[int]) -> None:
        """Append samples: their pixels as (N, C, H, W), and a label for each."""
        numbers = array("q", list(labels))  # bytes alone would be taken as the array's memory
        self._inputs.write(pixels)
        self._targets.write(numbers)
        self._input_digest.update(pixels)
        self._label_digest.update(numbers)
        self.count += len(numbers)
        self.labels.update(numbers)

    def digest(self, decoded: Decoded) -> str:
        """Return the SHA-256 of samples, shape and classes."""
        text = (
            f"{decoded.shape} {decoded.class_names} {self._input_digest.hexdigest()} {self._label_digest.hexdigest()}"
        )
        return hashlib.sha256(text.encode()).hexdigest()


Decoder: TypeAlias = Callable[[Sink], Decoded]


def cache_root() -> Path:
    """Return $NNCTL_CACHE, else $XDG_CACHE_HOME/nnctl, else ~/.cache/nnctl."""
    if own := os.environ.get("NNCTL_CACHE"):
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "nnctl"


def remember(files: Sequence[str], options: Mapping[str, object], decode: Decoder) -> Samples:
    """Return the samples that `decode` makes of `files`, from the cache where it has made them before.

    The entry's name covers path, size and time of change of every file and the options. Another process that
    makes the same entry is waited for. Raises DataError where the cache cannot be written, ResourceError where
    the disk is full.
    """
    folder = cache_root() / "datasets"
    entry = folder / _key(files, options)
    samples = _open(entry)
    if samples is not None:
        return samples
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with waiting_lock(folder / f".{entry.name}.lock"):
            if (samples := _open(entry)) is None:
                _build(entry, folder / f".{entry.name}.tmp", decode)
                samples = _open(entry)
    except OSError as error:
        raise _unusable(folder, error) from error
    assert samples is not None
    return samples


def _key(files: Sequence[str], options: Mapping[str, object]) -> str:
    stamps = [(file, (stat := os.stat(file)).st_size, stat.st_mtime_ns) for file in files]
    text = json.dumps({"format": _FORMAT, "files": stamps, "options": options}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _build(entry: Path, aside: Path, decode: Decoder) -> None:
    """Fill `aside`, then rename it to `entry`."""
    shutil.rmtree(aside, ignore_errors=True)  # left by a process that was killed
    aside.mkdir()
    try:
        with (aside / _INPUTS).open("wb") as inputs, (aside / _LABELS).open("wb") as labels:
            sink = Sink(inputs, labels)
            decoded = decode(sink)
            for file in (inputs, labels):
                file.flush()
                os.fsync(file.fileno())
        record = asdict(decoded) | {"count": sink.count, "digest": sink.digest(decoded)}
        write_durably(aside / _RECORD, json.dumps(record).encode())
        fsync_directory(aside)
        shutil.rmtree(entry, ignore_errors=True)  # a damaged one
        aside.rename(entry)
        fsync_directory(entry.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _open(entry: Path) -> Samples | None:
    """Return the samples of an entry, mapped into memory, or None where it is absent or damaged."""
    try:
        record = json.loads((entry / _RECORD).read_text(encoding="utf-8"))
        count, shape = int(record["count"]), tuple(int(extent) for extent in record["shape"])
        whole = (entry / _INPUTS).stat().st_size == count * prod(shape)
        whole = whole and (entry / _LABELS).stat().st_size == 8 * count
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not whole:
        return None
    # Private maps: pages are shared with the file, nothing is ever written to it.
    inputs = torch.from_file(str(entry / _INPUTS), shared=False, size=count * prod(shape), dtype=torch.uint8)
    labels = torch.from_file(str(entry / _LABELS), shared=False, size=count, dtype=torch.int64)
    names = tuple(record["class_names"])
    return Samples({"input": inputs.view(count, *shape)}, labels, names, record["digest"], tuple(record["notes"]))


def _unusable(folder: Path, error: OSError) -> DataError | ResourceError:
    reason = error.strerror or str(error)
    hint = "set NNCTL_CACHE to another folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message = f"the disk is full: decoded images do not fit in {folder}"
        return ResourceError(Problem("disk-full", message, details=(reason,), hint=f"free some space, or {hint}"))
    return DataError(Problem("cache", f"decoded images cannot be kept in {folder}: {reason}", hint=hint))
