"""Many photos, decoded in parallel into the cache; those that cannot be read are named."""

from __future__ import annotations

import os
import warnings
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from nnctl.data.cache import Decoded, Sink, remember
from nnctl.data.photos import Photo, Unreadable, read_photo
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._folder import SUFFIXES, classes_in, first_extent, photos_in

_A_TASK = 32  # photos that a thread decodes at a time, at most
_TASK_BYTES = 1 << 22  # and no more than have so many bytes of pixels
_AHEAD = 2  # tasks for each thread that may be done before they are written
_NAMED = 10  # unreadable photos that a message lists


@dataclass(frozen=True)
class PhotoSet:
    """What is read: the photos in order, the class of each, and how they are made alike."""

    kind: str
    path: Path
    """The folder that files are named from in messages."""
    class_names: tuple[str, ...]
    folders: tuple[str, ...]
    """The place of each class below `path`, none of which may be empty."""
    extent: tuple[int, int] | None
    """Height and width, or None where all photos must agree."""
    files: tuple[str, ...]
    labels: tuple[int, ...]
    skip: bool
    """Whether photos that cannot be read are left out."""
    notes: tuple[str, ...] = ()
    """What was noticed while the files were listed."""


def read_folder(
    kind: str,
    path: Path,
    classes: tuple[str, ...],
    class_names: tuple[str, ...],
    extent: tuple[int, int] | None,
    skip: bool,
    progress: Progress,
) -> Samples:
    """Return the photos below `path`, a folder for each of `classes`, from the cache or decoded into it.

    Raises DataError where a folder is not one of `classes` or has no photos, where photos differ in size
    and `extent` is not given, and where one cannot be read unless `skip` is set.
    """
    unknown = [name for name in classes_in(path) if name not in classes]
    if unknown:
        message = f"{path} has the class `{unknown[0]}`, which the training set does not have"
        raise DataError(Problem("classes", message, hint="give the training set photos of it, or remove the folder"))
    found = [(file, label) for label, name in enumerate(classes) for file in photos_in(path / name)]
    files, labels = tuple(file for file, _ in found), tuple(label for _, label in found)
    return read_photo_set(PhotoSet(kind, path, class_names, classes, extent, files, labels, skip), progress)


def read_photo_set(photos: PhotoSet, progress: Progress) -> Samples:
    """Return the photos from the cache, or decoded into it. Raises DataError as `read_folder` does."""
    _check_classes(photos, set(photos.labels), [])
    options = {
        "kind": photos.kind,
        "labels": photos.labels,
        "classes": photos.class_names,
        "extent": photos.extent,
        "skip": photos.skip,
    }
    size = len(photos.files) * 3 * prod(photos.extent) if photos.extent else None
    samples = remember(photos.files, options, partial(_decode_all, photos, progress), size)
    return replace(samples, notes=photos.notes + samples.notes)


def _decode_all(photos: PhotoSet, progress: Progress, sink: Sink) -> Decoded:
    """Write all photos to `sink`, in order."""
    first: tuple[str, tuple[int, int]] | None = None
    broken: list[str] = []
    for begin, decoded in _decode(photos):
        kept: list[tuple[bytes, int]] = []
        for place, photo in enumerate(decoded, start=begin):
            file = photos.files[place]
            if isinstance(photo, Unreadable):
                broken.append(f"{os.path.relpath(file, photos.path)}: {photo}")
                continue
            first = first or (file, photo.extent)
            _check_extent(first, file, photo.extent)
            kept.append((photo.pixels, photos.labels[place]))
        if first is not None and kept:
            sink.add(_planes([pixels for pixels, _ in kept], first[1]), [label for _, label in kept])
        progress("decoding photos", begin + len(decoded), len(photos.files))
    if broken and not photos.skip:
        raise DataError(_refusal(photos, broken))
    _check_classes(photos, sink.labels, broken)
    assert first is not None  # every class has a photo
    skipped = (f"skipped {_how_many(photos, broken)}: {'; '.join(_listed(broken))}",) if broken else ()
    return Decoded((3, *first[1]), photos.class_names, skipped)


