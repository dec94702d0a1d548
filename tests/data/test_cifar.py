"""CIFAR-10 and CIFAR-100, read from files in their formats that the tests write."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
import torch

from nnctl.data import cifar10, cifar100
from nnctl.data.cifar import Version
from nnctl.data.cifar10 import CIFAR10
from nnctl.data.cifar100 import CIFAR100
from nnctl.data.progress import silent
from nnctl.errors import DataError
from nnctl.kinds.datasets.base import SplitName
from nnctl.kinds.datasets.cifar10 import CLASSES
from nnctl.kinds.datasets.cifar100 import COARSE, FINE
from tests.data.samples import dataset

RNG = np.random.default_rng(0)
SIZES: dict[SplitName, int] = {"train": 20, "test": 4}
PIXELS = {split: RNG.integers(0, 256, (size, 3072), dtype=np.uint8) for split, size in SIZES.items()}

Labels: TypeAlias = "dict[SplitName, dict[str, npt.NDArray[np.int64]]]"


@dataclass(frozen=True)
class Published:
    """One of the two sets, and the labels that its files are written with."""

    module: ModuleType
    version: Version
    labels: Labels
    """The values of each byte before the pixels, in the format's order."""

    @property
    def kind(self) -> str:
        return self.module.__name__.rpartition(".")[2]

    def write(self, root: Path) -> None:
        """Write records as the format's page defines them: labels, then red, green and blue planes."""
        folder = root / self.version.folder
        folder.mkdir()
        for split, names in self.version.files.items():
            columns = [values.astype(np.uint8)[:, None] for values in self.labels[split].values()]
            parts = np.split(np.concatenate([*columns, PIXELS[split]], axis=1), len(names))
            for name, records in zip(names, parts, strict=True):
                (folder / name).write_bytes(records.tobytes())


def drawn(**classes: int) -> Labels:
    return {split: {name: RNG.integers(0, n, size) for name, n in classes.items()} for split, size in SIZES.items()}


TEN = Published(cifar10, CIFAR10, drawn(label=10))
HUNDRED = Published(cifar100, CIFAR100, drawn(coarse=20, fine=100))


@pytest.fixture(params=[TEN, HUNDRED], ids=lambda published: published.kind)
def published(request: pytest.FixtureRequest) -> Published:
    assert isinstance(request.param, Published)
    return request.param


@pytest.fixture
def root(published: Published, tmp_path: Path) -> Path:
    published.write(tmp_path)
    return tmp_path


