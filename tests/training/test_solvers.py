"""Recipes whose optimisers are more than one update equation: they train, and resume to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import nnctl
from nnctl.training.run import train
from tests.training.helpers import Failure, StopAt, assert_same_run, spec_of

SMALL: list[Any] = [{"linear": 6}, "relu", {"linear": 3}]
RECIPES: dict[str, dict[str, Any]] = {
    "lbfgs": {"optimizer": {"lbfgs": {"history": 2, "weight_decay": 0.01}}, "batch_size": "all", "epochs": 6},
    "lbfgs, parts": {"optimizer": "lbfgs", "batch_size": "all", "accumulate": 3, "epochs": 6},
    "bfgs": {"optimizer": {"bfgs": {"weight_decay": 0.01}}, "batch_size": "all", "epochs": 6},
    "conjugate_gradient": {"optimizer": "conjugate_gradient", "batch_size": "all", "epochs": 6},
    "newton": {"optimizer": {"newton": {"damping": 0.1}}, "batch_size": "all", "epochs": 6},
    "stochastic_admm": {"optimizer": {"stochastic_admm": {"grid": [6]}}, "epochs": 2},
    "scalable_admm": {"optimizer": {"scalable_admm": {"warm": 2}}, "batch_size": "all", "loss": "hinge", "epochs": 6},
    "scalable_admm, average": {
        "optimizer": "scalable_admm",
        "batch_size": "all",
        "loss": "mse",
        "epochs": 6,
        "ema": 0.5,
    },
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_crash_after_an_epoch(tmp_path: Path, recipe: dict[str, Any]) -> None:
    spec = spec_of(layers=SMALL, **recipe)
    whole = train(spec, run=tmp_path / "whole")
    cut = tmp_path / "cut"
    with pytest.raises(Failure):
        train(spec, run=cut, reporter=StopAt(whole.steps // 2 + 1))
    assert train(spec, run=cut, resume=True).steps == whole.steps
    assert_same_run(tmp_path / "whole", cut)


@pytest.mark.parametrize("name", RECIPES)
def test_the_loss_falls(tmp_path: Path, name: str) -> None:
    recipe = {**RECIPES[name], "epochs": 20}
    result = train(spec_of(layers=SMALL, **recipe), run=tmp_path / "run")
    assert result.best is not None
    assert result.best.value >= 0.85
    assert nnctl.evaluate(tmp_path / "run", split="validation").accuracy == pytest.approx(result.best.value)


def test_a_network_trained_without_gradients_is_inspected_without_steps() -> None:
    spec = spec_of(layers=SMALL, **RECIPES["scalable_admm"])
    assert all(layer.update_ratio is None for layer in nnctl.inspect(spec).layers)
    with pytest.raises(nnctl.NnctlError, match="takes no gradient steps"):
        nnctl.inspect(spec, steps=2)
