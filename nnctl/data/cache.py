"""Decoded images on disk: made once, then mapped into memory.

An entry is a folder of raw files named after what it was made from. It is built aside and appears by one
rename, so an interrupted build leaves nothing that could be taken for a whole.
"""

from __future__ import annotations

import errno
import hashlib
import json
import mmap
import os
import shutil
import warnings
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import IO, TypeAlias

import torch
from torch import Tensor

from nnctl.data.samples import Samples
from nnctl.data.stored import RECORD, decoded_root
from nnctl.errors import DataError, Problem, ResourceError, UsageError
from nnctl.posix import exclusive_lock, fsync_directory, waiting_lock, write_durably

_FORMAT = 2  # raised when entries of older programs can no longer be read
_INPUTS, _LABELS = "inputs.uint8", "labels.int64"


@dataclass(frozen=True)
class Decoded:
    """What a decoder says when all samples are written."""

    shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    """Fields of labels beside the target, in the order of `Sink.add`."""


class Sink:
    """Takes decoded samples in order, and hashes them on the way to the disk."""

    def __init__(self, inputs: IO[bytes], labels: IO[bytes]) -> None:
        self._inputs, self._targets = inputs, labels
        self._input_digest, self._label_digest = hashlib.sha256(), hashlib.sha256()
        self.count = 0
        self.labels: set[int] = set()
        """The targets met so far."""

    def add(self, pixels: bytes | memoryview, labels: Iterable[int], *further: Iterable[int]) -> None:
        """Append samples: their pixels as (N, C, H, W), and for each a label and those of further fields."""
        rows = list(zip(labels, *further, strict=True))
        numbers = array("q", [label for row in rows for label in row])
        self._inputs.write(pixels)
        self._targets.write(numbers)
        self._input_digest.update(pixels)
        self._label_digest.update(numbers)
        self.count += len(rows)
        self.labels.update(row[0] for row in rows)

    def digest(self, decoded: Decoded) -> str:
        """Return the SHA-256 of samples, shape, classes and fields."""
        facts = f"{decoded.shape} {decoded.class_names} {decoded.further}"
        text = f"{facts} {self._input_digest.hexdigest()} {self._label_digest.hexdigest()}"
        return hashlib.sha256(text.encode()).hexdigest()


Decoder: TypeAlias = Callable[[Sink], Decoded]


def remember(files: Sequence[str], options: Mapping[str, object], decode: Decoder, size: int | None = None) -> Samples:
    """Return the samples that `decode` makes of `files`, from the cache where it has made them before.

    The entry's name covers path, size and time of change of every file and the options, of which `kind` names the
    data set. `size` is how many bytes will be written, if that is known. Another process that makes the same entry
    is waited for. Raises DataError where the cache cannot be written, ResourceError where the disk is full.
    """
    folder = decoded_root()
    entry = folder / _key(files, options)
    samples = _open(entry)
    if samples is not None:
        return samples
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with waiting_lock(folder / f".{entry.name}.lock"):
            if (samples := _open(entry)) is None:
                _sweep(folder)
                _check_space(folder, size)
                _build(entry, folder / f".{entry.name}.tmp", str(options.get("kind")), decode)
                samples = _open(entry)
    except OSError as error:
        raise _unusable(folder, error) from error
    assert samples is not None
    return samples


def _key(files: Sequence[str], options: Mapping[str, object]) -> str:
    text = json.dumps(
        {"format": _FORMAT, "files": [_stamp(file) for file in files], "options": options}, sort_keys=True
    )
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _stamp(file: str) -> tuple[str, int, int]:
    try:
        stat = os.stat(file)
    except OSError:
        return file, -1, -1  # the decoder says what is wrong with it
    return file, stat.st_size, stat.st_mtime_ns


def _sweep(folder: Path) -> None:
    """Remove what was left half-made by processes that were killed: their locks died with them."""
    for aside in folder.glob(".*.tmp"):
        with suppress(UsageError), exclusive_lock(aside.with_suffix(".lock")):
            shutil.rmtree(aside, ignore_errors=True)


def _check_space(folder: Path, size: int | None) -> None:
    free = shutil.disk_usage(folder).free
    if size is not None and size > free:
        message = f"the disk is too small: decoded images do not fit in {folder}"
        details = (f"they take {size / 1e9:,.1f} GB, {free / 1e9:,.1f} GB are free",)
        hint = "free some space, set NNCTL_CACHE to a folder on another disk, or give a smaller `size`"
        raise ResourceError(Problem("disk-full", message, details=details, hint=hint))


def _build(entry: Path, aside: Path, kind: str, decode: Decoder) -> None:
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
        record = asdict(decoded) | {"kind": kind, "count": sink.count, "digest": sink.digest(decoded)}
        write_durably(aside / RECORD, json.dumps(record).encode())
        fsync_directory(aside)
        shutil.rmtree(entry, ignore_errors=True)  # a damaged one
        aside.rename(entry)
        fsync_directory(entry.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _open(entry: Path) -> Samples | None:
    """Return the samples of an entry, mapped into memory, or None where it is absent or damaged."""
    try:
        record = json.loads((entry / RECORD).read_text(encoding="utf-8"))
        count, shape = int(record["count"]), tuple(int(extent) for extent in record["shape"])
        further = tuple(record["further"])
        whole = (entry / _INPUTS).stat().st_size == count * prod(shape) > 0
        labels = bytearray((entry / _LABELS).read_bytes())
        whole = whole and len(labels) == 8 * count * (1 + len(further))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if not whole:
        return None
    target, *others = torch.frombuffer(labels, dtype=torch.int64).view(count, -1).T.contiguous()
    fields = {"input": _mapped(entry / _INPUTS).view(count, *shape), **dict(zip(further, others, strict=True))}
    return Samples(fields, target, tuple(record["class_names"]), record["digest"], tuple(record["notes"]))


def _mapped(path: Path) -> Tensor:
    """Return a file's bytes, mapped for reading alone: pages come and go as they are needed.

    A map that could be written, even privately, counts as memory of its full size and is refused where it is
    larger than what the machine has. Nothing may write to this one.
    """
    with path.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch has no tensors for reading alone, and says so
        return torch.frombuffer(content, dtype=torch.uint8)


def _unusable(folder: Path, error: OSError) -> DataError | ResourceError:
    reason = error.strerror or str(error)
    hint = "set NNCTL_CACHE to another folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message = f"the disk is full: decoded images do not fit in {folder}"
        return ResourceError(Problem("disk-full", message, details=(reason,), hint=f"free some space, or {hint}"))
    return DataError(Problem("cache", f"decoded images cannot be kept in {folder}: {reason}", hint=hint))