@pytest.fixture
def archive(published: Published, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same files as an archive beside which there is no folder."""
    path, folder = root / published.version.archive.name, root / published.version.folder
    with tarfile.open(path, "w:gz") as tar:
        for file in sorted(folder.iterdir()):
            tar.add(file, f"{folder.name}/{file.name}")
            file.unlink()
    expect_archive(published, path, monkeypatch)
    return path


def expect_archive(published: Published, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the archive at `path` be the one that is published."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    version = replace(published.version, archive=replace(published.version.archive, sha256=digest))
    monkeypatch.setattr(published.module, published.kind.upper(), version)


@pytest.mark.parametrize("split", list(SIZES))
@pytest.mark.parametrize("source", ["root", "archive"])
@pytest.mark.parametrize(
    ("published", "entry", "target", "further"),
    [
        (TEN, "cifar10", "label", ()),
        (HUNDRED, "cifar100", "fine", ()),
        (HUNDRED, "cifar100: {labels: fine, also: [coarse]}", "fine", ("coarse",)),
        (HUNDRED, "cifar100: {labels: coarse, also: [fine]}", "coarse", ("fine",)),
    ],
    indirect=["published"],
)
def test_reads_the_pixels_and_labels_that_were_written(
    request: pytest.FixtureRequest,
    published: Published,
    tmp_path: Path,
    split: SplitName,
    source: str,
    entry: str,
    target: str,
    further: tuple[str, ...],
) -> None:
    request.getfixturevalue(source)
    planes, labels = PIXELS[split].reshape(-1, 3, 32, 32), published.labels[split]  # red, green, blue; row by row
    for _ in range(2):  # decoded, then from the cache
        found = dataset(entry).read(tmp_path, split, 0, silent)
        assert list(found.fields) == ["input", *further]
        assert np.array_equal(found.fields["input"].numpy(), planes)
        assert found.target.tolist() == labels[target].tolist()
        for name in further:
            assert found.fields[name].dtype == torch.int64
            assert found.fields[name].tolist() == labels[name].tolist()


def test_the_cache_tells_the_wanted_labels_apart(tmp_path: Path) -> None:
    HUNDRED.write(tmp_path)
    for entry, target, fields in (
        ("{labels: fine, also: [coarse]}", "fine", ["input", "coarse"]),
        ("fine", "fine", ["input"]),
        ("coarse", "coarse", ["input"]),
    ):
        found = dataset(f"cifar100: {entry}").read(tmp_path, "train", 0, silent)
        assert list(found.fields) == fields
        assert found.target.tolist() == HUNDRED.labels["train"][target].tolist()


def test_both_splits_come_from_one_archive(published: Published, archive: Path) -> None:
    for split, size in SIZES.items():
        assert len(dataset(published.kind).read(archive.parent, split, 0, silent)) == size


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (CLASSES, {0: "airplane", 9: "truck"}),
        (FINE, {0: "apple", 52: "oak_tree", 99: "worm"}),
        (COARSE, {0: "aquatic_mammals", 19: "vehicles_2"}),
    ],
)
def test_classes_are_numbered_as_published(names: tuple[str, ...], known: dict[int, str]) -> None:
    assert len(set(names)) == len(names) == max(known) + 1
    assert names == tuple(sorted(names)), "the published order is that of the alphabet"
    assert {place: names[place] for place in known} == known


@pytest.mark.parametrize(("entry", "names"), [("cifar10", CLASSES), ("cifar100", FINE), ("cifar100: coarse", COARSE)])
def test_samples_know_the_names_of_their_classes(tmp_path: Path, entry: str, names: tuple[str, ...]) -> None:
    for each in (TEN, HUNDRED):
        each.write(tmp_path)
    assert dataset(entry).read(tmp_path, "test", 0, silent).class_names == names


@pytest.mark.parametrize(
    ("kind", "title", "folder", "digest", "files"),
    [
        (
            "cifar10",
            "CIFAR-10",
            "cifar-10-batches-bin",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            "data_batch_1.bin … data_batch_5.bin and test_batch.bin",
        ),
        (
            "cifar100",
            "CIFAR-100",
            "cifar-100-binary",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
            "train.bin and test.bin",
        ),
    ],
)
def test_says_which_files_belong_where(
    tmp_path: Path, kind: str, title: str, folder: str, digest: str, files: str
) -> None:
    name = f"{title.lower()}-binary.tar.gz"
    with pytest.raises(DataError) as caught:
        dataset(kind).read(tmp_path, "train", 0, silent)
    assert str(caught.value) == (
        f"error: {title} is not in {tmp_path} and cannot be downloaded\n"
        f"  expected {tmp_path}/{name} (SHA-256 {digest})\n"
        f"  or the folder {tmp_path}/{folder} with {files}\n"
        f"  tried https://www.cs.toronto.edu/~kriz/{name}: there is no network\n"
        "\n"
        "hint: put the archive or the folder there, or name the folder that has one in data.root or $NNCTL_DATA"
    )


def test_an_archive_with_another_sum_is_refused(published: Published, archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[-1] ^= 1
    archive.write_bytes(content)
    with pytest.raises(DataError, match=r"expected the SHA-256 \w+, found"):
        dataset(published.kind).read(archive.parent, "train", 0, silent)


def test_an_archive_without_the_members_is_refused(
    published: Published, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = published.version.files["train"][0]
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(f"../{first}"), io.BytesIO())
    expect_archive(published, archive, monkeypatch)
    with pytest.raises(DataError, match=first.replace(".", r"\.")):
        dataset(published.kind).read(archive.parent, "train", 0, silent)
    there = sorted(path.name for path in archive.parent.iterdir())
    assert there == sorted(["cache", published.version.folder, archive.name])


@pytest.mark.parametrize(
    ("published", "begin", "size", "reason"),
    [
        (TEN, b"", 0, "expected up to 10,000 records of 3,073 bytes, found 0 bytes"),
        (TEN, b"", 3072, "found 3,072 bytes"),
        (TEN, b"", 10_001 * 3073, "found 30,730,001 bytes"),
        (TEN, b"\x0a", 3073, "expected labels from 0 to 9, found 10"),
        (HUNDRED, b"", 0, "expected up to 50,000 records of 3,074 bytes, found 0 bytes"),
        (HUNDRED, b"", 3073, "found 3,073 bytes"),
        (HUNDRED, b"", 50_001 * 3074, "found 153,700,001 bytes"),
        (HUNDRED, b"\x14\x00", 3074, "expected coarse labels from 0 to 19, found 20"),
        (HUNDRED, b"\x00\x64", 3074, "expected fine labels from 0 to 99, found 100"),
    ],
    indirect=["published"],
)
def test_damaged_files_are_named(published: Published, root: Path, begin: bytes, size: int, reason: str) -> None:
    damaged = root / published.version.folder / published.version.files["train"][-1]
    damaged.write_bytes(begin.ljust(size, b"\0"))
    with pytest.raises(DataError, match=reason) as caught:
        dataset(published.kind).read(root, "train", 0, silent)
    assert damaged.name in str(caught.value)
