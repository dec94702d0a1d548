"""Folders of photos, decoded in parallel; photos that cannot be read are named."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from PIL import Image, ImageOps

from nnctl.data.cache import Decoded, Sink, remember
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._folder import FORMATS, classes_in, photos_in

_EIGHT_BITS = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"})
_AT_ONCE = 1024  # photos decoded before they are written, in order
_NAMED = 10  # unreadable photos that a message lists


class Unreadable(Exception):
    """A file that is no whole photo of a known format."""


@dataclass(frozen=True)
class Photo:
    """A decoded photo: its extent and its pixels, plane after plane."""

    extent: tuple[int, int]
    pixels: bytes


def read_folder(
    folder: Path, classes: tuple[str, ...], extent: tuple[int, int] | None, skip: bool, progress: Progress
) -> Samples:
    """Return the photos below `folder`, a folder for each class, from the cache or decoded into it.

    Raises DataError where a folder is not one of `classes` or has no photos, where photos differ in size
    and `extent` is not given, and where one cannot be read unless `skip` is set.
    """
    unknown = [name for name in classes_in(folder) if name not in classes]
    if unknown:
        message = f"{folder} has the class `{unknown[0]}`, which the training set does not have"
        raise DataError(Problem("classes", message))
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = list(photos_in(folder / name))
        files += found
        labels += [label] * len(found)
    options = {"kind": "photos", "classes": classes, "extent": extent, "skip": skip}
    decode = partial(_decode_all, folder, files, labels, classes, extent, skip, progress)
    return remember(files, options, decode)


def read_photo(path: Path, extent: tuple[int, int] | None = None) -> Photo:
    """Return a photo as RGB, scaled and cut to `extent` where that is given. Raises Unreadable."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.mode not in _EIGHT_BITS:
                raise Unreadable(f"pixels of the kind {image.mode}, expected 8 bits for each colour")
            image.load()
            if image.mode == "P" and "transparency" in image.info:
                image = image.convert("RGBA")
            image = image.convert("RGB")
    except (Unreadable, MemoryError):
        raise
    except Exception as error:  # decoders fail on broken files in ways of their own
        text = str(error).replace(repr(str(path)), "its content")
        raise Unreadable(text or type(error).__name__) from error
    height, width = extent or (image.height, image.width)
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    return Photo((height, width), b"".join(band.tobytes() for band in image.split()))


def _decode_all(
    folder: Path,
    files: list[Path],
    labels: list[int],
    classes: tuple[str, ...],
    extent: tuple[int, int] | None,
    skip: bool,
    progress: Progress,
    sink: Sink,
) -> Decoded:
    counts, broken, first = [0] * len(classes), [], None
    for done, (file, label, photo) in enumerate(_decode(files, labels, extent), start=1):
        if isinstance(photo, Unreadable):
            broken.append(f"{file.relative_to(folder)}: {photo}")
        else:
            first = first or (file, photo.extent)
            _check_extent(first, file, photo.extent)
            sink.add(photo.pixels, (label,))
            counts[label] += 1
        progress("decoding photos", done, len(files))
    if broken and not skip:
        raise DataError(_problem_of(folder, broken, len(files)))
    empty = next((name for name, count in zip(classes, counts, strict=True) if not count), None)
    if first is None or empty is not None:
        message = f"{folder / empty if empty else folder} has no photos" + (" that can be read" if broken else "")
        raise DataError(Problem("data-missing", message, details=tuple(broken[:_NAMED])))
    notes = (f"skipped {_some_of(len(broken), len(files))} in {folder}: {_listed(broken, '; ')}",) if broken else ()
    return Decoded((3, *first[1]), classes, notes)


def _decode(
    files: list[Path], labels: list[int], extent: tuple[int, int] | None
) -> Iterator[tuple[Path, int, Photo | Unreadable]]:
    """Yield every photo in order, decoded by as many threads as there are processors."""

    def attempt(file: Path) -> Photo | Unreadable:
        try:
            return read_photo(file, extent)
        except Unreadable as error:
            return error

    pairs = iter(zip(files, labels, strict=True))
    with ThreadPoolExecutor(os.cpu_count()) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about details of EXIF and the like
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        while chunk := list(islice(pairs, _AT_ONCE)):
            photos = pool.map(attempt, (file for file, _ in chunk))
            yield from ((file, label, photo) for (file, label), photo in zip(chunk, photos, strict=True))


def _check_extent(first: tuple[Path, tuple[int, int]], file: Path, extent: tuple[int, int]) -> None:
    if extent == first[1]:
        return
    sizes = [f"{path} is {width}×{height}" for path, (height, width) in (first, (file, extent))]
    hint = "give a common size, such as `size: 32`"
    raise DataError(Problem("size", "the photos differ in size", details=tuple(sizes), hint=hint))


def _problem_of(folder: Path, broken: list[str], total: int) -> Problem:
    verb = "is" if len(broken) == 1 else "are"
    message = f"{_some_of(len(broken), total)} in {folder} {verb} unreadable"
    details = tuple(broken[:_NAMED]) + ((f"and {len(broken) - _NAMED} more",) if len(broken) > _NAMED else ())
    return Problem("unreadable", message, details=details, hint="replace or remove them, or write `unreadable: skip`")


def _some_of(count: int, total: int) -> str:
    return f"{count} of {total} photo{'s' if total != 1 else ''}"


def _listed(broken: list[str], joint: str) -> str:
    more = f"{joint}and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
    return joint.join(broken[:_NAMED]) + more
