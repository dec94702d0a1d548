"""Tiny ImageNet's folder: each class has its own for training, for validation a table names the classes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from nnctl.data.photo_set import PhotoSet, read_photo_set
from nnctl.data.progress import Progress
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._folder import is_photo
from nnctl.kinds.datasets.base import SplitName

_EXTENT = (64, 64)
_Labelled: TypeAlias = list[tuple[str, int]]  # files with their classes


def read_tiny_imagenet(
    folder: Path, split: SplitName, wnids: tuple[str, ...], names: tuple[str, ...], skip: bool, progress: Progress
) -> Samples:
    """Return the training photos, or for the test those of `val`.

    Raises DataError where a class has no training photos, an annotation names none of `wnids`, or a photo cannot be
    read unless `skip` is set.
    """
    if split == "train":
        path = folder / "train"
        found, notes = _training(path, wnids)
        places = tuple(f"{wnid}/images" for wnid in wnids)
    else:
        path = folder / "val"
        found, notes = _validation(path, wnids)
        places = ()
    files, labels = tuple(file for file, _ in found), tuple(label for _, label in found)
    photos = PhotoSet("tiny_imagenet", path, names, places, _EXTENT, files, labels, skip, notes)
    return read_photo_set(photos, progress)


def _training(path: Path, wnids: tuple[str, ...]) -> tuple[_Labelled, tuple[str, ...]]:
    """Return the photos of each class's folder, in the order of `wnids`."""
    found: _Labelled = []
    annotated = absent = 0
    for label, wnid in enumerate(wnids):
        here = _listed(path / wnid / "images")
        found += [(str(path / wnid / "images" / name), label) for name in here]
        boxes = path / wnid / f"{wnid}_boxes.txt"
        named = [row[0] for _, row in _rows(boxes, columns=1)] if boxes.is_file() else []
        annotated += len(named)
        absent += len(set(named) - set(here))
    return found, _notes(path, annotated, absent)


def _validation(path: Path, wnids: tuple[str, ...]) -> tuple[_Labelled, tuple[str, ...]]:
    """Return the photos that `val_annotations.txt` names and that are there, in its order."""
    labels = {wnid: label for label, wnid in enumerate(wnids)}
    table, here = path / "val_annotations.txt", frozenset(_listed(path / "images"))
    annotated: dict[str, int] = {}
    for number, (name, wnid, *_) in _rows(table, columns=2):
        if wnid not in labels:
            raise _damaged(table, f"line {number} has the class `{wnid}`, which wnids.txt does not have")
        if annotated.setdefault(name, labels[wnid]) != labels[wnid]:
            raise _damaged(table, f"line {number} gives {name} another class than a line before")
    found = [(str(path / "images" / name), label) for name, label in annotated.items() if name in here]
    notes = _notes(path, len(annotated), len(annotated) - len(found))
    if without := len(here) - len(found):
        notes += (
            f"left out {without:,} of {len(here):,} photos in {path / 'images'}: {table.name} does not name them",
        )
    return found, notes


def _notes(path: Path, annotated: int, absent: int) -> tuple[str, ...]:
    return (f"{absent:,} of {annotated:,} annotated photos are not in {path}",) if absent else ()


def _listed(folder: Path) -> list[str]:
    try:
        return sorted(filter(is_photo, os.listdir(folder)))
    except OSError as error:
        message = f"{folder} cannot be listed: {error.strerror}"
        details = ("expected train/WNID/images for each class of wnids.txt, and val/images",)
        raise DataError(Problem("data-missing", message, details=details)) from error


def _rows(table: Path, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Yield a table's rows with the numbers of their lines."""
    for number, line in enumerate(_lines(table), start=1):
        row = line.split("\t")
        if len(row) < columns:
            raise _damaged(table, f"line {number} has {len(row)} columns, expected at least {columns}")
        yield number, row


def _lines(table: Path) -> Iterable[str]:
    try:
        return [line for line in table.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(table, getattr(error, "strerror", None) or str(error)) from error


def _damaged(table: Path, reason: str) -> DataError:
    return DataError(Problem("data-damaged", f"{table} cannot be read: {reason}", hint="put the official file there"))
