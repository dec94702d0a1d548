"""How folders of photos are laid out on disk; nothing is decoded here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets.base import SplitName

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
"""Files that count as photos; what a file really holds is told by its content."""
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
"""Pillow's decoders that may be used: the others are larger doors than data sets need."""


def is_split(path: Path) -> bool:
    """Return whether the folder has `train` and `test`. Raises DataError where it has but one of them."""
    found = [name for name in ("train", "test") if (path / name).is_dir()]
    if len(found) == 1:
        raise _wrong_layout(path, f"{path} has the folder `{found[0]}`, but not the other of `train` and `test`")
    return len(found) == 2


def folder_of(path: Path, split: SplitName) -> Path:
    """Return the folder of a split's classes. Raises DataError where `path` is no folder."""
    if not path.is_dir():
        raise _wrong_layout(path, f"there is no folder {path}")
    return path / split if is_split(path) else path


def classes_in(folder: Path) -> list[str]:
    """Return the classes of a folder, sorted by name. Raises DataError where it has none."""
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise _wrong_layout(folder, f"{folder} has no folders of classes")
    return names


def photos_in(folder: Path) -> Iterator[str]:
    """Return the photos at any depth of a class's folder, sorted within each folder."""
    for place, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(files):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in SUFFIXES:
                yield os.path.join(place, name)


def _wrong_layout(path: Path, message: str) -> DataError:
    details = ("expected PATH/train/CLASS/photo.jpg and PATH/test/CLASS/photo.jpg, or PATH/CLASS/photo.jpg as one set",)
    hint = "correct `path`, or give another with data.dataset.image_folder.path=PATH"
    return DataError(Problem("data-missing", message, details=details, hint=hint))
