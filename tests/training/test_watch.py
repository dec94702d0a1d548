"""`train.inspect`: what is logged, and that the training is the same one, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from nnctl.checkpoint import read_weights
from nnctl.diagnosis.signals import inspect
from nnctl.errors import SpecError
from nnctl.training.run import train
from tests.diagnosis.helpers import normal, spec_of

X, LABELS = normal(48, 3), torch.arange(48) % 2
LAYERS: list[Any] = [{"linear": 8}, "batch_norm", "relu", {"dropout": 0.5}, {"linear": 2}]
OPTIONS: dict[str, Any] = {"loss": "cross_entropy", "batch_size": 8, "epochs": 2}


def lines_of(run: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == "inspect"]


def test_watching_changes_nothing(tmp_path: Path) -> None:
    train(spec_of(LAYERS, X, LABELS, **OPTIONS), run=tmp_path / "alone", device="cpu")
    train(spec_of(LAYERS, X, LABELS, **OPTIONS, inspect=5), run=tmp_path / "watched", device="cpu")
    one, other = (read_weights(tmp_path / name).tensors for name in ("alone", "watched"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_first_line_is_what_inspect_says(tmp_path: Path) -> None:
    spec = spec_of(LAYERS, X, LABELS, **OPTIONS, inspect={"every": 5})
    train(spec, run=tmp_path, device="cpu")
    lines = lines_of(tmp_path)
    assert [(line["step"], line["epoch"]) for line in lines] == [(1, 1), (6, 1), (11, 2)]
    logged = {layer["path"]: layer for layer in lines[0]["layers"]}
    for layer in inspect(spec).layers:
        for name in ("forward_rms", "delta_rms", "grad_norm", "weight_norm", "grad_weight_ratio", "update_ratio"):
            expected = getattr(layer, name)
            assert logged[layer.path][name] == (expected if expected is None else pytest.approx(expected, rel=1e-6))
    assert lines[0]["samples"] == 8


def test_members_trained_together_are_not_looked_into() -> None:
    with pytest.raises(SpecError, match=r"`train\.inspect` looks into a single network"):
        train(spec_of([{"linear": 2}], X, LABELS, **OPTIONS, inspect=5, bagging=3))
