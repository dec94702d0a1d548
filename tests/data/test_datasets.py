from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
import torch

from nnctl.component.family import names
from nnctl.component.validate import read_component
from nnctl.data.progress import silent
from nnctl.document.reader import read_value
from nnctl.errors import Problem
from nnctl.kinds.datasets.base import SplitName
from tests.data.samples import dataset

ON_DISK = {"cifar10", "cifar100", "csv", "fashion_mnist", "image_folder", "imagenet", "mnist", "tiny_imagenet"}
NEED_NO_FILES = sorted(set(names("datasets")) - ON_DISK - {"points", "gaussians", "text", "csv"})
TOYS = ["spirals: {samples: 90, classes: 3, noise: 0.0}", "blobs: {samples: 90, classes: 3, noise: 0.0}"]


@pytest.mark.parametrize("text", [*NEED_NO_FILES, "points: {x: [[1], [2]], y: [[1.0, 2.0], [0.5, 3.0]]}"])
def test_facts_are_what_is_read(text: str, tmp_path: Path) -> None:
    component = dataset(text)
    facts = component.facts(tmp_path)
    samples = component.read(tmp_path, "train", 0, silent)
    own_test = component.has_own_test(tmp_path)
    assert tuple(samples.fields["input"].shape[1:]) == facts.inputs["input"].dims
    assert samples.class_names == facts.class_names
    assert facts.train is not None
    assert len(samples) == facts.train + (0 if own_test else facts.test or 0)
    assert (facts.test is None) == (not component.test_exists)
    if facts.task == "classification":
        assert facts.classes == len(facts.class_names or ())
        assert samples.target.dtype == torch.int64
        assert set(samples.target.tolist()) == set(range(facts.classes))
    else:
        assert facts.classes is None
        assert samples.target.dtype == torch.float32
        assert samples.target.shape == (len(samples), facts.targets)


@pytest.mark.parametrize("kind", ["digits", "iris", "wine", "breast_cancer", "diabetes"])
def test_embedded_sets_are_scikit_learns(kind: str, tmp_path: Path) -> None:
    expected = getattr(sklearn.datasets, f"load_{kind}")()
    found = dataset(kind).read(tmp_path, "train", 0, silent)
    assert np.array_equal(found.fields["input"].flatten(1).numpy(), expected.data.astype(np.float32))
    assert np.array_equal(found.target.flatten().numpy(), expected.target.astype(found.target.numpy().dtype))
    if found.class_names is not None:
        assert found.class_names == tuple(str(name) for name in expected.target_names)


def test_xor_is_the_exclusive_or(tmp_path: Path) -> None:
    found = dataset("xor").read(tmp_path, "train", 0, silent)
    assert {(a, b): y for (a, b), y in zip(found.fields["input"].tolist(), found.target.tolist(), strict=True)} == {
        (a, b): a ^ b for a in (0, 1) for b in (0, 1)
    }


@pytest.mark.parametrize("text", TOYS)
def test_toys_are_drawn_from_the_seed(text: str, tmp_path: Path) -> None:
    def draw(split: SplitName, seed: int) -> torch.Tensor:
        return dataset(text.replace("0.0", "0.1")).read(tmp_path, split, seed, silent).fields["input"]

    assert torch.equal(draw("train", 0), draw("train", 0))
    assert not torch.equal(draw("train", 0), draw("train", 1))
    assert not torch.equal(draw("train", 0), draw("test", 0))


def test_spirals_without_noise_lie_on_their_arms(tmp_path: Path) -> None:
    found = dataset(TOYS[0]).read(tmp_path, "train", 0, silent)
    x, y = found.fields["input"].double().numpy().T
    radius = np.hypot(x, y)
    angle = 3 * np.pi * radius + 2 * np.pi * found.target.numpy() / 3
    assert radius.max() <= 1
    assert np.allclose(x, radius * np.cos(angle), atol=1e-5)
    assert np.allclose(y, radius * np.sin(angle), atol=1e-5)


def test_blobs_without_noise_are_the_corners_of_a_polygon(tmp_path: Path) -> None:
    found = dataset(TOYS[1]).read(tmp_path, "train", 0, silent)
    corners = np.exp(2j * np.pi * found.target.numpy() / 3)
    assert np.allclose(found.fields["input"].numpy(), np.stack([corners.real, corners.imag], 1), atol=1e-6)


def test_noise_has_the_deviation_given(tmp_path: Path) -> None:
    clean, noisy = (
        dataset(f"blobs: {{samples: 20000, noise: {noise}}}").read(tmp_path, "train", 0, silent).fields["input"]
        for noise in (0.0, 0.3)
    )
    assert (noisy - clean).std().item() == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize(
    ("y", "classes", "targets"),
    [("[0, 2]", 3, None), ("[0.0, 2.0]", None, 1), ("[0, 0.5]", None, 1), ("[[1, 2], [3, 4]]", None, 2)],
)
def test_points_are_classes_or_numbers(y: str, classes: int | None, targets: int | None, tmp_path: Path) -> None:
    component = dataset(f"points: {{x: [[1, 2], [3, 4]], y: {y}}}")
    facts = component.facts(tmp_path)
    samples = component.read(tmp_path, "train", 0, silent)
    assert facts.classes == classes
    assert samples.fields["input"].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    if targets is not None:
        assert facts.task == "regression"
        assert samples.target.shape == (2, targets)
    else:
        assert samples.target.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("points: {x: [[1], [2]], y: [0]}", "`points` has 2 samples in `x` but 1 in `y`"),
        ("points: {x: [[1], [2, 3]], y: [0, 1]}", "`points` has 2 numbers in x[1], but 1 in x[0]"),
        ("points: {x: [[1], [2]], y: [[1, 2], [3]]}", "`points` has 1 numbers in y[1], but 2 in y[0]"),
        ("points: {x: [[1], [2]], y: [0, 100000]}", "`points` has the class 100000 in `y`"),
        ("points: {x: [1, 2], y: [0, 1]}", "a list of samples, each a list of numbers"),
        ("points: {x: [], y: []}", "a list of samples, each a list of numbers"),
        ("points: {x: [[1]], y: [a]}", "a class 0, 1, …, a number, or a list of numbers for each sample"),
        ("spirals: {classes: 1}", "a whole number from 2 to 1000"),
        ("blobs: {noise: -1}", "a number of at least 0"),
        ("image_folder: {path: p, size: [1, 2, 3]}", "a whole number of at least 1, or [height, width]"),
        ("image_folder: {path: p, unreadable: ignore}", "refuse or skip"),
    ],
)
def test_mistakes_in_fields_are_said(text: str, message: str) -> None:
    problems: list[Problem] = []
    read_component("datasets", read_value(text, 1, problems), problems, "data.dataset")
    assert message in problems[0].message
