"""Theory sent through joins, tags and heads of wide networks, against what is measured there."""

from __future__ import annotations

from math import log10
from typing import Any

import pytest
import torch

from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.signals import inspect
from tests.diagnosis.helpers import by_path, net_of, spec_of

WIDE = 256


def linear(features: int = WIDE, std: float | None = None) -> dict[str, Any]:
    init = {} if std is None else {"init": {"normal": std}}
    return {"linear": {"features": features, **init}}


LARGE = linear(64, 1.0)
"""What leaves it is 16 times as large as what arrives."""
END = [linear(), "relu", {"linear": 10}]


def branches(merge: str, *paths: list[Any]) -> dict[str, Any]:
    return {"branches": {"paths": list(paths), "merge": merge}}


def head(*, of: str | None = None) -> dict[str, Any]:
    return {"head": {"name": "aux", **({"from": of} if of else {}), "layers": [linear(64), {"linear": 10}]}}


def inspected(layers: list[Any], **parts: Any) -> InspectResult:
    spec = spec_of(layers, model={"input": [WIDE]}, **parts)
    return inspect(net_of(spec), spec)


def check(result: InspectResult, least: int) -> None:
    """Everything that is predicted is within 3 deviations of it; at least so many layers have a predicted error."""
    errors = 0
    for layer in result.layers:
        assert layer.prediction is not None
        found, of = layer.prediction, f"{layer.path} in {layer}"
        if layer.forward_rms and found.forward_rms is not None:
            assert abs(log10(layer.forward_rms / found.forward_rms)) < 0.03 + 3 * (found.forward_spread or 0.0), of
        if layer.delta_rms and found.delta_rms is not None:
            errors += 1
            assert abs(log10(layer.delta_rms / found.delta_rms)) < 0.03 + 3 * (found.delta_spread or 0.0), of
    assert errors >= least


GROWING = branches("concat", [], ["relu", linear(64)])
NETWORKS = {
    "appended to what arrives": [linear(), branches("concat", [], [LARGE]), *END],
    "appended again and again": [linear(), {"repeat": {"times": 4, "layers": [GROWING]}}, *END],
    "branches within branches": [
        linear(),
        branches("concat", [branches("concat", [linear(64)], [linear()])], [LARGE]),
        *END,
    ],
    "appended to a residual": [
        linear(),
        branches("concat", [{"residual": {"body": [linear(64), "relu", linear()]}}], [LARGE]),
        *END,
    ],
    "a small tag appended": [linear(), LARGE, {"tag": "a"}, linear(), {"from": {"tag": "a", "merge": "concat"}}, *END],
    "positive signals added": [branches("add", [linear(), "relu"], [linear(), "relu"]), *END],
    "a tag added twice": [
        linear(),
        {"tag": "a"},
        linear(std=0.2),
        {"from": {"tag": "a", "merge": "add"}},
        linear(std=0.02),
        {"from": {"tag": "a", "merge": "add"}},
        *END,
    ],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_joins(name: str) -> None:
    result = inspected(NETWORKS[name])
    check(result, least=len(result.layers))


HEAVY = {"loss": ["cross_entropy", {"cross_entropy": {"at": "aux", "weight": 100}}]}


def test_a_heads_error_joins_that_of_the_rest() -> None:
    """No rule says how large it is: before the head the prediction starts anew, from what is measured."""
    result = inspected([linear(), "relu", linear(), head(), *END], **HEAVY)
    check(result, least=6)
    before = by_path(result)["linear2"]
    assert before.prediction is not None
    assert before.prediction.delta_rms == pytest.approx(before.delta_rms, rel=1e-9)


def test_a_head_that_starts_at_a_tag_sends_its_error_there() -> None:
    join = {"from": {"tag": "a", "merge": "add"}}
    result = inspected([linear(), {"tag": "a"}, linear(), head(of="a"), join, *END], **HEAVY)
    check(result, least=5)
    layers = by_path(result)
    first, second = layers["linear1"], layers["linear2"]
    assert first.delta_rms
    assert second.delta_rms
    assert first.delta_rms > 5 * second.delta_rms  # the head's own
    assert first.prediction is not None
    assert first.prediction.delta_rms == pytest.approx(first.delta_rms, rel=1e-9)


def test_an_error_that_comes_back_by_two_ways_of_which_one_has_no_rule() -> None:
    join, append = ({"from": {"tag": "a", "merge": merge}} for merge in ("add", "concat"))
    result = inspected([linear(), {"tag": "a"}, linear(), append, linear(std=1.0), join, *END])
    check(result, least=5)


def test_what_is_only_measured_is_not_told_as_predicted() -> None:
    result = inspected([linear(), "softmax", *END])
    softmax, after = result.layers[1:3]
    assert softmax.prediction is not None
    assert softmax.prediction.forward_rms is softmax.prediction.cosine is None
    assert after.prediction is not None
    assert after.prediction.input_rms == pytest.approx(softmax.forward_rms, rel=1e-9)


def test_biases_that_are_all_alike_move_what_comes_after() -> None:
    """Gates that start closed: σ(z) of z about −4 is some 0.02, not ½."""
    closed = {"linear": {"features": WIDE, "init": {"weight": "lecun", "bias": {"constant": -4.0}}}}
    result = inspected([closed, "sigmoid", *END])
    check(result, least=5)
    assert (result.layers[1].forward_rms or 1.0) < 0.05


def test_variances_are_the_initialisers_until_weights_are_others() -> None:
    """Of 2 weights hardly any has the mean square that it was drawn with."""
    spec = spec_of([{"linear": {"features": 1, "bias": False, "init": "lecun"}}], model={"input": [2]}, loss="mse")
    net = net_of(spec)
    fresh = inspect(net, spec).layers[0]
    weight = net.get_parameter("linear1.weight")
    assert fresh.prediction is not None
    assert fresh.prediction.forward_rms == pytest.approx(fresh.input_rms, rel=1e-9)
    with torch.no_grad():
        weight.mul_(3)
    other = inspect(net, spec).layers[0]
    assert other.prediction is not None
    assert other.input_rms is not None
    assert other.prediction.forward_rms == pytest.approx(other.input_rms * float(weight.detach().norm()), rel=1e-9)
