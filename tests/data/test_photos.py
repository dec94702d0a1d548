from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder
from torchvision.transforms.v2 import functional

from nnctl.data import photo_set
from nnctl.data.photos import Photo, Unreadable, read_photo
from nnctl.data.progress import silent
from nnctl.data.samples import Samples
from nnctl.errors import DataError
from nnctl.kinds.datasets.base import SplitName
from nnctl.kinds.layers.shape import Shape
from tests.data.samples import dataset

RNG = np.random.default_rng(0)


def picture(height: int = 6, width: int = 5) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


def save(path: Path, image: Image.Image | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or picture()).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "photos"
    for split, counts in (("train", {"dog": 3, "cat": 4, "Ant": 2}), ("test", {"dog": 1, "cat": 2, "Ant": 1})):
        for name, count in counts.items():
            for number in range(count):
                save(path / split / name / f"{number}.png")
    save(path / "train" / "dog" / "deeper" / "last.BMP")
    (path / "train" / "dog" / "notes.txt").write_text("no photo")
    (path / "train" / "dog" / ".hidden.png").write_text("no photo")
    (path / "train" / ".git").mkdir()
    return path


def read(path: Path, fields: str = "", split: SplitName = "train") -> Samples:
    return dataset(f"image_folder: {{path: {path}{fields}}}").read(path, split, 0, silent)


@pytest.mark.parametrize("split", ["train", "test"])
def test_reads_what_torchvision_reads(folder: Path, split: SplitName) -> None:
    (folder / "train" / ".git").rmdir()  # torchvision takes it for a class
    (folder / "train" / "dog" / ".hidden.png").unlink()  # and this for a photo
    expected = ImageFolder(folder / split)
    for _ in range(2):  # decoded, then from the cache
        found = read(folder, split=split)
        assert found.class_names == tuple(expected.classes) == ("Ant", "cat", "dog")
        assert found.target.tolist() == expected.targets
        for image, (photo, _) in zip(found.fields["input"], expected, strict=True):
            assert torch.equal(image, functional.pil_to_tensor(photo))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_all_kinds_of_pixels_become_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    path = save(tmp_path / f"photo.{suffix}", picture().convert(mode))
    with Image.open(path) as image:
        assert image.mode == mode
        expected = np.asarray(image.convert("RGB"))
    assert read_photo(str(path)).pixels == expected.tobytes()


def test_a_palette_with_transparency_becomes_rgb(tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    image = picture().convert("P")
    image.save(path, transparency=bytes(range(256)))
    assert read_photo(str(path)).pixels == np.asarray(image.convert("RGB")).tobytes()


@pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 8), (8, 20), (30, 12)])
def test_photos_are_scaled_to_cover_and_cut_in_the_middle(tmp_path: Path, height: int, width: int) -> None:
    image = picture(height, width)
    photo = read_photo(str(save(tmp_path / "photo.png", image)), (4, 4))
    side = min(height, width)
    left, top = (width - side) / 2, (height - side) / 2
    box = (left, top, left + side, top + side)
    expected = image.resize((4, 4), Image.Resampling.BILINEAR, box=box)
    assert photo.extent == (4, 4)
    assert photo.pixels == np.asarray(expected).tobytes()


def test_size_makes_photos_alike(folder: Path) -> None:
    save(folder / "train" / "cat" / "large.png", picture(40, 30))
    assert read(folder, ", size: [8, 4]").fields["input"].shape == (11, 3, 8, 4)
    with pytest.raises(DataError) as caught:
        read(folder)
    assert str(caught.value) == (
        "error: the photos differ in size\n"
        f"  {folder}/train/Ant/0.png is 5×6\n"
        f"  {folder}/train/cat/large.png is 30×40\n"
        "\n"
        "hint: give a common size, such as `size: 32`"
    )


def break_two(folder: Path) -> None:
    truncated = folder / "train" / "cat" / "1.png"
    truncated.write_bytes(truncated.read_bytes()[:-30])
    (folder / "train" / "dog" / "2.png").write_bytes(b"")


def test_broken_photos_are_refused_by_name(folder: Path) -> None:
    break_two(folder)
    with pytest.raises(DataError) as caught:
        read(folder)
    problem = caught.value.problems[0]
    assert problem.message == f"2 of 10 photos in {folder}/train cannot be read"
    assert [detail.partition(": ")[0] for detail in problem.details] == ["cat/1.png", "dog/2.png"]
    assert problem.hint == "replace or remove them, or write `unreadable: skip`"


def test_broken_photos_are_skipped_by_name(folder: Path) -> None:
    whole = read(folder)
    break_two(folder)
    found = read(folder, ", unreadable: skip")
    kept = [0, 1, 2, 4, 5, 6, 7, 9]  # of Ant, Ant, cat × 4, dog × 4
    assert torch.equal(found.fields["input"], whole.fields["input"][kept])
    assert torch.equal(found.target, whole.target[kept])
    (note,) = found.notes
    assert note.startswith(f"skipped 2 of 10 photos in {folder}/train: cat/1.png: ")
    assert "; dog/2.png: " in note
    assert read(folder, ", unreadable: skip").notes == found.notes, "the cache remembers"


