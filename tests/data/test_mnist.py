from __future__ import annotations

import contextlib
import gzip
import hashlib
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor

from nnctl.data.fashion_mnist import FASHION_MNIST
from nnctl.data.idx import read_idx
from nnctl.data.progress import silent
from nnctl.errors import DataError
from nnctl.kinds.datasets.base import SplitName
from tests.data.samples import dataset

GENERATOR = torch.Generator().manual_seed(0)


def idx(tensor: Tensor) -> bytes:
    header = bytes((0, 0, 8, tensor.dim())) + b"".join(size.to_bytes(4, "big") for size in tensor.shape)
    return header + bytes(tensor.flatten().tolist())


def lay_out(root: Path, folder: str) -> Path:
    """Write few digits in the official layout and return the root."""
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    for stem, count in (("train", 30), ("t10k", 12)):
        images = torch.randint(0, 256, (count, 28, 28), generator=GENERATOR)
        labels = torch.randint(0, 10, (count,), generator=GENERATOR)
        (raw / f"{stem}-images-idx3-ubyte").write_bytes(idx(images))
        (raw / f"{stem}-labels-idx1-ubyte").write_bytes(idx(labels))
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "data", "MNIST")


@pytest.mark.parametrize(("kind", "name"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("zipped", [False, True])
def test_reads_what_torchvision_reads(tmp_path: Path, kind: str, name: str, split: SplitName, zipped: bool) -> None:
    root = lay_out(tmp_path / "data", name)
    expected = getattr(torchvision.datasets, name)(root, train=split == "train")
    if zipped:
        for file in (root / name / "raw").iterdir():
            Path(f"{file}.gz").write_bytes(gzip.compress(file.read_bytes()))
            file.unlink()
    for _ in range(2):  # decoded, then from the cache
        found = dataset(kind).read(root, split, 0, silent)
        assert torch.equal(found.fields["input"][:, 0], expected.data)
        assert torch.equal(found.target, expected.targets)


def test_reads_the_real_digits_as_torchvision_does(real_data: Path, tmp_path: Path) -> None:
    for file in (real_data / "MNIST" / "raw").glob("*.gz"):
        unpacked = tmp_path / "MNIST" / "raw" / file.stem
        unpacked.parent.mkdir(parents=True, exist_ok=True)
        unpacked.write_bytes(gzip.decompress(file.read_bytes()))
    splits: tuple[SplitName, ...] = ("train", "test")
    for split in splits:
        expected = torchvision.datasets.MNIST(tmp_path, train=split == "train")
        found = dataset("mnist").read(real_data, split, 0, silent)
        facts = dataset("mnist").facts(real_data)
        assert torch.equal(found.fields["input"][:, 0], expected.data)
        assert torch.equal(found.target, expected.targets)
        assert len(found) == (facts.train if split == "train" else facts.test)


def test_the_files_of_fashion_mnist_are_those_that_torchvision_fetches(tmp_path: Path) -> None:
    published = [name for name, _ in torchvision.datasets.FashionMNIST.resources]
    assert [source.name for files in FASHION_MNIST.files.values() for source in files] == published
    assert set(FASHION_MNIST.addresses) <= set(torchvision.datasets.FashionMNIST.mirrors)
    names = dataset("fashion_mnist").facts(tmp_path).class_names
    assert names is not None
    assert names == tuple(name.lower() for name in torchvision.datasets.FashionMNIST.classes)
    with pytest.raises(DataError, match=r"Fashion-MNIST is not in .*FashionMNIST/raw and cannot be downloaded"):
        dataset("fashion_mnist").read(tmp_path, "train", 0, silent)


def test_says_which_files_belong_where(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        dataset("mnist").read(tmp_path, "train", 0, silent)
    raw = tmp_path / "MNIST" / "raw"
    assert str(caught.value) == (
        f"error: MNIST is not in {raw} and cannot be downloaded\n"
        "  expected, with or without .gz:\n"
        f"  {raw}/train-images-idx3-ubyte.gz\n"
        f"  {raw}/train-labels-idx1-ubyte.gz\n"
        f"  {raw}/t10k-images-idx3-ubyte.gz\n"
        f"  {raw}/t10k-labels-idx1-ubyte.gz\n"
        "  tried https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz: there is no network; "
        "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz: there is no network\n"
        "\n"
        "hint: put these files there, or name the folder that has MNIST/raw in data.root or $NNCTL_DATA"
    )


def test_images_and_labels_must_belong_together(root: Path) -> None:
    labels = root / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    labels.write_bytes(idx(torch.zeros(29, dtype=torch.int64)))
    with pytest.raises(DataError, match="found 30 images of 28×28 and 29 labels up to 0"):
        dataset("mnist").read(root, "train", 0, silent)
    labels.write_bytes(idx(torch.full((30,), 10)))
    with pytest.raises(DataError, match="found 30 images of 28×28 and 30 labels up to 10"):
        dataset("mnist").read(root, "train", 0, silent)


WHOLE = idx(torch.arange(24).view(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "expected an IDX file of bytes with 3 axes, found nothing"),
        (b"\x00\x00\x08\x01" + WHOLE[4:], "found the start 00 00 08 01"),
        (WHOLE[:7], "its header claims 0 bytes"),
        (WHOLE[:-1], "its header claims 24 bytes, found 23"),
        (WHOLE + b"x", "its header claims 24 bytes, found more"),
        (WHOLE[:4] + b"\xff" * 12 + WHOLE[16:], "its header claims 79,"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_damaged_files_are_named(tmp_path: Path, content: bytes, reason: str, zipped: bool) -> None:
    path = tmp_path / ("images.gz" if zipped else "images")
    path.write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(DataError, match=reason) as caught:
        read_idx(path, 3)
    assert str(path) in caught.value.problems[0].message


@pytest.mark.parametrize("cut", [0, 1, 5, 15, 30, -9, -1])
def test_a_truncated_gzip_is_named(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(idx(torch.randint(0, 256, (2, 9, 9), generator=GENERATOR)))[:cut])
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(path, 3)


def test_a_damaged_gzip_is_an_error_of_the_data(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    whole = gzip.compress(idx(torch.randint(0, 256, (2, 9, 9), generator=GENERATOR)))
    for place in range(len(whole)):
        content = bytearray(whole)
        content[place] ^= 0xFF
        path.write_bytes(content)
        with contextlib.suppress(DataError):  # and nothing else
            assert read_idx(path, 3)[0] == (2, 9, 9)  # a changed time stamp does no harm


def test_each_split_has_a_digest_of_its_content(root: Path) -> None:
    train, test = dataset("mnist").read(root, "train", 0, silent), dataset("mnist").read(root, "test", 0, silent)
    assert train.digest != test.digest
    assert len(train.digest) == len(hashlib.sha256().hexdigest())
    file = root / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    content = bytearray(file.read_bytes())
    content[-1] = (content[-1] + 1) % 10
    file.write_bytes(content)
    assert dataset("mnist").read(root, "train", 0, silent).digest != train.digest
