"""`train`, `eval` and `export` from end to end, on a few points."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

from nnctl.cli.render.numbers import measure
from nnctl.training.reporter import Reporter, StepReport
from tests.cli.conftest import Run, Write

POINTS = """\
name: corners
data:
  dataset: {points: {x: [[0, 0], [0, 1], [1, 0], [1, 1]], y: [0, 1, 1, 1]}}
  validation: 0
model:
  layers:
    - linear: $classes
train:
  epochs: 8
  batch_size: 2
  loss: cross_entropy
  optimizer: {sgd: {lr: 4.0}}
"""


@pytest.fixture
def trained(nnctl: Run, write: Write) -> str:
    assert nnctl("train", write(POINTS), "--run", "run").code == 0
    return "run"


def test_train_prints_its_result_on_stdout_and_its_progress_on_stderr(nnctl: Run, write: Write) -> None:
    ran = nnctl("train", write(POINTS), "train.epochs=3")
    assert ran.code == 0
    assert ran.out.splitlines()[:2] == ["run       checkpoints/corners/1", "finished  after 3 epochs, 6 steps"]
    assert ran.out.splitlines()[-3] == "next  nnctl eval checkpoints/corners/1"
    assert ran.err.startswith("corners · 6 parameters · 4 training samples · no validation · cpu\n")
    assert [line.split()[0] for line in ran.err.splitlines()[1:]] == ["epoch", "1/3", "2/3", "3/3"]


def test_what_only_training_refuses_is_told_once(nnctl: Run, write: Write) -> None:
    ran = nnctl("train", write(POINTS.replace("$classes", "1")))
    assert ran.code == 2
    assert ran.err.startswith("error: the output does not have one number for each class")
    assert ran.err.count("the data has 2 classes") == 1
    assert "warning" not in ran.err


def test_the_json_of_train(nnctl: Run, write: Write) -> None:
    ran = nnctl("train", write(POINTS), "--run", "my run", "--json")
    result = ran.json
    assert (result["run"], result["epochs"], result["steps"], result["stopped"]) == ("my run", 8, 16, "finished")
    assert set(result["best"]) == {"epoch", "metric", "value"}
    assert result["train_accuracy"] == 1.0
    assert "val_loss" not in result
    assert result["images_per_second"] > 0


def test_a_run_is_never_overwritten(nnctl: Run, trained: str) -> None:
    before = {file: file.read_bytes() for file in Path(trained).rglob("*") if file.is_file()}
    ran = nnctl("train", "spec.yaml", "--run", trained)
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert {file: file.read_bytes() for file in Path(trained).rglob("*") if file.is_file()} == before


def test_eval_measures_a_run(nnctl: Run, trained: str) -> None:
    result = nnctl("eval", trained, "--json").json
    assert (result["split"], result["n"], result["accuracy"], result["error"]) == ("train", 4, 1.0, 0.0)
    assert result["confusion"] == [[1, 0], [0, 3]]
    assert nnctl("evaluate", trained, "--json").json == result
    lines = nnctl("eval", trained).out.splitlines()
    assert lines[0].split() == ["split", "train,", "4", "samples"]
    assert lines[-2].split() == ["0", "1", "·"]
    assert lines[-1].split() == ["1", "·", "3"]


def test_eval_of_an_ensemble_shows_theory_beside_the_measured_error(nnctl: Run, write: Write) -> None:
    assert nnctl("train", write(POINTS + "  bagging: 3\n"), "--run", "run").code == 0
    found = nnctl("eval", "run", "--json").json["ensemble"]
    lines = [line for line in nnctl("eval", "run").out.splitlines() if line.startswith(("members", "squared error"))]
    assert lines[0].split()[:4] == ["members", "3,", "each", "alone"]
    assert found["measured"] == pytest.approx(found["v"] / 3 + 2 * found["c"] / 3)
    assert lines[1].count(measure(found["measured"])) == 2
    assert f"v = {measure(found['v'])} and c = {measure(found['c'])}" in lines[1]


def test_eval_of_what_is_not_there(nnctl: Run, trained: str) -> None:
    assert nnctl("eval", "nowhere").code == 2
    ran = nnctl("eval", trained, "--split", "validation")
    assert ran.code == 2
    assert "no validation split" in ran.err
    assert nnctl("eval", trained, "--split", "tets").code == 2


def test_export_writes_what_torch_reads(nnctl: Run, trained: str) -> None:
    ran = nnctl("export", trained, "weights.safetensors", "--json")
    assert ran.code == 0
    assert ran.json["tensors"] == 2
    assert ran.json["verified"] is True
    assert {name: tuple(tensor.shape) for name, tensor in load_file("weights.safetensors").items()} == {
        "linear1.weight": (2, 2),
        "linear1.bias": (2,),
    }
    assert nnctl("export", trained, "weights.safetensors").code == 2, "a file is not overwritten"


def test_divergence_has_its_code_in_both_forms(nnctl: Run, write: Write) -> None:
    spec = write(POINTS.replace("cross_entropy", "mse").replace("lr: 4.0", "lr: 1.0e+30"))
    ran = nnctl("train", spec, "--run", "a")
    assert ran.code == 3
    assert "error: training diverged" in ran.err
    ran = nnctl("train", spec, "--run", "b", "--json")
    assert ran.code == 3
    assert ran.json["stopped"] == "diverged"
    assert ran.json["run"] == "b"
    assert [error["code"] for error in ran.json["errors"]] == ["diverged"]


def test_an_interrupted_run_is_resumed_as_its_summary_says(
    nnctl: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os
    import signal

    def interrupt(self: Reporter, report: StepReport) -> None:
        if report.step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    spec = write(POINTS)
    monkeypatch.setattr("nnctl.cli.render.plain.PlainView.interval", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr("nnctl.cli.render.plain.PlainView.on_step", interrupt)
        ran = nnctl("train", spec, "--run", "run")
    assert ran.code == 130
    command = ran.out.splitlines()[-1].partition("nnctl ")[2].split()
    ran = nnctl(*command, "--json")
    assert ran.code == 0
    assert (ran.json["steps"], ran.json["stopped"]) == (16, "finished")
    assert nnctl("train", spec, "--run", "whole").code == 0
    whole, resumed = load_file("whole/best.safetensors"), load_file("run/best.safetensors")
    assert all((whole[name] == resumed[name]).all() for name in whole)
    assert json.loads(Path("run/environment.json").read_text())


def test_inspect_shows_a_row_for_each_layer(nnctl: Run, trained: str) -> None:
    (layer,) = nnctl("inspect", "spec.yaml", "--json").json["layers"]
    assert (layer["path"], layer["kind"], layer["line"]) == ("linear1", "linear", 7)
    assert layer["update_ratio"] == pytest.approx(4.0 * layer["grad_weight_ratio"], rel=1e-4), "one step of plain SGD"
    assert nnctl("inspect", trained, "--json").json["loss"] < 0.5, "the trained weights"
    out = nnctl("inspect", "spec.yaml", "--random").out
    heading = next(line for line in out.splitlines() if line.startswith("layer"))
    assert heading.split()[:3] == ["layer", "signal", "δ"]
    assert "samples of random · loss" in out.splitlines()[0]