def _decode(photos: PhotoSet) -> Iterator[tuple[int, list[Photo | Unreadable]]]:
    """Yield photos in order, some at a time with the place of the first, decoded by a thread for each processor."""

    def attempt(file: str) -> Photo | Unreadable:
        try:
            return read_photo(file, photos.extent)
        except Unreadable as error:
            return error

    extent = photos.extent or first_extent(iter(photos.files)) or (1, 1)
    task = max(1, min(_A_TASK, _TASK_BYTES // (3 * prod(extent))))

    def attempt_some(begin: int) -> list[Photo | Unreadable]:
        return [attempt(file) for file in photos.files[begin : begin + task]]

    threads = os.cpu_count() or 1
    begun: deque[tuple[int, Future[list[Photo | Unreadable]]]] = deque()
    with warnings.catch_warnings(), ThreadPoolExecutor(threads) as pool:
        warnings.simplefilter("ignore")  # about details of EXIF and the like
        try:
            for begin in range(0, len(photos.files), task):
                begun.append((begin, pool.submit(attempt_some, begin)))
                if len(begun) > _AHEAD * threads:  # so that few photos are in memory
                    place, done = begun.popleft()
                    yield place, done.result()
            while begun:
                place, done = begun.popleft()
                yield place, done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _planes(photos: list[bytes], extent: tuple[int, int]) -> memoryview:
    """Turn (N, H, W, 3) into (N, 3, H, W)."""
    pixels = np.frombuffer(b"".join(photos), dtype=np.uint8).reshape(len(photos), *extent, 3)
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).data


def _check_extent(first: tuple[str, tuple[int, int]], file: str, extent: tuple[int, int]) -> None:
    if extent != first[1]:
        sizes = tuple(f"{path} is {width}×{height}" for path, (height, width) in (first, (file, extent)))
        hint = "give a common size, such as `size: 32`"
        raise DataError(Problem("size", "the photos differ in size", details=sizes, hint=hint))


def _check_classes(photos: PhotoSet, labels: set[int], broken: list[str]) -> None:
    """Raise DataError for a class without photos, or where there is none at all."""
    if not labels:
        message = f"{photos.path} has no photos" + (" that can be read" if broken else "")
        raise DataError(Problem("data-missing", message, details=tuple(_listed(broken))))
    for label, folder in enumerate(photos.folders):
        if label not in labels:
            place = photos.path / folder
            message = f"{place} has no photos" + (" that can be read" if broken else "")
            details = tuple(_listed(broken)) if broken else (_what_is_there(place),)
            hint = "add some, or remove the folder" if place.is_dir() else None
            raise DataError(Problem("data-missing", message, details=details, hint=hint))


def _what_is_there(folder: Path) -> str:
    if not folder.is_dir():
        return "there is no such folder"
    suffixes = Counter(file.suffix for file in folder.rglob("*") if file.is_file())
    found = ", ".join(f"{count:,} × {suffix or 'without suffix'}" for suffix, count in suffixes.most_common(3))
    return f"expected files named {', '.join(sorted(SUFFIXES))}; found {found or 'none'}"


def _refusal(photos: PhotoSet, broken: list[str]) -> Problem:
    message = f"{_how_many(photos, broken)} cannot be read"
    hint = "replace or remove them, or write `unreadable: skip`"
    return Problem("unreadable", message, details=tuple(_listed(broken)), hint=hint)


def _how_many(photos: PhotoSet, broken: list[str]) -> str:
    total = len(photos.files)
    return f"{len(broken):,} of {total:,} photo{'s' if total != 1 else ''} in {photos.path}"


def _listed(broken: list[str]) -> list[str]:
    more = len(broken) - _NAMED
    return broken[:_NAMED] + ([f"and {more:,} more"] if more > 0 else [])
