from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms.v2 import functional

from nnctl.data.progress import silent
from nnctl.errors import DataError
from nnctl.kinds.datasets.base import SplitName
from nnctl.kinds.layers.shape import Shape
from tests.data.samples import dataset

RNG = np.random.default_rng(0)
WNIDS = ("n01440764", "n02012849", "n03126707")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A part of ImageNet as torchvision unpacks it: photos of many sizes."""
    for split, count in (("train", 4), ("val", 2)):
        for wnid in WNIDS:
            path = tmp_path / "imagenet" / split / wnid
            path.mkdir(parents=True)
            for number in range(count):
                pixels = RNG.integers(0, 256, (*RNG.integers(40, 90, 2), 3), dtype=np.uint8)
                Image.fromarray(pixels).resize((80, 60) if number else (50, 70)).save(path / f"{number}.JPEG")
    return tmp_path / "imagenet"


@pytest.mark.parametrize(("split", "part"), [("train", "train"), ("test", "val")])
def test_reads_the_photos_of_torchvisions_layout(folder: Path, split: SplitName, part: str) -> None:
    expected = ImageFolder(str(folder / part))
    found = dataset("imagenet: 32").read(folder.parent, split, 0, silent)
    assert found.class_names == tuple(expected.classes) == WNIDS
    assert found.target.tolist() == expected.targets
    for image, (photo, _) in zip(found.fields["input"], expected, strict=True):
        side = min(photo.size)
        left, top = (photo.width - side) / 2, (photo.height - side) / 2
        cut = photo.resize((32, 32), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
        assert torch.equal(image, functional.pil_to_tensor(cut))


def test_where_the_shape_is_kept_the_middle_is_torchvisions(folder: Path) -> None:
    """Of 80×60 photos torchvision's resize to 30 is whole pixels too, and its crop cuts 5 on each side."""
    found = dataset("imagenet: 30").read(folder.parent, "train", 0, silent)
    photo = ImageFolder(str(folder / "train"))[1][0]
    expected = functional.center_crop(functional.resize(functional.pil_to_tensor(photo), [30]), [30])
    assert (found.fields["input"][1].int() - expected.int()).abs().max() <= 1  # rounding


def test_facts(folder: Path, tmp_path: Path) -> None:
    facts = dataset("imagenet").facts(tmp_path / "elsewhere")
    assert facts.inputs == {"input": Shape((3, 224, 224))}
    assert (facts.classes, facts.train, facts.test) == (1000, 1_281_167, 50_000)
    component = dataset("imagenet: [20, 30]")
    facts = component.facts(folder.parent)
    assert facts.inputs == {"input": Shape((3, 20, 30))}
    assert (facts.classes, facts.class_names, facts.train) == (3, WNIDS, None)
    assert component.pinned(facts).facts(tmp_path / "elsewhere").classes == 3


def test_words_name_the_classes(folder: Path) -> None:
    (folder / "words.txt").write_text("n01440764\ttench\nn02012849\tcrane, bird\nn03126707\tcrane, machine\n")
    names = ("tench", "crane, bird", "crane, machine")
    assert dataset("imagenet").facts(folder.parent).class_names == names
    assert dataset("imagenet: 8").read(folder.parent, "test", 0, silent).class_names == names


def test_another_number_of_classes_is_refused(folder: Path) -> None:
    with pytest.raises(DataError, match=r"`classes` is 1000, but .*/train has 3 folders of classes"):
        dataset("imagenet: {classes: 1000}").facts(folder.parent)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_missing_half_is_said(folder: Path, split: str) -> None:
    (folder / split).rename(folder / "other")
    with pytest.raises(DataError, match="imagenet does not have the folders `train` and `val`"):
        dataset("imagenet").facts(folder.parent)
    with pytest.raises(DataError, match="hint: unpack ImageNet there"):
        dataset("imagenet").read(folder.parent / "nowhere", "train", 0, silent)
