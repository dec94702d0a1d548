"""A run from spec to directory: what lies there, and what it says."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import safetensors.torch
import torch
from safetensors import safe_open

from nnctl.checkpoint import read_weights, write_weights
from nnctl.errors import UsageError
from nnctl.evaluation.checkpoint import evaluate
from nnctl.exporting.export_weights import export
from nnctl.training.run import train
from tests.training.helpers import assert_same_run, history, line, spec_of


def test_the_directory_holds_what_it_should(tmp_path: Path) -> None:
    result = train(spec_of(), run=tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir() if not path.name.startswith(".")}
    assert names == {"spec.yaml", "environment.json", "metrics.jsonl", "best.safetensors", "curves.svg", "state"}
    states = {path.name for path in (tmp_path / "run/state").iterdir()}
    assert len(states) == 2
    assert "step-18" in states
    assert (result.epochs, result.steps, result.stopped) == (3, 18, "finished")
    ElementTree.parse(tmp_path / "run/curves.svg")


def test_the_result_is_the_last_line_of_the_log(tmp_path: Path) -> None:
    result = train(spec_of(), run=tmp_path / "run")
    last = history(tmp_path / "run")[-1]
    assert (result.train_loss, result.val_loss, result.val_accuracy) == tuple(
        last[key] for key in ("train_loss", "val_loss", "val_accuracy")
    )
    assert result.best is not None
    assert result.best.metric == "val_accuracy"
    values = [line["val_accuracy"] for line in history(tmp_path / "run")]
    assert (result.best.value, result.best.epoch) == (max(values), values.index(max(values)) + 1)
    assert json.loads(json.dumps(result.as_json()))["val_loss"] == result.val_loss
    assert "val_r2" not in result.as_json()
    assert result.val_r2 is None


def test_new_runs_take_the_next_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runs = [train(spec_of(epochs=1)).run for _ in range(2)]
    assert runs == ["checkpoints/small/1", "checkpoints/small/2"]


def test_a_run_is_never_overwritten(tmp_path: Path) -> None:
    train(spec_of(epochs=1), run=tmp_path)
    with pytest.raises(UsageError, match="holds a run already"):
        train(spec_of(epochs=1), run=tmp_path)


def test_the_same_spec_gives_the_same_run_whatever_torchs_seed(tmp_path: Path) -> None:
    torch.manual_seed(1)
    train(spec_of(), run=tmp_path / "a")
    torch.manual_seed(2)
    train(spec_of(), run=tmp_path / "b")
    assert_same_run(tmp_path / "a", tmp_path / "b")


def test_torchs_random_state_is_left_alone(tmp_path: Path) -> None:
    torch.manual_seed(9)
    before = torch.get_rng_state()
    train(spec_of(epochs=1), run=tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_evaluating_the_best_weights_gives_the_logged_measures_to_the_last_bit(tmp_path: Path) -> None:
    result = train(spec_of(), run=tmp_path)
    assert result.best is not None
    measured = evaluate(tmp_path, split="validation")
    logged = history(tmp_path)[result.best.epoch - 1]
    assert (measured.loss, measured.accuracy, measured.error, measured.top5) == tuple(
        logged[f"val_{key}"] for key in ("loss", "accuracy", "error", "top5")
    )
    assert measured.agrees_with_log is True
    assert measured.confusion is not None
    assert sum(map(sum, measured.confusion)) == measured.n == 15


def test_a_log_that_differs_is_noticed(tmp_path: Path) -> None:
    train(spec_of(), run=tmp_path)
    weights = read_weights(tmp_path)
    metrics = weights.value("metrics") | {"val_loss": 0.25}
    write_weights(weights.path, weights.tensors, weights.metadata | {"metrics": json.dumps(metrics)})
    assert evaluate(tmp_path, split="validation").agrees_with_log is False


def test_sets_without_a_test_split_are_evaluated_on_train(tmp_path: Path) -> None:
    train(spec_of(epochs=1), run=tmp_path)
    result = evaluate(tmp_path)
    assert (result.split, result.n) == ("train", 45)
    assert str(result) == f"train: 45 samples, loss {result.loss:.4g}, accuracy {result.accuracy:.4g}"
    with pytest.raises(UsageError, match="no test split"):
        evaluate(tmp_path, split="test")


def test_regression(tmp_path: Path) -> None:
    spec = spec_of(data=line(), layers=[{"linear": 1}], loss="mse", epochs=30, optimizer={"sgd": 0.05})
    result = train(spec, run=tmp_path)
    assert result.best is not None
    assert result.best.metric == "val_loss"
    assert result.val_rmse is not None
    assert result.val_r2 is not None
    assert result.val_rmse < 0.25
    assert result.val_r2 > 0.95
    assert result.val_loss == pytest.approx(result.val_rmse**2)


def test_exported_weights_need_no_nnctl(tmp_path: Path) -> None:
    train(spec_of(), run=tmp_path / "run")
    result = export(tmp_path / "run", tmp_path / "out.safetensors")
    tensors = safetensors.torch.load_file(tmp_path / "out.safetensors")
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 6), torch.nn.BatchNorm1d(6), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(6, 3)
    )
    net.load_state_dict(_renamed(net, tensors))
    assert (result.tensors, result.verified, result.format) == (len(tensors), True, "safetensors")
    with safe_open(tmp_path / "out.safetensors", "pt") as file:
        assert "cross_entropy" in file.metadata()["spec"]
    with pytest.raises(UsageError, match="exists already"):
        export(tmp_path / "run", tmp_path / "out.safetensors")
    with pytest.raises(UsageError, match=r"is a \.safetensors file"):
        export(tmp_path / "run", tmp_path / "out.onnx")


def _renamed(net: torch.nn.Module, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    names = {"0": "linear1", "1": "batch_norm1", "4": "linear2"}
    return {key: tensors[f"{names[key.split('.')[0]]}.{key.split('.')[1]}"] for key in net.state_dict()}
