from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms.v2 import functional

from nnctl.data.progress import silent
from nnctl.data.samples import Samples
from nnctl.errors import DataError
from nnctl.kinds.datasets._words import readable_names
from nnctl.kinds.datasets.base import SplitName
from nnctl.kinds.layers.shape import Shape
from tests.data.samples import dataset

RNG = np.random.default_rng(0)
WNIDS = ("n02124075", "n01443537", "n04540053")  # the published order is not that of the alphabet
WORDS = "n00001740\tentity\nn01443537\tgoldfish, Carassius auratus\nn02124075\tEgyptian cat\nn04540053\tvolleyball\n"


def picture() -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The official layout with three classes, four photos each for training and two for validation."""
    folder = tmp_path / "tiny-imagenet-200"
    (folder / "val" / "images").mkdir(parents=True)
    (folder / "test" / "images").mkdir(parents=True)
    (folder / "test" / "images" / "test_0.JPEG").write_bytes(b"never read")
    (folder / "wnids.txt").write_text("\n".join(WNIDS) + "\n")
    (folder / "words.txt").write_text(WORDS)
    for wnid in WNIDS:
        images = folder / "train" / wnid / "images"
        images.mkdir(parents=True)
        for number in range(4):
            picture().save(images / f"{wnid}_{number}.JPEG")
        boxes = [f"{wnid}_{number}.JPEG\t0\t10\t63\t58\n" for number in range(4)]
        (folder / "train" / wnid / f"{wnid}_boxes.txt").write_text("".join(boxes))
    for number in range(6):
        picture().save(folder / "val" / "images" / f"val_{number}.JPEG")
    rows = [f"val_{number}.JPEG\t{WNIDS[number % 3]}\t0\t32\t44\t62\n" for number in range(6)]
    (folder / "val" / "val_annotations.txt").write_text("".join(rows))
    return folder


def read(folder: Path, split: SplitName = "train", text: str = "tiny_imagenet") -> Samples:
    return dataset(text).read(folder.parent, split, 0, silent)


def test_reads_training_photos_as_torchvision_does(folder: Path) -> None:
    expected = ImageFolder(str(folder / "train"))
    photos = {path: (functional.pil_to_tensor(expected.loader(path)), label) for path, label in expected.samples}
    for _ in range(2):  # decoded, then from the cache
        found = read(folder)
        assert found.class_names == ("Egyptian cat", "goldfish", "volleyball")
        assert found.notes == ()
        paths = [f"{folder}/train/{wnid}/images/{wnid}_{number}.JPEG" for wnid in WNIDS for number in range(4)]
        for path, image, label in zip(paths, found.fields["input"], found.target, strict=True):
            pixels, numbered = photos[path]
            assert torch.equal(image, pixels)
            assert WNIDS[label] == expected.classes[numbered]


def test_the_test_is_the_annotated_validation_set(folder: Path) -> None:
    found = read(folder, "test")
    assert found.target.tolist() == [0, 1, 2, 0, 1, 2]
    for number, image in enumerate(found.fields["input"]):
        with Image.open(folder / "val" / "images" / f"val_{number}.JPEG") as photo:
            assert torch.equal(image, functional.pil_to_tensor(photo))


def test_annotations_of_absent_photos_are_counted(folder: Path) -> None:
    for path in ("train/n01443537/images/n01443537_2.JPEG", "val/images/val_1.JPEG", "val/images/val_4.JPEG"):
        (folder / path).unlink()
    train, test = read(folder), read(folder, "test")
    assert train.notes == (f"1 of 12 annotated photos are not in {folder}/train",)
    assert test.notes == (f"2 of 6 annotated photos are not in {folder}/val",)
    assert train.target.tolist() == [0] * 4 + [1] * 3 + [2] * 4
    assert test.target.tolist() == [0, 2, 0, 2]
    facts = dataset("tiny_imagenet").facts(folder.parent)
    assert (facts.train, facts.test) == (11, 4)


def test_photos_without_annotation_are_left_out(folder: Path) -> None:
    picture().save(folder / "val" / "images" / "val_9.JPEG")
    picture().save(folder / "train" / WNIDS[0] / "images" / "another.JPEG")
    found = read(folder, "test")
    images = folder / "val" / "images"
    assert found.notes == (f"left out 1 of 7 photos in {images}: val_annotations.txt does not name them",)
    assert len(found) == 6
    assert len(read(folder)) == 13, "for training the folder is the label"


def test_facts_with_and_without_the_folder(folder: Path, tmp_path: Path) -> None:
    facts = dataset("tiny_imagenet").facts(folder.parent)
    assert facts.inputs == {"input": Shape((3, 64, 64))}
    assert (facts.classes, facts.train, facts.test) == (3, 12, 6)
    assert facts.class_names == ("Egyptian cat", "goldfish", "volleyball")
    facts = dataset("tiny_imagenet").facts(tmp_path / "elsewhere")
    assert (facts.classes, facts.train, facts.test) == (200, 100_000, 10_000)
    assert facts.class_names is None


def test_a_changed_annotation_is_read_again(folder: Path) -> None:
    read(folder, "test")
    table = folder / "val" / "val_annotations.txt"
    table.write_text(table.read_text().replace("val_0.JPEG\tn02124075", "val_0.JPEG\tn04540053"))
    assert read(folder, "test").target.tolist() == [2, 1, 2, 0, 1, 2]


def broken(folder: Path) -> dict[str, tuple[SplitName, str]]:
    """Break the folder in one way at a time: what is written where, what is read, what is said."""
    return {
        "val/val_annotations.txt\nval_0.JPEG\tn00000000\t0\t0\t1\t1": (
            "test",
            "val_annotations.txt cannot be read: line 1 has the class `n00000000`, which wnids.txt does not have",
        ),
        "val/val_annotations.txt\nval_0.JPEG\tn02124075\nval_0.JPEG\tn04540053": (
            "test",
            "line 2 gives val_0.JPEG another class than a line before",
        ),
        "val/val_annotations.txt\nval_0.JPEG n02124075": ("test", "line 1 has 1 columns, expected at least 2"),
        "val/val_annotations.txt\n": ("test", "val has no photos"),
        "wnids.txt\nn02124075\nn02124075": ("train", "wnids.txt names `n02124075` twice"),
        "wnids.txt\n": ("train", "wnids.txt names no classes"),
        "wnids.txt\nn02124075\nn00000000": ("train", "n00000000/images cannot be listed: No such file"),
    }


@pytest.mark.parametrize("change", broken(Path()))
def test_damage_is_named(folder: Path, change: str) -> None:
    split, message = broken(folder)[change]
    path, _, content = change.partition("\n")
    (folder / path).write_text(content)
    with pytest.raises(DataError, match=message):
        read(folder, split)


@pytest.mark.parametrize("path", ["wnids.txt", "val/val_annotations.txt"])
def test_what_is_missing_is_named(folder: Path, path: str) -> None:
    (folder / path).unlink()
    with pytest.raises(DataError, match=f"{path} cannot be read: No such file or directory"):
        read(folder, "test")


def test_a_class_without_photos_is_named(folder: Path) -> None:
    for photo in (folder / "train" / WNIDS[1] / "images").iterdir():
        photo.unlink()
    with pytest.raises(DataError, match=f"train/{WNIDS[1]}/images has no photos"):
        read(folder)


def test_broken_photos_are_refused_or_skipped(folder: Path) -> None:
    (folder / "train" / WNIDS[1] / "images" / f"{WNIDS[1]}_0.JPEG").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"n01443537/images/n01443537_0.JPEG: cannot identify"):
        read(folder)
    assert len(read(folder, text="tiny_imagenet: {unreadable: skip}")) == 11


def test_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"there is no folder {tmp_path}/tiny-imagenet-200"):
        read(tmp_path / "tiny-imagenet-200")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("n1\tcat, tabby\nn2\tdog\nn3\temu", ("cat", "dog", "emu")),
        ("n1\tcrane, bird\nn2\tcrane, machine\nn3\temu", ("crane, bird", "crane, machine", "emu")),
        ("n1\tcrane\nn2\tcrane\nn3 emu", ("n1", "n2", "emu")),
        ("n1\tcat\nn3\t", ("cat", "n2", "n3")),
    ],
)
def test_names_are_short_and_tell_classes_apart(tmp_path: Path, words: str, names: tuple[str, ...]) -> None:
    (tmp_path / "words.txt").write_text(words)
    assert readable_names(tmp_path / "words.txt", ["n1", "n2", "n3"]) == names


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = Path(__file__).parents[2].parent / "shared" / "data" / "tiny-imagenet-sample.tar.gz"
    if not archive.is_file():
        pytest.skip(f"the sample is not at {archive}")
    root = tmp_path_factory.mktemp("tiny")
    subprocess.run(["tar", "xzf", archive, "-C", root], check=True)
    return root


@pytest.mark.slow
def test_reads_the_real_sample(sample: Path) -> None:
    component, folder = dataset("tiny_imagenet"), sample / "tiny-imagenet-200"
    facts = component.facts(sample)
    assert (facts.classes, facts.train, facts.test) == (200, 12_000, 2_000)
    names = facts.class_names
    assert names is not None
    assert len(set(names)) == 200
    assert names[:3] == ("Egyptian cat", "reel", "volleyball")
    train, test = component.read(sample, "train", 0, silent), component.read(sample, "test", 0, silent)
    assert train.notes == (f"88,000 of 100,000 annotated photos are not in {folder}/train",)
    assert test.notes == (f"8,000 of 10,000 annotated photos are not in {folder}/val",)
    assert train.target.bincount().tolist() == [60] * 200
    assert test.target.bincount().tolist() == [10] * 200
    expected = ImageFolder(str(folder / "train"))
    wnids = (folder / "wnids.txt").read_text().split()
    place = wnids.index(expected.classes[0])
    for number in range(60):  # several are grey
        assert torch.equal(train.fields["input"][60 * place + number], functional.pil_to_tensor(expected[number][0]))