def test_a_class_without_a_whole_photo_is_refused(folder: Path) -> None:
    for file in (folder / "train" / "Ant").iterdir():
        file.write_bytes(b"broken")
    with pytest.raises(DataError, match="train/Ant has no photos that can be read"):
        read(folder, ", unreadable: skip")


@pytest.mark.parametrize("count", [2, 33, 600])  # within a task of a thread, over its end, over the end of a chunk
def test_photos_keep_their_order_and_labels(tmp_path: Path, count: int) -> None:
    labels = [0] * (count - 1) + [1]
    for number, label in enumerate(labels):
        colour = (number % 256, number // 256, 7)
        save(tmp_path / "set" / "ab"[label] / f"{number:05}.png", Image.new("RGB", (1, 2), colour))
    found = read(tmp_path / "set")
    pixels = found.fields["input"]
    assert pixels[:, 0, 0, 0].tolist() == [number % 256 for number in range(count)]
    assert pixels[:, 1, 1, 0].tolist() == [number // 256 for number in range(count)]
    assert found.target.tolist() == labels


def test_progress_is_told(folder: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    component = dataset(f"image_folder: {folder}")
    component.read(folder, "train", 0, lambda *progress: told.append(progress))
    assert told == [("decoding photos", 10, 10)]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.jpg", b"", "cannot identify"),
        ("text.jpg", b"hello", "cannot identify"),
        ("script.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n", "cannot identify"),
        ("psd.png", b"8BPS\x00\x01" + bytes(200), "cannot identify"),
    ],
)
def test_what_is_no_photo_is_unreadable(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        read_photo(str(tmp_path / name))


def test_the_content_tells_the_format(tmp_path: Path) -> None:
    image = picture()
    image.save(tmp_path / "photo.jpg", format="PNG")
    assert read_photo(str(tmp_path / "photo.jpg")).pixels == np.asarray(image).tobytes()


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_a_photo_cut_anywhere_is_whole_or_unreadable(tmp_path: Path, cut: int) -> None:
    content = save(tmp_path / "photo.jpg", picture(16, 16)).read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) * cut // 400])
    with pytest.raises(Unreadable):
        read_photo(str(tmp_path / "cut.jpg"))


def test_facts_come_from_folders_and_one_header(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "train" / "Ant" / "0.png").write_bytes(b"broken")
    monkeypatch.setattr(Image.Image, "load", None)  # nothing is decoded
    facts = dataset(f"image_folder: {folder}").facts(folder)
    assert facts.inputs == {"input": Shape((3, 6, 5))}
    assert facts.class_names == ("Ant", "cat", "dog")
    assert facts.classes == 3


@pytest.mark.parametrize(
    ("fields", "inputs", "classes"),
    [
        (", size: 32, classes: 10", {"input": Shape((3, 32, 32))}, 10),
        (", size: [32, 48]", {"input": Shape((3, 32, 48))}, None),
        (", classes: 10", {}, 10),
        ("", {}, None),
    ],
)
def test_facts_of_a_folder_that_is_not_there_are_what_the_spec_says(
    tmp_path: Path, fields: str, inputs: dict[str, Shape], classes: int | None
) -> None:
    facts = dataset(f"image_folder: {{path: {tmp_path / 'gone'}{fields}}}").facts(tmp_path)
    assert facts.inputs == inputs
    assert facts.classes == classes


def test_a_folder_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path / "gone")
    assert str(caught.value) == (
        f"error: there is no folder {tmp_path}/gone\n"
        "  expected PATH/train/CLASS/photo.jpg and PATH/test/CLASS/photo.jpg, or PATH/CLASS/photo.jpg as one set\n"
        "\n"
        "hint: correct `path`, or give another with data.dataset.image_folder.path=PATH"
    )


def test_one_of_train_and_test_alone_is_refused(folder: Path) -> None:
    (folder / "test").rename(folder / "val")
    component = dataset(f"image_folder: {folder}")
    with pytest.raises(DataError, match="has the folder `train`, but not the other of `train` and `test`"):
        component.facts(folder)
    with pytest.raises(DataError, match="has the folder `train`"):
        component.has_own_test(folder)


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "set" / "photo.png")
    with pytest.raises(DataError, match="set has no folders of classes"):
        dataset(f"image_folder: {tmp_path / 'set'}").facts(tmp_path)


def test_another_number_of_classes_is_refused(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        dataset(f"image_folder: {{path: {folder}, classes: 4}}").facts(folder)
    assert str(caught.value) == (
        f"error: `classes` is 4, but {folder}/train has 3 folders of classes\n"
        "  found Ant, cat, dog\n"
        "\n"
        "hint: correct `classes`, or leave it out"
    )


def test_a_class_of_the_test_alone_is_refused(folder: Path) -> None:
    save(folder / "test" / "emu" / "0.png")
    with pytest.raises(DataError, match="test has the class `emu`, which the training set does not have"):
        read(folder, split="test")


def test_photos_are_decoded_by_several_threads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: set[str] = set()
    monkeypatch.setattr(photo_set, "_A_TASK", 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    meeting = threading.Barrier(2, timeout=10)

    def meet(path: str, extent: tuple[int, int] | None) -> Photo:
        names.add(threading.current_thread().name)
        meeting.wait()  # passes only where two photos are decoded at once
        return read_photo(path, extent)

    monkeypatch.setattr(photo_set, "read_photo", meet)
    assert len(read(folder)) == 10
    assert len(names) == 2
