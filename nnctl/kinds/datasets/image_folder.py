"""A folder of photos, one folder inside it for each class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, FilePath, ImageSize, extent_of
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._folder import (
    Treatment,
    classes_in,
    first_extent,
    folder_of,
    is_split,
    photos_in,
)
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples


class ImageFolder(Dataset):
    """Photos in a folder for each class: `path/{train,test}/CLASS/…`, or `path/CLASS/…` as one set.

    Of one set a fixed 20% is the test split. Classes are numbered in the order of their sorted names. Photos (JPEG,
    PNG, GIF, BMP, TIFF, WebP, PPM, told by their content) become RGB and are turned as EXIF says; transparency is
    left out, of 16 bits the upper 8 are kept, of an animation the first picture.
    """

    kind = "image_folder"
    examples = (
        Example("image_folder: {path: photos, size: 32, classes: 10}"),
        Example("image_folder: {path: photos, size: [48, 64], unreadable: skip}"),
        Example("image_folder: photos"),
    )

    path: FilePath
    """The folder."""
    size: ImageSize | None = None
    """Height and width of the samples. Other photos are scaled until they cover it and lose what stands over,
    the middle is kept. May be left out where all photos agree."""
    classes: Count | None = None
    """Number of classes; needed only where the spec is checked without the folder."""
    unreadable: Treatment = "refuse"
    """What is done about photos that are broken or of an unknown format; they are named in any case."""

    def has_own_test(self, root: Path) -> bool:
        """Return whether the folder has `train` and `test`."""
        return is_split(Path(self.path))

    def extent(self) -> tuple[int, int] | None:
        """Return `size` as height and width."""
        return None if self.size is None else extent_of(self.size)

    def facts(self, root: Path) -> Facts:
        """Return the folders' names and the extent of one photo, or what the fields say where the folder is missing."""
        path, extent = Path(self.path), self.extent()
        names = self.class_names() if path.is_dir() else None
        if names is not None and extent is None:
            folder = folder_of(path, "train")
            extent = first_extent(photo for name in names for photo in photos_in(folder / name))
        return Facts(
            "classification",
            {"input": Shape((3, *extent))} if extent else {},
            len(names) if names else self.classes,
            names,
            absent=None if names is not None else f"there is no folder {path}",
        )

    def facts_unseen(self, root: Path) -> Facts:
        """Return what the fields say."""
        extent = self.extent()
        inputs = {"input": Shape((3, *extent))} if extent else {}
        return Facts("classification", inputs, self.classes, absent="the folder was not looked at")

    def pinned(self, facts: Facts) -> Dataset:
        """Return the folder with its size and number of classes."""
        if "input" not in facts.inputs:
            return self
        height, width = facts.inputs["input"].space
        size = height if height == width else (height, width)
        return self.model_copy(update={"size": size, "classes": facts.classes})

    def class_names(self) -> tuple[str, ...]:
        """Return the classes of the training set. Raises DataError where `classes` is another number."""
        folder = folder_of(Path(self.path), "train")
        names = tuple(classes_in(folder))
        if self.classes is not None and self.classes != len(names):
            message = f"`classes` is {self.classes}, but {folder} has {len(names)} folders of classes"
            hint = "correct `classes`, or leave it out"
            raise DataError(Problem("classes", message, details=(_shortened(names),), hint=hint))
        return names

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the photos of a split, decoded once."""
        from nnctl.data.photo_set import read_folder

        folder, names, skip = folder_of(Path(self.path), split), self.class_names(), self.unreadable == "skip"
        return read_folder(self.kind, folder, names, names, self.extent(), skip, progress)


def _shortened(names: tuple[str, ...], most: int = 10) -> str:
    return "found " + ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
