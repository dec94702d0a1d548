"""When training stops, and which epoch is the best."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from shlex import quote
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from nnctl.checkpoint import read_weights
from nnctl.training.choice import Patience, better_of, is_better
from nnctl.training.finite import first_not_finite
from nnctl.training.result import Best
from nnctl.training.run import TrainingDiverged, train
from tests.training.helpers import Listener, history, last_tensors, spec_of


def test_lower_losses_and_higher_accuracies_are_better() -> None:
    assert is_better("val_loss", 1.0, 2.0)
    assert not is_better("val_loss", 2.0, 2.0)
    assert is_better("val_accuracy", 0.9, 0.8)
    assert not is_better("val_error", 0.9, 0.8)
    assert is_better("val_r2", 0.9, 0.8)
    assert is_better("val_aux_accuracy", 0.9, 0.8)


def test_the_earliest_of_equals_is_the_best() -> None:
    best: Best | None = None
    for epoch, value in enumerate([0.5, 0.7, 0.7, 0.6], 1):
        best = better_of(best, epoch, "val_accuracy", value)
    assert best == Best(2, "val_accuracy", 0.7)


def test_patience_counts_epochs_that_are_not_better_by_more_than_delta() -> None:
    patience = Patience()
    counts = []
    for value in [1.0, 0.95, 0.85, 0.8, 0.75, 0.7]:
        patience = patience.after("val_loss", value, 0.1)
        counts.append(patience.epochs)
    assert counts == [0, 1, 0, 1, 2, 0]


def test_training_stops_early(tmp_path: Path) -> None:
    rule = {"monitor": "val_loss", "min_delta": 0.05, "patience": 2}
    result = train(spec_of(epochs=40, early_stopping=rule), run=tmp_path)
    losses = [line["val_loss"] for line in history(tmp_path)]
    best, since = losses[0], 0
    for value in losses[1:]:
        best, since = (value, 0) if best - value > 0.05 else (best, since + 1)
    assert (result.stopped, result.epochs, since) == ("early", len(losses), 2)
    assert result.epochs < 40


def test_the_best_weights_come_back_where_asked(tmp_path: Path) -> None:
    rule = {"monitor": "val_loss", "min_delta": 0.05, "patience": 2, "restore_best": True}
    train(spec_of(epochs=40, early_stopping=rule, monitor="val_loss"), run=tmp_path)
    best = read_weights(tmp_path).tensors
    last = last_tensors(tmp_path)
    assert all(best[name].equal(last[f"model:{name}"]) for name in best)


def test_divergence_names_the_first_layer_at_fault_and_keeps_no_bad_state(tmp_path: Path) -> None:
    listener = Listener()
    layers = [{"linear": 6}, "relu", {"linear": 3}]
    spec = spec_of(layers=layers, epochs=50, optimizer={"sgd": 1e30})
    with pytest.raises(TrainingDiverged, match=r"training diverged: .* in step \d+") as caught:
        train(spec, run=tmp_path, reporter=listener)
    problem = caught.value.problems[0]
    assert caught.value.exit_code == 3
    assert problem.where in ("linear1", "linear2")
    assert problem.details[0].startswith(f"first layer at fault: {problem.where}: its ")
    assert problem.hint is not None
    assert f"`nnctl inspect {quote(str(tmp_path / 'spec.yaml'))}" in problem.hint
    assert problem.position.line is not None
    assert caught.value.result.stopped == "diverged"
    assert listener.calls[-1] == "end"
    assert list((tmp_path / "state").glob("step-*")) == []


def test_the_first_layer_is_the_first_whose_output_or_weight_is_not_finite() -> None:
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    net = nn.Sequential(OrderedDict(a=first, b=nn.ReLU(), c=second, d=nn.Linear(2, 2)))
    batch: Any = SimpleNamespace(inputs={"input": torch.ones(3, 2)}, target=None)
    assert first_not_finite(net, batch) is None
    with torch.no_grad():
        first.weight.fill_(1e38)
        first.bias.fill_(3e38)
    assert first_not_finite(net, batch) == ("a", "its output is not finite")
    with torch.no_grad():
        second.weight[0, 0] = float("nan")
    assert first_not_finite(net, batch) == ("c", "its weight is not finite")


def test_the_listener_hears_of_everything_in_order(tmp_path: Path) -> None:
    listener = Listener()
    train(spec_of(epochs=2), run=tmp_path, reporter=listener)
    assert listener.calls == ["start", *["step"] * 6, "epoch", *["step"] * 6, "epoch", "end"]
    assert [report.step for report in listener.steps] == list(range(1, 13))
    assert listener.epochs[0].improved
