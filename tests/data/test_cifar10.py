from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nnctl.data import cifar10
from nnctl.data.cifar10 import CIFAR10
from nnctl.data.progress import silent
from nnctl.errors import DataError
from nnctl.kinds.datasets.base import SplitName
from tests.data.samples import dataset

NAMES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]
IMAGES = torch.randint(0, 256, (24, 3072), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
LABELS = torch.randint(0, 10, (24,), generator=torch.Generator().manual_seed(1))


def binary(batch: int) -> bytes:
    """Four records as the format's page defines them: the label, then red, green and blue planes."""
    part = slice(4 * batch, 4 * batch + 4)
    records = zip(LABELS[part].tolist(), IMAGES[part].tolist(), strict=True)
    return b"".join(bytes([label, *pixels]) for label, pixels in records)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / CIFAR10.folder
    folder.mkdir()
    for number, name in enumerate(NAMES):
        (folder / f"{name}.bin").write_bytes(binary(number))
    return tmp_path


@pytest.fixture
def archive(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same files as an archive beside which there is no folder."""
    path = root / CIFAR10.archive.name
    with tarfile.open(path, "w:gz") as tar:
        for file in sorted((root / CIFAR10.folder).iterdir()):
            tar.add(file, f"{CIFAR10.folder}/{file.name}")
            file.unlink()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(cifar10, "CIFAR10", replace(CIFAR10, archive=replace(CIFAR10.archive, sha256=digest)))
    return path


@pytest.mark.parametrize(("split", "part"), [("train", slice(0, 20)), ("test", slice(20, 24))])
@pytest.mark.parametrize("source", ["root", "archive"])
def test_reads_the_pixels_and_labels_that_were_written(
    request: pytest.FixtureRequest, tmp_path: Path, split: SplitName, part: slice, source: str
) -> None:
    request.getfixturevalue(source)
    for _ in range(2):  # decoded, then from the cache
        found = dataset("cifar10").read(tmp_path, split, 0, silent)
        assert torch.equal(found.fields["input"].flatten(1), IMAGES[part])
        assert found.fields["input"].shape[1:] == (3, 32, 32)
        assert torch.equal(found.target, LABELS[part])


def test_both_splits_come_from_one_archive(archive: Path) -> None:
    component = dataset("cifar10")
    train, test = component.read(archive.parent, "train", 0, silent), component.read(archive.parent, "test", 0, silent)
    assert (len(train), len(test)) == (20, 4)


def test_classes_are_numbered_as_published(root: Path) -> None:
    names = dataset("cifar10").read(root, "test", 0, silent).class_names
    assert names is not None
    assert names == tuple(sorted(names)), "the published order happens to be that of the alphabet"
    assert names[0] == "airplane"
    assert names[9] == "truck"


def test_says_which_files_belong_where(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        dataset("cifar10").read(tmp_path, "train", 0, silent)
    assert str(caught.value) == (
        f"error: CIFAR-10 is not in {tmp_path} and cannot be downloaded\n"
        f"  expected {tmp_path}/cifar-10-binary.tar.gz "
        "(SHA-256 c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd)\n"
        f"  or the folder {tmp_path}/cifar-10-batches-bin with data_batch_1.bin … data_batch_5.bin and test_batch.bin\n"
        "  tried https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz: there is no network\n"
        "\n"
        "hint: put the archive or the folder there, or name the folder that has one in data.root or $NNCTL_DATA"
    )


def test_an_archive_with_another_sum_is_refused(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[-1] ^= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"expected the SHA-256 \w+, found"):
        dataset("cifar10").read(archive.parent, "train", 0, silent)


def test_an_archive_without_the_members_is_refused(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../data_batch_1.bin"), io.BytesIO())
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(cifar10, "CIFAR10", replace(CIFAR10, archive=replace(CIFAR10.archive, sha256=digest)))
    with pytest.raises(DataError, match=r"data_batch_1\.bin"):
        dataset("cifar10").read(archive.parent, "train", 0, silent)
    assert sorted(path.name for path in archive.parent.iterdir()) == ["cache", CIFAR10.folder, archive.name]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "expected up to 10,000 records of 3,073 bytes, found 0 bytes"),
        (bytes(3072), "found 3,072 bytes"),
        (bytes(10_001 * 3073), "found 30,730,001 bytes"),
        (b"\x0a" + bytes(3072), "expected labels from 0 to 9, found 10"),
    ],
)
def test_damaged_batches_are_named(root: Path, content: bytes, reason: str) -> None:
    (root / CIFAR10.folder / "data_batch_3.bin").write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        dataset("cifar10").read(root, "train", 0, silent)
    assert "data_batch_3.bin" in str(caught.value)
