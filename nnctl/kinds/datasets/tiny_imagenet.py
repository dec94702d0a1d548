"""Tiny ImageNet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._folder import Treatment, is_photo
from nnctl.kinds.datasets._words import readable_names
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

FOLDER = "tiny-imagenet-200"
CLASSES = 200


class TinyImagenet(Dataset):
    """110,000 colour photos of 64×64 pixels in two hundred classes, 10,000 of them, the validation set, as the test.

    Under the root: the folder `tiny-imagenet-200` as it is published. Its own `test` has no labels and is never read.
    Classes are numbered in the order of `wnids.txt`, their names come from `words.txt`. Annotations of photos that
    are absent are counted and reported.
    """

    kind = "tiny_imagenet"
    places = (FOLDER,)
    paper = "Y. Le, X. Yang: Tiny ImageNet visual recognition challenge, 2015"
    examples = (Example("tiny_imagenet"), Example("tiny_imagenet: {unreadable: skip}"))

    unreadable: Treatment = "refuse"
    """What is done about photos that are broken or of an unknown format; they are named in any case."""

    def facts(self, root: Path) -> Facts:
        """Return the constants, and where the folder is there its classes and how many photos it has."""
        folder, inputs = root / FOLDER, {"input": Shape((3, 64, 64))}
        if not folder.is_dir():
            absent = f"there is no folder {folder}"
            return Facts("classification", inputs, CLASSES, train=100_000, test=10_000, absent=absent)
        wnids = wnids_of(folder)
        train = sum(_photos(folder / "train" / wnid / "images") for wnid in wnids)
        test = _photos(folder / "val" / "images")
        return Facts("classification", inputs, len(wnids), names_of(folder, wnids), train=train, test=test)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the photos of a split, decoded once."""
        from nnctl.data.tiny_imagenet import read_tiny_imagenet

        folder = root / FOLDER
        if not folder.is_dir():
            details = (
                "expected wnids.txt, words.txt, train/WNID/images, val/images and val/val_annotations.txt in it",
            )
            hint = (
                "unpack http://cs231n.stanford.edu/tiny-imagenet-200.zip there, or name the folder that has it in "
                "data.root or $NNCTL_DATA"
            )
            raise DataError(Problem("data-missing", f"there is no folder {folder}", details=details, hint=hint))
        wnids = wnids_of(folder)
        return read_tiny_imagenet(folder, split, wnids, names_of(folder, wnids), self.unreadable == "skip", progress)


def wnids_of(folder: Path) -> tuple[str, ...]:
    """Return the classes in their order. Raises DataError where `wnids.txt` is missing or names a class twice."""
    path = folder / "wnids.txt"
    try:
        wnids = tuple(path.read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = f"put the official wnids.txt into {folder}"
        raise DataError(Problem("data-missing", f"{path} cannot be read: {reason}", hint=hint)) from error
    twice = next((wnid for place, wnid in enumerate(wnids) if wnid in wnids[:place]), None)
    if not wnids or twice:
        message = f"{path} names `{twice}` twice" if twice else f"{path} names no classes"
        raise DataError(Problem("data-damaged", message, hint="put the official wnids.txt there"))
    return wnids


def names_of(folder: Path, wnids: tuple[str, ...]) -> tuple[str, ...]:
    """Return what people call the classes."""
    return readable_names(folder / "words.txt", wnids)


def _photos(folder: Path) -> int:
    try:
        return sum(map(is_photo, os.listdir(folder)))
    except OSError:
        return 0  # reading says what is missing
