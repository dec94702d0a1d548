from __future__ import annotations

import hashlib
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from nnctl.component.validate import read_component
from nnctl.data import cifar100
from nnctl.data.cifar100 import CIFAR100
from nnctl.data.progress import silent
from nnctl.document.reader import read_value
from nnctl.errors import DataError, Problem, SpecError
from nnctl.graph.build import build_file
from nnctl.kinds.datasets.base import SplitName
from nnctl.kinds.datasets.cifar100 import COARSE, FINE
from nnctl.kinds.layers.shape import Shape
from tests.data.samples import dataset

RNG = np.random.default_rng(0)
COUNTS: dict[SplitName, int] = {"train": 30, "test": 8}
PIXELS = {split: RNG.integers(0, 256, (count, 3072), dtype=np.uint8) for split, count in COUNTS.items()}
LABELS = {
    split: {"coarse": RNG.integers(0, 20, count), "fine": RNG.integers(0, 100, count)}
    for split, count in COUNTS.items()
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Records as the format's page defines them: coarse label, fine label, red, green and blue planes."""
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    for split, pixels in PIXELS.items():
        columns = [LABELS[split][name].astype(np.uint8)[:, None] for name in ("coarse", "fine")]
        (folder / f"{split}.bin").write_bytes(np.concatenate([*columns, pixels], axis=1).tobytes())
    return tmp_path


def as_archive(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "cifar-100-binary.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for file in sorted((root / "cifar-100-binary").iterdir()):
            tar.add(file, f"cifar-100-binary/{file.name}")
            file.unlink()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(cifar100, "CIFAR100", replace(CIFAR100, archive=replace(CIFAR100.archive, sha256=digest)))


@pytest.mark.parametrize("split", list(COUNTS))
@pytest.mark.parametrize("labels", ["fine", "coarse"])
@pytest.mark.parametrize("archived", [False, True])
def test_reads_the_pixels_and_labels_that_were_written(
    root: Path, split: SplitName, labels: str, archived: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if archived:
        as_archive(root, monkeypatch)
    other = {"fine": "coarse", "coarse": "fine"}[labels]
    for _ in range(2):  # decoded, then from the cache
        found = dataset(f"cifar100: {{labels: {labels}, also: [{other}]}}").read(root, split, 0, silent)
        planes = PIXELS[split].reshape(-1, 3, 32, 32)  # red, green, blue; each row by row
        assert np.array_equal(found.fields["input"].numpy(), planes)
        assert found.target.tolist() == LABELS[split][labels].tolist()
        assert found.fields[other].dtype == torch.int64
        assert found.fields[other].tolist() == LABELS[split][other].tolist()
    assert list(dataset(f"cifar100: {labels}").read(root, split, 0, silent).fields) == ["input"]


def test_classes_are_numbered_as_published() -> None:
    for names, count in ((FINE, 100), (COARSE, 20)):
        assert len(names) == len(set(names)) == count
        assert names == tuple(sorted(names)), "the published order is that of the alphabet"
    assert (FINE[0], FINE[52], FINE[99]) == ("apple", "oak_tree", "worm")
    assert (COARSE[0], COARSE[19]) == ("aquatic_mammals", "vehicles_2")


def test_facts(tmp_path: Path) -> None:
    facts = dataset("cifar100: {labels: coarse, also: [fine]}").facts(tmp_path)
    assert facts.inputs == {"input": Shape((3, 32, 32)), "fine": Shape((), vocabulary=100)}
    assert (facts.classes, facts.class_names, facts.train, facts.test) == (20, COARSE, 50_000, 10_000)


@pytest.mark.parametrize("width", [19, 20])
def test_coarse_labels_are_the_target_of_a_second_loss(tmp_path: Path, width: int) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"""
name: two
data: {{dataset: {{cifar100: {{also: [coarse]}}}}, root: {tmp_path}}}
model:
  layers: [flatten, {{head: {{name: coarse, layers: [{{linear: {width}}}]}}}}, {{linear: $classes}}]
train:
  epochs: 1
  loss: [cross_entropy, {{cross_entropy: {{at: coarse, target: data.coarse}}}}]
  optimizer: {{sgd: 0.1}}
""")
    if width == 20:
        assert build_file(spec).facts is not None
        return
    with pytest.raises(SpecError, match="hint: end with `linear: 20`"):
        build_file(spec)


@pytest.mark.parametrize(
    ("fields", "message", "hint"),
    [
        ("also: [fine]", "`also` names the target's own labels, `fine`", "write `also: [coarse]`"),
        ("also: [coarse, coarse]", "`also` names `coarse` twice", "write `also: [coarse]`"),
        ("labels: middle", "expected fine or coarse", ""),
        ("also: fine", "expected a list of fine or coarse", ""),
    ],
)
def test_labels_are_named_once(fields: str, message: str, hint: str) -> None:
    problems: list[Problem] = []
    read_component("datasets", read_value(f"cifar100: {{{fields}}}", 1, problems), problems, "data.dataset")
    (problem,) = problems
    assert message in problem.message
    assert hint in (problem.hint or "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "expected up to 50,000 records of 3,074 bytes, found 0 bytes"),
        (bytes(3073), "found 3,073 bytes"),
        (bytes(50_001 * 3074), "found 153,700,001 bytes"),
        (b"\x14\x00" + bytes(3072), "expected coarse labels from 0 to 19, found 20"),
        (b"\x00\x64" + bytes(3072), "expected fine labels from 0 to 99, found 100"),
    ],
)
def test_damaged_files_are_named(root: Path, content: bytes, reason: str) -> None:
    (root / "cifar-100-binary" / "train.bin").write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        dataset("cifar100").read(root, "train", 0, silent)
    assert "train.bin" in str(caught.value)


def test_says_which_files_belong_where(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        dataset("cifar100").read(tmp_path, "train", 0, silent)
    assert str(caught.value) == (
        f"error: CIFAR-100 is not in {tmp_path} and cannot be downloaded\n"
        f"  expected {tmp_path}/cifar-100-binary.tar.gz "
        "(SHA-256 58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec)\n"
        f"  or the folder {tmp_path}/cifar-100-binary with train.bin and test.bin\n"
        "  tried https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz: there is no network\n"
        "\n"
        "hint: put the archive or the folder there, or name the folder that has one in data.root or $NNCTL_DATA"
    )
