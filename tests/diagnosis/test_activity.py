"""Dead units and saturated values on networks made to have them."""

from __future__ import annotations

from math import acosh, log, sqrt
from typing import Any

import pytest
import torch

from nnctl.data.load import load
from nnctl.diagnosis.batches import TrainingBatches
from nnctl.diagnosis.signals import inspect
from tests.diagnosis.helpers import by_path, net_of, normal, spec_of

SIGMOID_EDGE = 2 * log(sqrt(20) + sqrt(19))
"""Where σ′ = 1/(2 + 2 cosh z) is 5% of ¼."""


def identity(features: int) -> dict[str, Any]:
    """A layer that an edited weight turns into the identity."""
    return {"linear": {"features": features, "bias": False}}


def test_dying_relus_are_counted() -> None:
    spec = spec_of(
        [{"linear": 8}, "relu", {"linear": 2}], normal(1500, 3), torch.arange(1500) % 2, loss="cross_entropy"
    )
    net = net_of(spec)
    with torch.no_grad():
        net.get_parameter("linear1.bias")[:3] = -100.0
    result = inspect(net, spec)
    assert by_path(result)["relu1"].dead == 3 / 8
    assert by_path(result)["linear1"].dead is by_path(result)["linear1"].saturated is None
    assert (result.batch, result.samples) == (1500, 1500)


def test_a_unit_that_one_input_wakes_is_alive() -> None:
    """Small batches: the input that wakes the unit is in any one of them, so all of the set has to be seen."""
    x = -torch.ones(600, 1)
    x[437] = 1.0
    spec = spec_of([identity(2), "relu"], x, torch.arange(600) % 2, loss="cross_entropy", batch_size=32)
    net = net_of(spec)
    with torch.no_grad():
        net.get_parameter("linear1.weight").copy_(torch.tensor([[1.0], [0.0]]))
    result = inspect(net, spec)
    assert (by_path(result)["relu1"].dead, result.batch, result.samples) == (0.5, 32, 600)


def test_counting_ends_with_the_batch_that_completes_1024_inputs() -> None:
    spec = spec_of([{"linear": 2}], normal(2000, 1), torch.arange(2000) % 2, loss="cross_entropy", batch_size=100)
    assert inspect(spec).samples == 1100


def test_no_sample_is_counted_twice() -> None:
    """From any step on: with 5 batches, step 3's epoch is walked around, not left."""
    x = torch.arange(50.0).unsqueeze(1)
    spec = spec_of([{"linear": 2}], x, torch.arange(50) % 2, loss="cross_entropy", batch_size=10, epochs=2)
    assert inspect(spec, steps=3).samples == inspect(spec, steps=7).samples == 50

    assert spec.data is not None
    batches = TrainingBatches("points", load(spec.data, 0).train, 10, False, 0)
    seen = torch.cat([batches.at(7).inputs["input"], *(batch.inputs["input"] for batch in batches.others(7))])
    assert sorted(seen.flatten().tolist()) == x.flatten().tolist()


def test_a_channel_is_a_unit() -> None:
    """A filter that fires at a single place is alive."""
    layers = [{"reshape": [1, 2, 2]}, {"conv": {"channels": 2, "kernel": 1}}, "relu", "flatten", {"linear": 2}]
    x = torch.tensor([[-1.0, -1.0, -1.0, 1.0]] * 4)
    spec = spec_of(layers, x, torch.tensor([0, 1, 0, 1]), loss="cross_entropy")
    net = net_of(spec)
    with torch.no_grad():
        net.get_parameter("conv1.weight").copy_(torch.tensor([1.0, 0.0]).view(2, 1, 1, 1))
    layer = by_path(inspect(net, spec))["relu1"]
    assert (layer.dead, layer.saturated) == (0.5, 7 / 8)


@pytest.mark.parametrize(
    ("activation", "inside", "outside"),
    [
        ("sigmoid", [0.99 * SIGMOID_EDGE, -0.99 * SIGMOID_EDGE, 0.0], [1.01 * SIGMOID_EDGE, -30.0]),
        ("tanh", [0.99 * acosh(sqrt(20)), 1.0], [1.01 * acosh(sqrt(20)), -1.01 * acosh(sqrt(20)), 9.0]),
        ("relu", [1e-3, 5.0], [-1e-3, 0.0]),
        ("leaky_relu: 0.04", [1e-3, 5.0], [-1.0, -9.0, -1e-3]),
        ("leaky_relu: 0.06", [1e-3, 5.0, -1.0], []),
        ("relu6", [3.0], [7.0, -1.0]),
        ("elu", [1.0, 0.99 * log(0.05)], [1.01 * log(0.05)]),
    ],
)
def test_where_the_slope_falls_below_a_twentieth_of_the_largest(
    activation: str, inside: list[float], outside: list[float]
) -> None:
    kind, _, value = activation.partition(": ")
    entry: Any = {kind: float(value)} if value else kind
    z = torch.tensor([*inside, *outside]).unsqueeze(1)
    spec = spec_of([identity(1), entry], z, torch.zeros(len(z)), loss="mse")
    net = net_of(spec)
    with torch.no_grad():
        net.get_parameter("linear1.weight").fill_(1.0)
    assert inspect(net, spec).layers[1].saturated == len(outside) / len(z)


def test_learned_slopes_saturate_unit_by_unit() -> None:
    """Largest slopes are 1 and 40: at −1 the first unit has 0.01 of its largest, at 1 the second has 1/40."""
    spec = spec_of(
        [identity(2), {"prelu": {"per": "channel"}}],
        torch.tensor([[-1.0], [1.0]]),
        torch.tensor([0, 1]),
        loss="cross_entropy",
    )
    net = net_of(spec)
    with torch.no_grad():
        net.get_parameter("linear1.weight").fill_(1.0)
        net.get_parameter("prelu1.weight").copy_(torch.tensor([0.01, 40.0]))
    assert inspect(net, spec).layers[1].saturated == 0.5
    with torch.no_grad():
        net.get_parameter("prelu1.weight").copy_(torch.tensor([0.1, 10.0]))
    assert inspect(net, spec).layers[1].saturated == 0.0


def test_a_softmax_has_no_slope_of_its_own() -> None:
    spec = spec_of([{"linear": 3}, "softmax"], normal(6, 2), torch.arange(6) % 3, loss="mse")
    layer = inspect(spec).layers[1]
    assert (layer.dead, layer.saturated) == (0.0, None)
