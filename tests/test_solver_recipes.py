"""The shipped recipes of second-order methods and of ADMM end where their first lines say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.optimize  # type: ignore[import-untyped]
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

import nnctl
from nnctl.data.load import load
from nnctl.optim.splitting import grid_differences

FOLDER = Path(__file__).parent.parent / "specs" / "recipes"
Array = NDArray[np.float64]


def train(name: str, folder: Path) -> tuple[nnctl.Spec, nnctl.RunResult, dict[str, Array]]:
    """Return a recipe, how it ended, and its last weights."""
    spec = nnctl.load_spec(FOLDER / f"{name}.yaml")
    result = nnctl.train(spec, run=folder / "run")
    tensors = load_file(folder / "run" / "state" / f"step-{result.steps}" / "model.safetensors")
    return spec, result, {key: value.astype(np.float64) for key, value in tensors.items()}


class SoftmaxRegression:
    """The mean cross-entropy of a linear layer with weight decay, written out, and its minimum by scipy."""

    def __init__(self, spec: nnctl.Spec, decay: float) -> None:
        assert spec.data is not None
        samples = load(spec.data, spec.seed, torch.device("cpu"), splits=("train",)).train
        batch = samples.batch(slice(0, len(samples)))
        x = batch.inputs["input"].flatten(1).double().numpy()
        self.x, self.decay = np.hstack([x, np.ones((len(x), 1))]), decay
        self.y = np.eye(int(batch.target.max()) + 1)[batch.target.numpy()]

    def value(self, flat: Array) -> tuple[float, Array]:
        w = flat.reshape(self.y.shape[1], -1)
        z = self.x @ w.T
        log = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
        decayed = np.hstack([w[:, :-1], np.zeros((len(w), 1))])
        gradient = (np.exp(log) - self.y).T @ self.x / len(z) + self.decay * decayed
        return float(-(log * self.y).sum(1).mean() + 0.5 * self.decay * (decayed**2).sum()), gradient.ravel()

    def minimum(self) -> float:
        start = np.zeros(self.y.shape[1] * self.x.shape[1])
        options = {"maxiter": 5000, "gtol": 1e-9, "ftol": 1e-15}
        return float(scipy.optimize.minimize(self.value, start, jac=True, method="L-BFGS-B", options=options).fun)

    def reached(self, tensors: dict[str, Array]) -> float:
        return self.value(np.hstack([tensors["linear1.weight"], tensors["linear1.bias"][:, None]]).ravel())[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "decay", "accuracy", "precision"),
    [("lbfgs", 1e-2, 0.97, 1e-3), ("conjugate_gradient", 1e-2, 0.97, 1e-3), ("newton", 1e-3, 0.95, 1e-6)],
)
def test_ends_at_the_minimum(name: str, decay: float, accuracy: float, precision: float, tmp_path: Path) -> None:
    spec, result, tensors = train(name, tmp_path)
    problem = SoftmaxRegression(spec, decay)
    assert problem.reached(tensors) == pytest.approx(problem.minimum(), rel=precision)
    assert result.val_accuracy is not None
    assert result.val_accuracy >= accuracy


@pytest.mark.slow
def test_stochastic_admm_makes_smooth_templates(tmp_path: Path) -> None:
    spec, result, tensors = train("stochastic_admm", tmp_path)
    assert result.val_accuracy is not None
    assert result.val_accuracy >= 0.92
    rough = nnctl.train(
        nnctl.load_spec(FOLDER / "stochastic_admm.yaml", overrides=["train.optimizer.stochastic_admm.l1=0"]),
        run=tmp_path / "rough",
    )
    other = load_file(tmp_path / "rough" / "state" / f"step-{rough.steps}" / "model.safetensors")["linear1.weight"]
    d = grid_differences((8, 8)).numpy().T
    assert np.abs(tensors["linear1.weight"] @ d).sum() <= 0.7 * np.abs(other @ d).sum()
    assert spec.name == "stochastic_admm"


@pytest.mark.slow
def test_scalable_admm_beats_random_hidden_weights(tmp_path: Path) -> None:
    """By ten points at sixteen units: the same first layer as it is drawn, with least squares behind it."""
    spec, result, _ = train("scalable_admm", tmp_path)
    assert spec.data is not None
    splits = load(spec.data, spec.seed, torch.device("cpu"), splits=("train", "test"))
    assert splits.test is not None
    first = nnctl.compile_model(spec).get_submodule("linear1")
    rows, targets = [], []
    for split in (splits.train, splits.test):
        batch = split.batch(slice(0, len(split)))
        h = torch.relu(first(batch.inputs["input"].flatten(1))).detach().double().numpy()
        rows.append(np.hstack([h, np.ones((len(h), 1))]))
        targets.append(batch.target.numpy())
    output = np.linalg.lstsq(rows[0], np.eye(10)[targets[0]], rcond=None)[0]
    random = ((rows[1] @ output).argmax(1) == targets[1]).mean()
    accuracy = nnctl.evaluate(result.run).accuracy
    assert accuracy is not None
    assert accuracy >= 0.93
    assert accuracy >= random + 0.1
