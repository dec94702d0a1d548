"""Signals, errors and gradients against back-propagation written out, closed forms, and autograd on a twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from nnctl.data.load import load
from nnctl.diagnosis.batches import TrainingBatches
from nnctl.diagnosis.signals import inspect
from tests.diagnosis.helpers import by_path, net_of, normal, parameter, spec_of

SPECS = Path(__file__).parents[2] / "specs"


def rms(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(np.asarray(values, dtype=np.float64)))))


def test_a_network_against_back_propagation_by_hand() -> None:
    """δ(l) = f′(z(l)) ⊙ W(l+1)ᵀδ(l+1), ∂L/∂W(l) = mean of δ(l) a(l−1)ᵀ, with softmax and cross-entropy on top."""
    x, labels = normal(12, 3), torch.arange(12) % 4
    spec = spec_of([{"linear": 5}, "sigmoid", {"linear": 6}, "tanh", {"linear": 4}], x, labels, loss="cross_entropy")
    net = net_of(spec)
    with torch.no_grad():
        for number in (1, 2, 3):
            net.get_parameter(f"linear{number}.bias").copy_(normal(*parameter(net, f"linear{number}.bias").shape))
    w1, w2, w3 = (parameter(net, f"linear{n}.weight").numpy() for n in (1, 2, 3))
    b1, b2, b3 = (parameter(net, f"linear{n}.bias").numpy() for n in (1, 2, 3))

    a0 = x.float().double().numpy()  # the data's own precision
    z1 = a0 @ w1.T + b1
    a1 = 1 / (1 + np.exp(-z1))
    z2 = a1 @ w2.T + b2
    a2 = np.tanh(z2)
    z3 = a2 @ w3.T + b3
    p = np.exp(z3) / np.exp(z3).sum(1, keepdims=True)
    d3 = p - np.eye(4)[labels.numpy()]
    e2 = d3 @ w3
    d2 = (1 - a2**2) * e2
    e1 = d2 @ w2
    d1 = a1 * (1 - a1) * e1

    result = inspect(net, spec)
    layers = by_path(result)
    assert result.loss == pytest.approx(float(-np.log(p[np.arange(12), labels.numpy()]).mean()), rel=1e-10)
    forward = {"linear1": z1, "sigmoid1": a1, "linear2": z2, "tanh1": a2, "linear3": z3}
    delta = {"linear1": d1, "sigmoid1": e1, "linear2": d2, "tanh1": e2, "linear3": d3}
    assert {path: layer.forward_rms for path, layer in layers.items()} == pytest.approx(
        {path: rms(values) for path, values in forward.items()}, rel=1e-10
    )
    assert {path: layer.delta_rms for path, layer in layers.items()} == pytest.approx(
        {path: rms(values) for path, values in delta.items()}, rel=1e-10
    )
    for path, d, a, w in (("linear1", d1, a0, w1), ("linear2", d2, a1, w2), ("linear3", d3, a2, w3)):
        gradient, weight = float(np.linalg.norm(d.T @ a / 12)), float(np.linalg.norm(w))
        layer = layers[path]
        assert layer.grad_norm == pytest.approx(gradient, rel=1e-10)
        assert layer.weight_norm == pytest.approx(weight, rel=1e-10)
        assert layer.grad_weight_ratio == pytest.approx(gradient / weight, rel=1e-10)
    assert layers["tanh1"].grad_norm is layers["tanh1"].weight_norm is layers["tanh1"].update_ratio is None


def test_convolutions_and_a_residual_against_autograd() -> None:
    layers = [
        {"conv": 4},
        "relu",
        {"residual": {"body": [{"conv": {"channels": 4, "bias": False}}, "sigmoid"]}},
        "global_avg_pool",
        {"linear": 3},
    ]
    x, labels = normal(10, 12), torch.arange(10) % 3
    spec = spec_of([{"reshape": [3, 2, 2]}, *layers], x, labels, loss="cross_entropy")
    net = net_of(spec)
    w = {name: value.detach().clone().requires_grad_() for name, value in net.named_parameters()}
    values = {"reshape1": x.float().double().view(10, 3, 2, 2).requires_grad_()}
    values["conv1"] = functional.conv2d(values["reshape1"], w["conv1.weight"], w["conv1.bias"], padding=1)
    values["relu1"] = functional.relu(values["conv1"])
    values["residual1.body.conv1"] = functional.conv2d(values["relu1"], w["residual1.body.conv1.weight"], padding=1)
    values["residual1.body.sigmoid1"] = torch.sigmoid(values["residual1.body.conv1"])
    values["global_avg_pool1"] = (values["relu1"] + values["residual1.body.sigmoid1"]).mean((2, 3))
    values["linear1"] = functional.linear(values["global_avg_pool1"], w["linear1.weight"], w["linear1.bias"])
    # per-sample losses: their sum has every sample's own gradient
    total = functional.cross_entropy(values["linear1"], labels, reduction="sum")
    deltas = dict(zip(values, torch.autograd.grad(total, list(values.values()), retain_graph=True), strict=True))

    found = by_path(inspect(net, spec))
    assert list(found) == list(values)
    for path, layer in found.items():
        assert layer.forward_rms == pytest.approx(rms(values[path].detach()), rel=1e-10), path
        assert layer.delta_rms == pytest.approx(rms(deltas[path]), rel=1e-10), path
    for path in ("conv1", "residual1.body.conv1", "linear1"):
        (gradient,) = torch.autograd.grad(total / 10, w[f"{path}.weight"], retain_graph=True)
        assert found[path].grad_norm == pytest.approx(gradient.norm().item(), rel=1e-10)


@pytest.mark.parametrize("w", [0.1, 0.8, 1.2])
def test_a_chain_of_single_weights(w: float) -> None:
    """∂y/∂(one weight) = w^(L−1) and ∂y/∂(output k) = w^(L−k) for y = w^L x at x = 1 (N18).

    For w = 0.1 the gradients are 1e-29: their squares are 0 in single precision.
    """
    chain = [{"repeat": {"times": 30, "layers": [{"linear": {"features": 1, "bias": False, "init": {"constant": w}}}]}}]
    spec = spec_of(chain, torch.ones(1, 1), torch.zeros(1), loss="output")
    layers = inspect(spec).layers
    assert len(layers) == 30
    for k, layer in enumerate(layers, start=1):
        assert layer.grad_norm == pytest.approx(w**29, rel=1e-5)
        assert layer.delta_rms == pytest.approx(w ** (30 - k), rel=1e-5)
        assert layer.forward_rms == pytest.approx(w**k, rel=1e-5)


def test_the_toy_network_of_the_notes() -> None:
    result = inspect(SPECS / "toy.yaml")
    linear, sigmoid = result.layers
    assert (linear.path, linear.grad_norm, linear.delta_rms) == ("linear1", 0.25, 0.25)
    assert (sigmoid.forward_rms, sigmoid.delta_rms, result.loss) == (0.5, 1.0, 0.5)
    assert linear.grad_weight_ratio is linear.update_ratio is None  # w = 0
    assert (result.data, result.samples) == ("points", 1)


def test_batch_norm_takes_its_statistics_from_the_batch() -> None:
    spec = spec_of(
        [{"linear": 4}, "batch_norm", {"linear": 2}], normal(20, 3), torch.arange(20) % 2, loss="cross_entropy"
    )
    net = net_of(spec)
    x = normal(20, 3).float().double()
    z = x @ parameter(net, "linear1.weight").T
    expected = (z - z.mean(0)) / torch.sqrt(z.var(0, correction=0) + 1e-5)
    assert by_path(inspect(net, spec))["batch_norm1"].forward_rms == pytest.approx(rms(expected), rel=1e-10)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_batch_in_parts_measures_as_in_one_piece(accumulate: int) -> None:
    x, labels = normal(11, 3), torch.arange(11) % 2
    options: dict[str, Any] = {"loss": "cross_entropy", "accumulate": accumulate}
    spec = spec_of([{"linear": 4}, "tanh", {"linear": 2}], x, labels, **options)
    net = net_of(spec)
    layer = by_path(inspect(net, spec))["linear1"]
    inputs = x.float().double()
    hidden = functional.linear(inputs, parameter(net, "linear1.weight")).requires_grad_()
    output = functional.linear(torch.tanh(hidden), parameter(net, "linear2.weight"))
    (delta,) = torch.autograd.grad(functional.cross_entropy(output, labels, reduction="sum"), hidden)
    assert layer.forward_rms == pytest.approx(rms(hidden.detach()), rel=1e-10)
    assert layer.delta_rms == pytest.approx(rms(delta), rel=1e-10)
    assert layer.grad_norm == pytest.approx((delta.T @ inputs / 11).norm().item(), rel=1e-10)


def test_the_parts_of_a_batch_are_normalised_one_by_one() -> None:
    x, labels = normal(9, 3), torch.arange(9) % 2
    options: dict[str, Any] = {"loss": "cross_entropy", "accumulate": 3}
    spec = spec_of(["batch_norm", {"linear": 2}], x, labels, **options)
    net = net_of(spec)
    assert spec.data is not None
    batch = TrainingBatches("points", load(spec.data, spec.seed).train, 9, True, spec.seed).at(0)
    inputs = batch.inputs["input"].double()
    parts = [functional.batch_norm(inputs[i : i + 3], None, None, training=True) for i in (0, 3, 6)]
    expected = functional.linear(torch.cat(parts), parameter(net, "linear1.weight"))
    assert by_path(inspect(net, spec))["linear1"].forward_rms == pytest.approx(rms(expected), rel=1e-10)
