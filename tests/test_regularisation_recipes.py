"""The shipped recipes of losses and penalties end where their first lines say."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

import nnctl

FOLDER = Path(__file__).parent.parent / "specs" / "recipes"
Weights = dict[str, NDArray[np.float32]]


def train(name: str, run: Path, *overrides: str) -> nnctl.RunResult:
    return nnctl.train(nnctl.load_spec(FOLDER / f"{name}.yaml", overrides=overrides), run=run)


def accuracy(run: Path, *overrides: str) -> float:
    found = nnctl.evaluate(run, overrides=overrides).accuracy
    assert found is not None
    return found


def expected(name: str) -> float:
    """Return the share of the test digits that the recipe's first lines promise."""
    found = re.search(r"Expect: (\d+)% or more of the (?:upright )?test digits", (FOLDER / f"{name}.yaml").read_text())
    assert found is not None
    return int(found[1]) / 100


def condition(weight: NDArray[np.float32]) -> float:
    values = np.linalg.svd(weight.astype(np.float64), compute_uv=False)
    return float(values[0] / values[-1])


WEIGHTS: dict[str, Callable[[Weights], bool]] = {
    "lasso": lambda w: float((w["linear1.weight"] == 0).mean()) >= 0.75,
    "group_lasso": lambda w: int((w["linear1.weight"] != 0).any(1).sum()) <= 32,
    "orthogonal": lambda w: all(condition(one) <= 2 for one in w.values() if one.ndim == 2),
    "singular_value_bounding": lambda w: all(condition(one) <= 1.05**2 * 1.0001 for one in w.values() if one.ndim == 2),
    "max_norm": lambda w: all(np.linalg.norm(one, axis=1).max() <= 1.0001 for one in w.values() if one.ndim == 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["focal", "label_smoothing", "dropout", "triplet", "contrastive", *WEIGHTS])
def test_reads_as_many_digits_as_it_says(name: str, tmp_path: Path) -> None:
    result = train(name, tmp_path / "run")
    assert accuracy(tmp_path / "run") >= expected(name)
    if name in WEIGHTS:
        state = tmp_path / "run" / "state" / f"step-{result.steps}"
        assert WEIGHTS[name](load_file(state / "model.safetensors"))


@pytest.mark.slow
def test_adversarial_training_withstands_what_misleads_a_plain_network(tmp_path: Path) -> None:
    for name, overrides in (("plain", ("train.loss=cross_entropy",)), ("trained", ())):
        train("adversarial", tmp_path / name, *overrides)
    plain, trained = (nnctl.evaluate(tmp_path / name, attack="fgsm:0.3") for name in ("plain", "trained"))
    harder = nnctl.evaluate(tmp_path / "trained", attack="pgd:0.3:20")
    assert (plain.accuracy or 0) >= 0.95
    assert (plain.robust_accuracy or 1) <= 0.4
    assert (trained.accuracy or 0) >= expected("adversarial")
    assert (trained.robust_accuracy or 0) >= 0.75
    assert (harder.robust_accuracy or 1) <= (trained.robust_accuracy or 0)


@pytest.mark.slow
def test_aligned_features_read_turned_digits(tmp_path: Path) -> None:
    turned = "data.transform=[{rotate: 25}]"
    train("mmd", tmp_path / "aligned")
    train("mmd", tmp_path / "plain", "train.loss=cross_entropy")
    assert accuracy(tmp_path / "aligned") >= expected("mmd")
    aligned, plain = accuracy(tmp_path / "aligned", turned), accuracy(tmp_path / "plain", turned)
    assert aligned >= 0.60
    assert aligned >= plain + 0.1
