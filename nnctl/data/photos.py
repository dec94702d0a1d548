"""Folders of photos, decoded in parallel; photos that cannot be read are named."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from PIL import Image, ImageOps

from nnctl.data.cache import Decoded, Sink, remember
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._folder import FORMATS, classes_in, photos_in

_EIGHT_BITS = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"})
_AT_ONCE = 512  # photos decoded before they are written
_A_TASK = 32  # photos that a thread decodes at a time
_NAMED = 10  # unreadable photos that a message lists


class Unreadable(Exception):
    """A file that is no whole photo of a known format."""


@dataclass(frozen=True)
class Photo:
    """A decoded photo: height and width, and its pixels as (H, W, 3)."""

    extent: tuple[int, int]
    pixels: bytes


@dataclass(frozen=True)
class Folder:
    """What is read: the photos of each class, in order, and how they are made alike."""

    path: Path
    classes: tuple[str, ...]
    extent: tuple[int, int] | None
    files: tuple[str, ...]
    labels: tuple[int, ...]


def read_folder(
    path: Path, classes: tuple[str, ...], extent: tuple[int, int] | None, skip: bool, progress: Progress
) -> Samples:
    """Return the photos below `path`, a folder for each class, from the cache or decoded into it.

    Raises DataError where a folder is not one of `classes` or has no photos, where photos differ in size
    and `extent` is not given, and where one cannot be read unless `skip` is set.
    """
    unknown = [name for name in classes_in(path) if name not in classes]
    if unknown:
        raise DataError(
            Problem("classes", f"{path} has the class `{unknown[0]}`, which the training set does not have")
        )
    found = [(file, label) for label, name in enumerate(classes) for file in photos_in(path / name)]
    folder = Folder(path, classes, extent, tuple(file for file, _ in found), tuple(label for _, label in found))
    options = {"kind": "photos", "classes": classes, "extent": extent, "skip": skip}
    return remember(folder.files, options, partial(_decode_all, folder, skip, progress))


def read_photo(path: str, extent: tuple[int, int] | None = None) -> Photo:
    """Return a photo as RGB, scaled and cut to `extent` where that is given. Raises Unreadable."""
    try:
        content = io.BytesIO(Path(path).read_bytes())
        with Image.open(content, formats=FORMATS) as file:
            if file.mode not in _EIGHT_BITS:
                raise Unreadable(f"its pixels are of the kind {file.mode}, expected 8 bits for each colour")
            see_through = file.mode == "P" and "transparency" in file.info
            image = (file.convert("RGBA") if see_through else file).convert("RGB")
    except (Unreadable, MemoryError):
        raise
    except OSError as error:
        raise Unreadable(error.strerror or str(error).replace(repr(content), "it")) from error
    except Exception as error:  # decoders fail on broken files in ways of their own
        raise Unreadable(str(error) or type(error).__name__) from error
    height, width = extent or (image.height, image.width)
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    return Photo((height, width), image.tobytes())


def _decode_all(folder: Folder, skip: bool, progress: Progress, sink: Sink) -> Decoded:
    """Write all photos to `sink`, in order."""
    first: tuple[str, tuple[int, int]] | None = None
    broken: list[str] = []
    for begin, photos in _decode(folder):
        kept: list[tuple[bytes, int]] = []
        for place, photo in enumerate(photos, start=begin):
            file = folder.files[place]
            if isinstance(photo, Unreadable):
                broken.append(f"{os.path.relpath(file, folder.path)}: {photo}")
                continue
            first = first or (file, photo.extent)
            _check_extent(first, file, photo.extent)
            kept.append((photo.pixels, folder.labels[place]))
        if first is not None and kept:
            sink.add(_planes([pixels for pixels, _ in kept], first[1]), [label for _, label in kept])
        progress("decoding photos", begin + len(photos), len(folder.files))
    if broken and not skip:
        raise DataError(_refusal(folder, broken))
    _check_classes(folder, sink, broken)
    assert first is not None  # every class has a photo
    notes = (f"skipped {_how_many(folder, broken)}: {'; '.join(_listed(broken))}",) if broken else ()
    return Decoded((3, *first[1]), folder.classes, notes)


def _decode(folder: Folder) -> Iterator[tuple[int, list[Photo | Unreadable]]]:
    """Yield photos in order, some at a time with the place of the first, decoded by a thread for each processor."""

    def attempt(file: str) -> Photo | Unreadable:
        try:
            return read_photo(file, folder.extent)
        except Unreadable as error:
            return error

    def attempt_some(begin: int) -> list[Photo | Unreadable]:
        return [attempt(file) for file in folder.files[begin : begin + _A_TASK]]

    with ThreadPoolExecutor(os.cpu_count()) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about details of EXIF and the like
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for begin in range(0, len(folder.files), _AT_ONCE):
            tasks = range(begin, min(begin + _AT_ONCE, len(folder.files)), _A_TASK)
            yield begin, [photo for photos in pool.map(attempt_some, tasks) for photo in photos]


def _planes(photos: list[bytes], extent: tuple[int, int]) -> memoryview:
    """Turn (N, H, W, 3) into (N, 3, H, W)."""
    pixels = torch.frombuffer(bytearray(b"".join(photos)), dtype=torch.uint8)
    planes = pixels.view(len(photos), *extent, 3).permute(0, 3, 1, 2).contiguous()
    return memoryview(planes.numpy().tobytes())


def _check_extent(first: tuple[str, tuple[int, int]], file: str, extent: tuple[int, int]) -> None:
    if extent != first[1]:
        sizes = tuple(f"{path} is {width}×{height}" for path, (height, width) in (first, (file, extent)))
        hint = "give a common size, such as `size: 32`"
        raise DataError(Problem("size", "the photos differ in size", details=sizes, hint=hint))


def _check_classes(folder: Folder, sink: Sink, broken: list[str]) -> None:
    """Raise DataError for a class without photos."""
    for label, name in enumerate(folder.classes):
        if label not in sink.labels:
            message = f"{folder.path / name} has no photos" + (" that can be read" if broken else "")
            raise DataError(Problem("data-missing", message, details=tuple(_listed(broken))))


def _refusal(folder: Folder, broken: list[str]) -> Problem:
    message = f"{_how_many(folder, broken)} cannot be read"
    hint = "replace or remove them, or write `unreadable: skip`"
    return Problem("unreadable", message, details=tuple(_listed(broken)), hint=hint)


def _how_many(folder: Folder, broken: list[str]) -> str:
    total = len(folder.files)
    return f"{len(broken):,} of {total:,} photo{'s' if total != 1 else ''} in {folder.path}"


def _listed(broken: list[str]) -> list[str]:
    more = len(broken) - _NAMED
    return broken[:_NAMED] + ([f"and {more:,} more"] if more > 0 else [])
