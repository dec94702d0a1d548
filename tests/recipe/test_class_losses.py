"""Losses over classes: weights, blended targets, focal loss, and logits far out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.ops import sigmoid_focal_loss

from nnctl.component.family import find, names
from tests.recipe.helpers import make

OUTPUT = torch.tensor([[1.5, -0.3, 0.2], [0.1, 2.0, -1.0], [0.4, 0.3, 0.2]], dtype=torch.float64)
LABELS = torch.tensor([2, 1, 0])
ONE_HOT = np.eye(3)[LABELS.numpy()]
SHARES = torch.tensor([[0.3, 0.0, 0.7], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], dtype=torch.float64)
Z = OUTPUT.numpy()
LOGS = Z - np.log(np.exp(Z).sum(1, keepdims=True))


def loss(kind: str, output: Tensor = OUTPUT, target: Tensor = LABELS, **fields: Any) -> float:
    return float(make("losses", kind, **fields).build()(output, target))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("target", [LABELS, SHARES], ids=["labels", "shares"])
def test_class_weights_scale_each_class_of_the_mean_over_samples(smoothing: float, target: Tensor) -> None:
    weights = np.array([1.0, 2.0, 5.0])
    shares = SHARES.numpy() if target is SHARES else ONE_HOT
    q = (1 - smoothing) * shares + smoothing / 3
    expected = -(weights * q * LOGS).sum(1).mean()
    found = loss("cross_entropy", target=target, weights=(1.0, 2.0, 5.0), label_smoothing=smoothing)
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_weighted_batch_in_parts_is_the_whole() -> None:
    function = make("losses", "cross_entropy", weights=(1.0, 2.0, 5.0)).build()
    parts = (2 * function(OUTPUT[:2], LABELS[:2]) + function(OUTPUT[2:], LABELS[2:])) / 3
    assert float(parts) == pytest.approx(float(function(OUTPUT, LABELS)), rel=1e-12)


def test_blended_targets() -> None:
    q, sigmoid = SHARES.numpy(), 1 / (1 + np.exp(-Z))
    expected = {
        "cross_entropy": -(q * LOGS).sum(1).mean(),
        "nll": -(q * Z).sum(1).mean(),
        "mse": ((Z - q) ** 2).mean(),
        "l1": np.abs(Z - q).mean(),
        "bce": -(q * np.log(sigmoid) + (1 - q) * np.log(1 - sigmoid)).mean(),
        "focal": -(q * (1 - np.exp(LOGS)) ** 2 * LOGS).sum(1).mean(),
    }
    assert {kind: loss(kind, target=SHARES) for kind in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["cross_entropy", "focal", "nll"])
def test_outputs_beyond_the_classes_have_no_share(kind: str) -> None:
    assert loss(kind, target=torch.tensor([[0.3, 0.7]] * 3, dtype=torch.float64)) == pytest.approx(
        loss(kind, target=torch.tensor([[0.3, 0.7, 0.0]] * 3, dtype=torch.float64)), rel=1e-12
    )


@pytest.mark.parametrize("kind", ["bce", "mse", "l1", "huber", "focal"])
def test_shares_of_two_classes_are_shares_of_class_1_for_a_single_output(kind: str) -> None:
    z = OUTPUT[:, :1]
    hard = loss(kind, z, torch.tensor([0, 1, 1]))
    assert loss(kind, z, torch.tensor([[1.0, 0], [0, 1], [0, 1]])) == pytest.approx(hard, rel=1e-12)


def test_several_labels_at_once_are_logistic_losses_of_their_own() -> None:
    many = torch.tensor([[1.0, 1, 0], [0, 1, 1], [0, 0, 0]], dtype=torch.float64)
    expected = np.mean(
        [math.log1p(math.exp((1 - 2 * y) * z)) for y, z in zip(many.flatten(), Z.flatten(), strict=True)]
    )
    assert loss("bce", target=many) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 3.0])
def test_focal_over_a_softmax(gamma: float) -> None:
    p = np.exp(LOGS)[np.arange(3), LABELS]
    alpha = np.array([0.2, 0.5, 3.0])[LABELS]
    expected = -(alpha * (1 - p) ** gamma * np.log(p)).mean()
    assert loss("focal", gamma=gamma, alpha=(0.2, 0.5, 3.0)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.5, 0.9)])
def test_focal_of_a_single_output_is_torchvisions(gamma: float, alpha: float) -> None:
    z, y = OUTPUT[:, :1], torch.tensor([0, 1, 1])
    expected = sigmoid_focal_loss(z, y.unsqueeze(1).double(), alpha=alpha, gamma=gamma, reduction="mean")
    assert loss("focal", z, y, gamma=gamma, alpha=alpha) == pytest.approx(float(expected), rel=1e-12)


def test_focal_without_focus_is_cross_entropy() -> None:
    assert loss("focal", gamma=0.0) == pytest.approx(loss("cross_entropy"), rel=1e-12)
    assert loss("focal", gamma=0.0, alpha=0.3) == pytest.approx(0.3 * loss("cross_entropy"), rel=1e-12)


def test_huber_is_squared_near_zero_and_straight_far_out() -> None:
    e = np.array([0.3, -0.5, 2.0])
    found = loss("huber", torch.tensor(e).unsqueeze(1), torch.zeros(3, 1, dtype=torch.float64), delta=0.5)
    assert found == pytest.approx(np.mean([0.5 * 0.09, 0.5 * 0.25, 0.5 * (2.0 - 0.25)]), rel=1e-12)


def test_nll_of_log_softmax_is_cross_entropy() -> None:
    assert loss("nll", OUTPUT.log_softmax(1)) == pytest.approx(loss("cross_entropy"), rel=1e-12)


LOGITS = [kind for kind in names("losses") if vars(find("losses", kind)).get("expects") == "logits"]
FIELDS: list[dict[str, Any]] = [{}, {"gamma": 0.5}, {"label_smoothing": 0.1}, {"weights": (1.0, 3.0)}]
TAKEN = [
    (kind, fields)
    for kind in LOGITS
    for fields in FIELDS
    if set(fields) <= set(type(make("losses", kind)).model_fields)
]


@pytest.mark.parametrize(("kind", "fields"), TAKEN)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_far_out_have_finite_losses_and_gradients(kind: str, fields: dict[str, Any], dtype: torch.dtype) -> None:
    function = make("losses", kind, **fields).build()
    for width in (1, 2) if kind != "cross_entropy" else (2,):
        for size in (1e4, 50.0, 1e-30, 0.0):
            for target in (torch.tensor([0, 1, 1]), torch.tensor([[0.3, 0.7]] * 3, dtype=dtype)):
                rows = [[size] * width, [-size] * width, [size, -size][:width]]
                z = torch.tensor(rows, dtype=dtype, requires_grad=True)
                value = function(z, target)
                (slope,) = torch.autograd.grad(value, z)
                assert torch.isfinite(value)
                assert torch.isfinite(slope).all()
                assert slope.abs().max() <= 5
