"""Photos and folders that are odd or broken: each is an error that names the file, or is treated as the docs say."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps, ImageSequence

from nnctl.data.photos import Unreadable, read_photo
from nnctl.data.progress import silent
from nnctl.errors import DataError, SpecError
from nnctl.graph.build import build_file
from nnctl.kinds.datasets.base import SplitName
from nnctl.kinds.layers.shape import Shape
from tests.data.samples import dataset

RNG = np.random.default_rng(0)


def picture(height: int = 6, width: int = 5) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


def save(path: Path, image: Image.Image, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **options)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A training set of two classes with two photos each."""
    for name in ("cat", "dog"):
        for number in range(2):
            save(tmp_path / "set" / name / f"{number}.png", picture())
    return tmp_path / "set"


def read(path: Path, fields: str = "", split: SplitName = "train") -> torch.Tensor:
    return dataset(f"image_folder: {{path: {path}{fields}}}").read(path, split, 0, silent).fields["input"]


# treated


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_of_sixteen_bits_the_upper_eight_are_kept(tmp_path: Path, suffix: str) -> None:
    grey = RNG.integers(0, 1 << 16, (6, 5), dtype=np.uint16)
    photo = read_photo(str(save(tmp_path / f"deep.{suffix}", Image.fromarray(grey))))
    expected = np.repeat((grey // 256).astype(np.uint8)[..., None], 3, axis=2)
    assert photo.pixels == expected.tobytes()


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def test_of_sixteen_bits_for_each_colour_too(tmp_path: Path) -> None:
    colours = RNG.integers(0, 1 << 16, (3, 4, 3), dtype=np.uint16)
    header = (4).to_bytes(4, "big") + (3).to_bytes(4, "big") + bytes((16, 2, 0, 0, 0))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in colours)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (tmp_path / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    assert read_photo(str(tmp_path / "deep.png")).pixels == (colours // 256).astype(np.uint8).tobytes()


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_of_32_bits_are_unreadable(tmp_path: Path, mode: str) -> None:
    path = save(tmp_path / "deep.tif", Image.new(mode, (4, 4)))
    with pytest.raises(Unreadable, match=f"its pixels are of the kind {mode}, expected 8 or 16 bits for each colour"):
        read_photo(str(path))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
def test_photos_are_turned_as_the_camera_was_held(tmp_path: Path, suffix: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path / "a" / f"photo.{suffix}", picture(), exif=exif, **options)
    with Image.open(path) as stored:
        expected = ImageOps.exif_transpose(stored).convert("RGB")
    photo = read_photo(str(path))
    assert photo.extent == (expected.height, expected.width) == ((6, 5) if orientation < 5 else (5, 6))
    assert photo.pixels == expected.tobytes()
    facts = dataset(f"image_folder: {tmp_path}").facts(tmp_path)
    assert facts.inputs["input"] == Shape((3, *photo.extent)), "what is told from the header"


def test_broken_exif_takes_nothing_from_the_pixels(tmp_path: Path) -> None:
    image = picture()
    path = save(tmp_path / "photo.png", image, exif=b"Exif\0\0MM\0*\0\0\0\xff nothing that makes sense")
    assert read_photo(str(path)).pixels == np.asarray(image).tobytes()


@pytest.mark.parametrize("suffix", ["gif", "png", "tif", "webp"])
def test_of_several_pictures_the_first_is_taken(tmp_path: Path, suffix: str) -> None:
    frames = [Image.new("RGB", (5, 6), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if suffix == "webp" else {}
    path = save(tmp_path / f"film.{suffix}", frames[0], save_all=True, append_images=frames[1:], **options)
    with Image.open(path) as stored:
        assert len(list(ImageSequence.Iterator(stored))) == 3
    assert read_photo(str(path)).pixels == np.asarray(frames[0]).tobytes()


def test_transparency_shows_the_colours_below_it(tmp_path: Path) -> None:
    image = picture()
    image.putalpha(Image.fromarray(RNG.integers(0, 256, (6, 5), dtype=np.uint8)))
    path = save(tmp_path / "photo.png", image)
    assert read_photo(str(path)).pixels == np.asarray(image)[..., :3].tobytes()


def test_a_large_jpeg_is_decoded_smaller(tmp_path: Path) -> None:
    """Half its size is enough where a fifth is wanted; an eighth would not be. The result is nearly the same."""
    waves = np.sin(np.arange(512) / 5)[:, None] * np.cos(np.arange(640) / 6)
    image = Image.fromarray((127 + 120 * waves).astype(np.uint8)).convert("RGB")
    found = read_photo(str(save(tmp_path / "photo.jpg", image, quality=95)), (100, 125))
    expected = np.asarray(image.resize((125, 100), Image.Resampling.BILINEAR), dtype=float)
    assert np.abs(np.frombuffer(found.pixels, np.uint8).reshape(100, 125, 3) - expected).max() <= 4


def test_one_name_in_two_formats_or_two_cases_is_two_photos(folder: Path) -> None:
    save(folder / "cat" / "0.bmp", picture())
    save(folder / "cat" / "0.PNG", picture())
    there = [name for name in folder.rglob("*") if name.is_file()]  # some file systems take 0.png and 0.PNG for one
    assert len(read(folder)) == len(there) >= 5


def test_links_in_circles_are_entered_once(folder: Path) -> None:
    (folder / "cat" / "again").symlink_to(folder / "cat", target_is_directory=True)
    (folder / "cat" / "deeper").mkdir()
    save(folder / "cat" / "deeper" / "2.png", picture())
    (folder / "cat" / "deeper" / "up").symlink_to(folder / "cat", target_is_directory=True)
    assert len(read(folder)) == 5


# refused


BOMB = (
    b"\x89PNG\r\n\x1a\n"
    + chunk(b"IHDR", (40_000).to_bytes(4, "big") * 2 + bytes((1, 0, 0, 0, 0)))
    + chunk(b"IDAT", zlib.compress(bytes(5001 * 40_000), 1))
    + chunk(b"IEND", b"")
)


def test_a_decompression_bomb_is_unreadable(folder: Path) -> None:
    """A file of less than a megabyte that unfolds into 1.6 billion pixels."""
    assert len(BOMB) < 1 << 20
    (folder / "cat" / "bomb.png").write_bytes(BOMB)
    with pytest.raises(DataError, match=r"cat/bomb.png: .*1600000000 pixels"):
        read(folder, ", size: 5")
    assert len(read(folder, ", size: 5, unreadable: skip")) == 4


def test_so_is_what_pillow_would_only_warn_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "bomb.png", Image.new("RGB", (40, 30)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with (
        pytest.warns(Image.DecompressionBombWarning),
        pytest.raises(Unreadable, match="it claims to have 40×30 pixels, expected at most 1,000 pixels"),
    ):
        read_photo(str(path), (4, 4))


def test_files_that_cannot_be_opened_are_named(folder: Path) -> None:
    (folder / "cat" / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "dog" / "9.png").mkdir()
    with pytest.raises(DataError) as caught:
        read(folder)
    assert caught.value.problems[0].details == ("cat/gone.png: No such file or directory",)
    assert len(read(folder, ", unreadable: skip")) == 4


@pytest.mark.parametrize("share", [1, 10, 100])
def test_skipping_is_the_same_each_time(tmp_path: Path, share: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(200):
        path = save(tmp_path / "set" / "ab"[number % 2] / f"{number:03}.png", Image.new("RGB", (2, 2), (number, 0, 0)))
        if number % 100 < share:
            path.write_bytes(path.read_bytes()[:40])
    if share == 100:
        with pytest.raises(DataError, match="set has no photos that can be read"):
            read(tmp_path / "set", ", unreadable: skip")
        return
    values = []
    for attempt in range(2):
        monkeypatch.setenv("NNCTL_CACHE", str(tmp_path / f"cache{attempt}"))
        values.append(read(tmp_path / "set", ", unreadable: skip")[:, 0, 0, 0].tolist())
    kept = [number for number in range(200) if number % 100 >= share]
    assert values == [sorted(kept, key=lambda number: number % 2)] * 2


def test_a_class_without_photos_says_what_is_there(folder: Path) -> None:
    (folder / "emu").mkdir()
    for number in range(3):
        (folder / "emu" / f"{number}.heic").touch()
    with pytest.raises(DataError) as caught:
        read(folder)
    assert str(caught.value) == (
        f"error: {folder}/emu has no photos\n"
        "  expected files named .bmp, .gif, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp; found 3 × .heic\n"
        "\n"
        "hint: add some, or remove the folder"
    )


def test_a_class_that_the_test_lacks_is_said(folder: Path) -> None:
    for name in ("cat", "dog"):
        (folder / "train").mkdir(exist_ok=True)
        (folder / name).rename(folder / "train" / name)
    save(folder / "test" / "cat" / "0.png", picture())
    with pytest.raises(DataError, match=r"test/dog has no photos\n  there is no such folder"):
        read(folder, split="test")


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_a_split_of_another_name_is_said(folder: Path, name: str) -> None:
    for split in ("train", name):
        save(folder / split / "cat" / "0.png", picture())
    with pytest.raises(DataError, match=f"hint: rename `{name}` to `test`"):
        dataset(f"image_folder: {folder}").facts(folder)


def test_photos_without_a_class_are_said(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / "set" / f"{number}.png", picture())
    with pytest.raises(DataError, match="set has no folders of classes: 3 photos lie directly in it"):
        dataset(f"image_folder: {tmp_path / 'set'}").facts(tmp_path)


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(DataError, match="set has no folders of classes\n"):
        dataset(f"image_folder: {tmp_path / 'set'}").facts(tmp_path)


def test_a_class_that_cannot_be_printed_is_said(folder: Path) -> None:
    os.mkdir(os.fsencode(folder) + b"/b\xfcro")
    with pytest.raises(DataError, match=r"a class whose name cannot be printed: 'b\\udcfcro'"):
        dataset(f"image_folder: {folder}").facts(folder)


def test_a_single_class_is_nothing_to_tell_apart(tmp_path: Path) -> None:
    for number in range(3):
        save(tmp_path / "set" / "cat" / f"{number}.png", picture())
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "name: one\ndata: {dataset: {image_folder: set}}\nmodel: {layers: [flatten, {linear: 90}]}\n"
        "train: {epochs: 1, loss: cross_entropy, optimizer: {sgd: 0.1}}\n"
    )
    with pytest.raises(SpecError) as caught:
        build_file(spec)
    assert str(caught.value) == (
        "error: the data set has a single class, `cat`: there is nothing to tell apart\n"
        f"  --> {spec}:4:26 (train.loss)\n"
        "\n"
        "hint: give it a second class, or compare with the input: `target: data.input`"
    )
    layers = "model.layers=[flatten, {linear: 90}, {reshape: [3, 6, 5]}]"
    build_file(spec, ["train.loss={mse: {target: data.input}}", layers])
