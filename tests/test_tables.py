"""The shipped specs on tables reach what their first lines say; least squares and ridge regression by numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import nnctl
from nnctl.data.load import Split, load

SPECS = Path(__file__).parent.parent / "specs"


def run_of(name: str, folder: Path, *overrides: str) -> Path:
    nnctl.train(nnctl.load_spec(SPECS / f"{name}.yaml", overrides=overrides), run=folder / "run")
    return folder / "run"


def design(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return standardised inputs with a column of ones, and the targets."""
    batch = split.batch(slice(0, len(split)))
    x = batch.inputs["input"].double().numpy()
    return np.hstack([x, np.ones((len(x), 1))]), batch.target.double().numpy()[:, 0]


@pytest.mark.parametrize(
    ("name", "accuracy"), [("iris", 0.93), ("wine", 0.95), ("breast_cancer", 0.95), ("categorical", 0.9)]
)
def test_classes_of_tables(name: str, accuracy: float, tmp_path: Path) -> None:
    result = nnctl.evaluate(run_of(name, tmp_path))
    assert result.split == "test"
    assert result.accuracy is not None
    assert result.accuracy >= accuracy


def test_diabetes_is_no_worse_than_least_squares(tmp_path: Path) -> None:
    spec = nnctl.load_spec(SPECS / "diabetes.yaml")
    assert spec.data is not None
    splits = load(spec.data, spec.seed)
    assert splits.test is not None
    (x, y), (x_test, y_test) = design(splits.train), design(splits.test)
    residual = x_test @ np.linalg.lstsq(x, y, rcond=None)[0] - y_test
    result = nnctl.evaluate(run_of("diabetes", tmp_path))
    assert result.rmse is not None
    assert result.rmse <= np.sqrt((residual**2).mean())


def test_tax_needs_a_hidden_layer(tmp_path: Path) -> None:
    assert nnctl.evaluate(run_of("tax", tmp_path)).accuracy == 1.0
    line = nnctl.evaluate(run_of("tax", tmp_path / "line", "model.layers=[{linear: $classes}]"))
    assert line.accuracy is not None
    assert line.accuracy <= 0.9


def test_a_student_learns_its_teacher(tmp_path: Path) -> None:
    result = nnctl.evaluate(run_of("teacher", tmp_path))
    assert result.r2 is not None
    assert result.r2 > 0.99


def test_letters_tell_a_surnames_language(tmp_path: Path) -> None:
    run = run_of("char_lstm", tmp_path)
    result = nnctl.evaluate(run)
    assert result.accuracy is not None
    assert result.accuracy >= 0.85
    (tmp_path / "new.csv").write_text("surname\nTakamura\nBaryshnikov\n")
    told = nnctl.predict(run, [tmp_path / "new.csv"]).predictions
    assert [one.label for one in told] == ["Japanese", "Russian"]


@pytest.mark.parametrize("decay", [0.0, 0.03])
def test_a_polynomial_ends_at_the_closed_form(decay: float, tmp_path: Path) -> None:
    override = f"train.optimizer.sgd.weight_decay={decay}"
    run = run_of("polynomial", tmp_path, override)
    spec = nnctl.load_spec(SPECS / "polynomial.yaml")
    assert spec.data is not None
    x, y = design(load(spec.data, spec.seed).train)
    free = np.diag([decay] * (x.shape[1] - 1) + [0.0])  # the bias is not decayed
    solution = np.linalg.solve(2 / len(y) * x.T @ x + free, 2 / len(y) * x.T @ y)
    weights = load_file(run / "state" / "step-800" / "model.safetensors")
    found = np.append(weights["linear1.weight"][0], weights["linear1.bias"])
    assert np.abs(found - solution).max() <= 2e-3 * np.abs(solution).max()


def test_a_lower_degree_and_weight_decay_both_keep_a_polynomial_from_overfitting(tmp_path: Path) -> None:
    changes = ("seed=0", "data.dataset.polynomial.degree=3", "train.optimizer.sgd.weight_decay=0.03")
    errors = [nnctl.evaluate(run_of("polynomial", tmp_path / str(i), one)).rmse for i, one in enumerate(changes)]
    wild, *tame = [error for error in errors if error is not None]
    assert all(error <= 0.63 < 0.85 <= wild for error in tame)
