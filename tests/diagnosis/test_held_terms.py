"""Losses whose gradient takes for constants what depends on the weights: held fixed, differences agree with it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import torch

from benchmarks.planted_errors import PARAMETER, with_wrong_parameter
from nnctl.data.split import Batch
from nnctl.diagnosis.gradient.check import gradcheck
from nnctl.modules.rbm import RBM
from nnctl.network.compile import compile_model
from nnctl.network.initialise import seeded
from nnctl.network.modules import Network
from nnctl.objective import Objective
from nnctl.spec.load import loads
from nnctl.spec.sections import Spec
from tests.diagnosis.helpers import normal

FEATURES: list[Any] = [{"linear": 5}, "tanh", {"tag": "features"}, {"linear": 10}]
LOSSES: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "fgsm": (FEATURES, {"adversarial": {"epsilon": 0.3}}),
    "pgd": (FEATURES, {"adversarial": {"attack": "pgd", "epsilon": 0.3}}),
    "mmd": (FEATURES, {"mmd": {"against": "other", "at": "features"}}),
    "linear mmd": (FEATURES, {"mmd": {"against": "other", "at": "features", "estimator": "linear"}}),
    "rbm": ([{"rbm": 5}], {"contrastive_divergence": {"steps": 2}}),
}


def spec_for(case: str) -> Spec:
    layers, loss = LOSSES[case]
    data: dict[str, Any] = {"dataset": "digits", "streams": {"other": {"dataset": "digits"}}}
    layers = ["flatten", *layers]
    if "mmd" not in loss:
        del data["streams"]
    losses = [loss] if case == "rbm" else ["cross_entropy", loss]
    train = {"epochs": 1, "batch_size": 8, "loss": losses, "optimizer": {"sgd": 0.1}}
    return loads(json.dumps({"name": "held", "data": data, "model": {"layers": layers}, "train": train}))


@pytest.mark.parametrize("case", LOSSES)
def test_right_gradients_pass(case: str) -> None:
    result = gradcheck(spec_for(case), random=True, samples=8)
    assert result.verdict == "pass"
    assert result.not_differentiable == (("input",) if case == "rbm" else ())


@pytest.mark.parametrize("case", [case for case in LOSSES if case != "rbm"])
def test_wrong_ones_still_fail(case: str) -> None:
    spec = spec_for(case)
    net = with_wrong_parameter(compile_model(spec), "linear1.weight", PARAMETER["1% too large"])
    result = gradcheck(net, spec, random=True, samples=8)
    assert [tensor.name for tensor in result.failed] == ["linear1.weight"]


def test_a_wrong_free_energy_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    right = RBM.free_energy

    def wrong(self: RBM, v: torch.Tensor) -> torch.Tensor:
        return right(self, v) * 1.01 - right(self, v).detach() * 0.01

    monkeypatch.setattr(RBM, "free_energy", wrong)
    result = gradcheck(spec_for("rbm"), random=True, samples=8)
    assert {tensor.name for tensor in result.failed} == {"rbm1.weight", "rbm1.bias", "rbm1.visible_bias"}


@pytest.mark.parametrize("case", LOSSES)
def test_holding_changes_neither_loss_nor_gradient(case: str) -> None:
    """Else what is proven would not be the gradient that training takes."""
    spec = spec_for(case)
    net = compile_model(spec).double()
    assert isinstance(net, Network)
    assert spec.train is not None
    loss = spec.train.loss[-1]
    target = torch.arange(8) % 3
    other = Batch({"input": normal(8, 1, 8, 8, seed=1)}, target)
    batch = Batch({"input": normal(8, 1, 8, 8)}, target, streams={"other": other} if "mmd" in case else {})
    objective = Objective([loss])

    def found(held: bool) -> list[torch.Tensor]:
        own = copy.deepcopy(net)
        with seeded(3):
            seen = objective.forward(own, batch)
            value = (loss.held(seen) if held else loss.term())(seen)
        return [value, *torch.autograd.grad(value, list(own.parameters()), allow_unused=True, materialize_grads=True)]

    for one, other_one in zip(found(held=True), found(held=False), strict=True):
        torch.testing.assert_close(one, other_one, rtol=1e-12, atol=0)
