"""The shipped specs do what their first lines say."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.datasets import load_diabetes

import nnctl
from nnctl.data.load import load
from nnctl.graph.build import build_file
from tests.data.conftest import REAL

FOLDER = Path(__file__).parent.parent / "specs"
SPECS = sorted(FOLDER.rglob("*.yaml"))

PARAMETERS = {
    "lenet": 61_706,  # LeCun et al., 1998, modern form
    "linear_regression": 11,
    "mlp": 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10,
    "resnet18": 11_173_962,  # 3×3 stem, 10 classes
    "softmax_regression": 7_850,
    "toy": 2,
    "vgg11": 9_231_114,  # small-image form with batch norm and biases, 10 classes
}


def spec(name: str) -> Path:
    return FOLDER / f"{name}.yaml"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_checks_without_a_warning(path: Path) -> None:
    graph = build_file(path)
    assert graph.warnings == ()
    assert graph.spec.name == path.stem


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_has_as_many_parameters_as_it_says(path: Path) -> None:
    graph = build_file(path)
    assert graph.parameters == sum(p.numel() for p in nnctl.compile_model(graph.spec).parameters())
    if path.stem in PARAMETERS:
        assert graph.parameters == PARAMETERS[path.stem]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.relative_to(FOLDER)))
def test_opens_with_what_to_expect_and_what_it_costs(path: Path) -> None:
    head = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("#")).replace(
        "# ", ""
    )
    assert "Cost:" in head
    assert any(year in head for year in map(str, range(1900, 2027))) or "N18" in head


def test_linear_regression_ends_at_the_closed_form(tmp_path: Path) -> None:
    nnctl.train(nnctl.load_spec(spec("linear_regression")), run=tmp_path / "run")
    weights = load_file(tmp_path / "run" / "state" / "step-400" / "model.safetensors")

    raw, target = load_diabetes(return_X_y=True, scaled=False)
    loaded = nnctl.load_spec(spec("linear_regression")).data
    assert loaded is not None
    split = load(loaded, 0).train
    batch = split.batch(slice(0, len(split)))
    x = np.hstack([batch.inputs["input"].double().numpy(), np.ones((len(split), 1))])
    y = batch.target.double().numpy()
    assert set(y[:, 0]) <= set(target)
    solution = np.linalg.lstsq(x, y, rcond=None)[0][:, 0]

    found = np.append(weights["linear1.weight"][0], weights["linear1.bias"])
    assert np.abs(found - solution).max() <= 1e-4 * np.abs(solution).max()
    assert raw.shape[1] == 10


def test_toy_has_the_gradient_of_the_notes() -> None:
    result = nnctl.inspect(spec("toy"))
    layers = {layer.path: layer for layer in result.layers}
    assert layers["linear1"].grad_norm == pytest.approx(0.25, abs=1e-12)  # ∂f/∂w = σ(0)(1 − σ(0))·1
    assert layers["sigmoid1"].forward_rms == pytest.approx(0.5, abs=1e-12)


@pytest.mark.slow
def test_xor_is_solved_and_not_by_a_line(tmp_path: Path) -> None:
    solved = nnctl.train(nnctl.load_spec(spec("xor")), run=tmp_path / "deep")
    assert nnctl.evaluate(solved.run).accuracy == 1.0
    line = ["model.layers=[{linear: $classes}]"]
    unsolved = nnctl.train(nnctl.load_spec(spec("xor"), overrides=line), run=tmp_path / "line")
    accuracy = nnctl.evaluate(unsolved.run).accuracy
    assert accuracy is not None
    assert accuracy <= 0.75


@pytest.mark.slow
def test_quickstart_reaches_97_percent(tmp_path: Path) -> None:
    result = nnctl.train(nnctl.load_spec(spec("quickstart")), run=tmp_path / "run")
    assert result.best is not None
    assert result.best.metric == "val_accuracy"
    assert result.best.value >= 0.97


@pytest.mark.slow
def test_a_thousand_layers_learn_if_they_are_orthogonal(tmp_path: Path) -> None:
    def accuracy(*overrides: str) -> float:
        result = nnctl.train(nnctl.load_spec(spec("labs/orthogonal1000"), overrides=overrides), run=tmp_path / "run")
        shutil.rmtree(tmp_path / "run")
        assert result.best is not None
        return result.best.value

    assert accuracy() > 0.5
    assert accuracy("model.init=xavier", "train.epochs=1") < 0.2


@pytest.mark.slow
def test_a_boltzmann_machines_features_tell_digits_apart(tmp_path: Path) -> None:
    machine = nnctl.train(nnctl.load_spec(spec("recipes/rbm")), run=tmp_path / "rbm")
    assert machine.val_loss is not None
    assert machine.val_loss < 0.45  # of the mean image it is 1
    accuracies = []
    for number, overrides in enumerate(([], [f"model.pretrained={machine.run}"])):
        loaded = nnctl.load_spec(spec("recipes/rbm_features"), overrides=overrides)
        accuracies.append(nnctl.evaluate(nnctl.train(loaded, run=tmp_path / str(number)).run).accuracy or 0.0)
    untrained, trained = accuracies
    assert trained > 0.92
    assert trained > untrained + 0.1


@pytest.mark.slow
@pytest.mark.skipif(not (REAL / "MNIST" / "raw").is_dir(), reason=f"real data is not at {REAL}")
def test_features_of_one_set_help_where_another_is_small(tmp_path: Path) -> None:
    overrides = [f"data.root={REAL}", "data.subset=30000", "train.epochs=2", "train.optimizer.sgd.lr=0.03"]
    base = nnctl.train(nnctl.load_spec(spec("lenet"), overrides=overrides), run=tmp_path / "base").run
    means = []
    for name, change in (("frozen", f"model.pretrained={{file: {base}, new: [linear3]}}"), ("new", "model.freeze=[]")):
        found = []
        for seed in range(3):
            loaded = nnctl.load_spec(spec("recipes/fine_tune"), overrides=[change, f"seed={seed}"])
            run = nnctl.train(loaded, run=tmp_path / f"{name}{seed}").run
            found.append(nnctl.evaluate(run).accuracy or 0.0)
        means.append(float(np.mean(found)))
    assert means[0] > means[1] + 0.01
    assert means[0] > 0.8
