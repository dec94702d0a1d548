"""ImageNet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, ImageSize, extent_of
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets._folder import Treatment, classes_in
from nnctl.kinds.datasets._words import readable_names
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

FOLDER = "imagenet"
CLASSES = 1000
WORDS = "words.txt"


class Imagenet(Dataset):
    """1.3 million photos in a thousand classes; the official 50,000 validation photos are the test.

    Under the root: `imagenet/train/WNID/…` and `imagenet/val/WNID/…`, as torchvision unpacks them; its license forbids
    fetching it. Photos are scaled until they cover `size`, of which the middle is kept. Classes are numbered in the
    order of their WNIDs; where `imagenet/words.txt` is there, it names them.
    """

    kind = "imagenet"
    places = (FOLDER,)
    paper = "O. Russakovsky et al.: ImageNet large scale visual recognition challenge, 2015"
    examples = (Example("imagenet"), Example("imagenet: 64"), Example("imagenet: {size: [128, 160], unreadable: skip}"))

    size: ImageSize = 224
    """Height and width of the samples."""
    classes: Count | None = None
    """Number of classes; needed only where the spec of a part of the set is checked without the folder."""
    unreadable: Treatment = "refuse"
    """What is done about photos that are broken or of an unknown format; they are named in any case."""

    def facts(self, root: Path) -> Facts:
        """Return what the fields say, and the names of the classes where the folder is there."""
        folder = root / FOLDER
        inputs = {"input": Shape((3, *extent_of(self.size)))}
        if not folder.is_dir():
            absent = f"there is no folder {folder}"
            classes = self.classes or CLASSES
            train, test = (1_281_167, 50_000) if classes == CLASSES else (None, None)
            return Facts("classification", inputs, classes, train=train, test=test, absent=absent)
        names = readable_names(folder / WORDS, self.wnids(folder))
        return Facts("classification", inputs, len(names), names)

    def pinned(self, facts: Facts) -> Dataset:
        """Return the set with its number of classes."""
        return self.model_copy(update={"classes": facts.classes})

    def wnids(self, folder: Path) -> tuple[str, ...]:
        """Return the classes of the training set. Raises DataError where `classes` is another number."""
        if not (folder / "train").is_dir() or not (folder / "val").is_dir():
            details = (f"expected {folder}/train/WNID/photo.JPEG and {folder}/val/WNID/photo.JPEG",)
            message = f"{folder} does not have the folders `train` and `val`"
            hint = "unpack ImageNet there, or name the folder that has `imagenet` in data.root or $NNCTL_DATA"
            raise DataError(Problem("data-missing", message, details=details, hint=hint))
        wnids = tuple(classes_in(folder / "train"))
        if self.classes not in (None, len(wnids)):
            message = f"`classes` is {self.classes}, but {folder}/train has {len(wnids)} folders of classes"
            raise DataError(Problem("classes", message, hint="correct `classes`, or leave it out"))
        return wnids

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the photos of a split, decoded once."""
        from nnctl.data.photo_set import read_folder

        folder = root / FOLDER
        wnids = self.wnids(folder)
        names, part = readable_names(folder / WORDS, wnids), folder / ("train" if split == "train" else "val")
        return read_folder(self.kind, part, wnids, names, extent_of(self.size), self.unreadable == "skip", progress)
