"""How folders of photos are laid out on disk; nothing is decoded here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from nnctl.component.types import Expected
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets.base import SplitName

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
"""Files that count as photos; what a file really holds is told by its content."""
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
"""Pillow's decoders that may be used: the others are larger doors than data sets need."""
ORIENTATION = 0x0112
"""The EXIF tag that says how the camera was held."""
LYING = frozenset({5, 6, 7, 8})
"""Its values for photos that are stored on their side."""

Treatment: TypeAlias = Annotated[Literal["refuse", "skip"], Expected("refuse or skip")]


def is_split(path: Path) -> bool:
    """Return whether the folder has `train` and `test`. Raises DataError where it has but one of them."""
    found = [name for name in ("train", "test") if (path / name).is_dir()]
    if len(found) == 1:
        missing = "test" if found == ["train"] else "train"
        other = next((name for name in ("val", "valid", "validation") if (path / name).is_dir()), None)
        hint = f"rename `{other}` to `{missing}`" if other else None
        raise _wrong_layout(path, f"{path} has the folder `{found[0]}`, but not the other of `train` and `test`", hint)
    return len(found) == 2


def folder_of(path: Path, split: SplitName) -> Path:
    """Return the folder of a split's classes. Raises DataError where `path` is no folder."""
    if not path.is_dir():
        raise _wrong_layout(path, f"there is no folder {path}")
    return path / split if is_split(path) else path


def classes_in(folder: Path) -> list[str]:
    """Return the classes of a folder, sorted by name. Raises DataError where it has none."""
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.is_dir()) for entry in entries if not entry.name.startswith(".")]
    except OSError as error:
        raise _wrong_layout(folder, f"{folder} cannot be listed: {error.strerror}") from error
    names = sorted(name for name, is_folder in found if is_folder)
    if not names:
        photos = sum(is_photo(name) for name, _ in found)
        besides = f": {photos:,} photos lie directly in it" if photos else ""
        raise _wrong_layout(folder, f"{folder} has no folders of classes{besides}")
    for name in names:
        if not name.isprintable():
            raise _wrong_layout(folder, f"{folder} has a class whose name cannot be printed: {name!a}")
    return names


def is_photo(name: str) -> bool:
    """Return whether a file counts as a photo by its name."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES


def photos_in(folder: Path) -> Iterator[str]:
    """Return the photos at any depth of a class's folder, sorted within each folder; no folder is entered twice."""
    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        stat = os.stat(place)
        if (stat.st_dev, stat.st_ino) in seen:
            folders.clear()
            continue
        seen.add((stat.st_dev, stat.st_ino))
        folders.sort()
        for name in sorted(files):
            if is_photo(name):
                yield os.path.join(place, name)


def first_extent(photos: Iterator[str]) -> tuple[int, int] | None:
    """Return height and width of the first photo whose header can be read, held as the camera was."""
    from PIL import Image

    for photo in photos:
        try:
            with Image.open(photo, formats=FORMATS) as image:
                # Pillow turns TIFF by itself; a PNG's EXIF is sought no further than its pixels
                unknown = image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info)
                lying = not unknown and image.getexif().get(ORIENTATION) in LYING
                return (image.width, image.height) if lying else (image.height, image.width)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue  # reading names it
    return None


def _wrong_layout(path: Path, message: str, hint: str | None = None) -> DataError:
    details = ("expected PATH/train/CLASS/photo.jpg and PATH/test/CLASS/photo.jpg, or PATH/CLASS/photo.jpg as one set",)
    hint = hint or "correct `path`, or give another with data.dataset.image_folder.path=PATH"
    return DataError(Problem("data-missing", message, details=details, hint=hint))
