"""The accuracy of side outputs, each against what its own loss compares it with."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import nnctl
from nnctl.checkpoint import load_into, read_weights
from nnctl.data.load import load
from nnctl.errors import SpecError
from nnctl.graph.build import build_text
from nnctl.network.compile import compile_graph

CSV = "x,y,colour,kind\n" + "\n".join(
    f"{i % 7},{i % 5},{'red' if i % 7 > 3 else 'blue'},{'abc'[i % 3]}" for i in range(100)
)
SPEC = """
name: heads
data:
  dataset: {csv: {path: rows.csv, target: kind, columns: {x: number, y: number, colour: {category: 2}}}}
model:
  layers:
    - from: data.numbers
    - linear: 8
    - tanh
    - head: {name: colour, eval: true, layers: [{linear: 2}]}
    - head: {name: kind, eval: true, layers: [{linear: $classes}]}
    - head: {name: wide, eval: true, layers: [{linear: 7}]}
    - linear: $classes
train:
  epochs: 12
  batch_size: 10
  monitor: val_colour_accuracy
  loss:
    - cross_entropy
    - cross_entropy: {at: colour, target: data.colour}
  optimizer: {adam: {lr: 0.05}}
"""


def test_a_head_is_measured_against_its_own_target(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(CSV)
    (tmp_path / "a.yaml").write_text(SPEC)
    run = nnctl.train(nnctl.load_spec(tmp_path / "a.yaml"), run=tmp_path / "run")
    assert run.best is not None
    assert run.best.metric == "val_colour_accuracy"
    assert run.best.value == 1.0, "colour follows from x"
    found = nnctl.evaluate(tmp_path / "run")
    assert found.heads is not None
    assert sorted(found.heads) == ["colour", "kind"]

    graph = build_text((tmp_path / "run" / "spec.yaml").read_text())
    assert graph.spec.data is not None
    test = load(graph.spec.data, 0, splits=("test",)).test
    assert test is not None
    net = compile_graph(graph).eval()
    load_into(net, read_weights(tmp_path / "run"))
    batch = test.batch(slice(0, len(test)))
    with torch.no_grad():
        outputs = net.outputs(batch.inputs)
    colour = (outputs["colour"].argmax(1) == batch.inputs["colour"]).double().mean().item()
    kind = (outputs["kind"].argmax(1) == batch.target).double().mean().item()
    assert found.heads == pytest.approx({"colour": colour, "kind": kind})


def test_a_head_that_names_no_class_is_not_measured(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(CSV)
    (tmp_path / "a.yaml").write_text(SPEC.replace("val_colour_accuracy", "val_wide_accuracy"))
    with pytest.raises(SpecError, match="`val_wide_accuracy` is never measured"):
        nnctl.load_spec(tmp_path / "a.yaml")
