"""Losses against closed forms computed in numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nnctl.errors import SpecError
from tests.recipe.helpers import make

OUTPUT = torch.tensor([[1.5, -0.3, 0.2], [0.1, 2.0, -1.0]], dtype=torch.float64)
LABELS = torch.tensor([2, 1])
ONE_HOT = np.array([[0.0, 0, 1], [0, 1, 0]])
VALUES = torch.tensor([[1.0, 0.0, -1.0], [0.5, 2.5, 0.0]], dtype=torch.float64)


def loss(kind: str, output: torch.Tensor = OUTPUT, target: torch.Tensor = LABELS, **fields: object) -> float:
    return float(make("losses", kind, **fields).build()(output, target))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy(smoothing: float) -> None:
    z = OUTPUT.numpy()
    log_softmax = z - np.log(np.exp(z).sum(1, keepdims=True))
    q = (1 - smoothing) * ONE_HOT + smoothing / 3
    expected = -(q * log_softmax).sum(1).mean()
    assert loss("cross_entropy", label_smoothing=smoothing) == pytest.approx(expected, rel=1e-12)


def test_mse_is_the_mean_over_samples_and_numbers() -> None:
    expected = ((OUTPUT - VALUES).numpy() ** 2).mean()
    assert loss("mse", target=VALUES) == pytest.approx(expected, rel=1e-12)


def test_half_sum_is_half_the_squared_distance_per_sample() -> None:
    expected = 0.5 * ((OUTPUT.numpy() - ONE_HOT) ** 2).sum(1).mean()
    assert loss("mse", form="half_sum") == pytest.approx(expected, rel=1e-12)


def test_l1() -> None:
    assert loss("l1", target=VALUES) == pytest.approx(np.abs((OUTPUT - VALUES).numpy()).mean(), rel=1e-12)


def test_bce_is_the_softplus_of_the_signed_logit() -> None:
    z, y = OUTPUT[:, :1], torch.tensor([0, 1])
    expected = np.mean([math.log1p(math.exp((1 - 2 * int(t)) * float(v))) for v, t in zip(z[:, 0], y, strict=True)])
    assert loss("bce", z, y) == pytest.approx(expected, rel=1e-12)


def test_bce_of_several_outputs_tells_each_class_from_the_others() -> None:
    expected = np.log1p(np.exp((1 - 2 * ONE_HOT) * OUTPUT.numpy())).mean()
    assert loss("bce") == pytest.approx(expected, rel=1e-12)


def test_bce_is_finite_far_out() -> None:
    assert loss("bce", torch.tensor([[1e4], [-1e4]]), torch.tensor([0, 1])) == 1e4


def test_output_ignores_the_target() -> None:
    assert loss("output") == pytest.approx(float(OUTPUT.mean()))


@pytest.mark.parametrize("kind", ["mse", "l1"])
def test_labels_of_a_single_output_are_zero_and_one(kind: str) -> None:
    output = torch.tensor([[0.25], [0.5]], dtype=torch.float64)
    expected = {"mse": (0.25**2 + 0.5**2) / 2, "l1": (0.25 + 0.5) / 2}[kind]
    assert loss(kind, output, torch.tensor([0, 1])) == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["mse", "l1", "bce"])
def test_shapes_are_never_stretched(kind: str) -> None:
    with pytest.raises(SpecError, match=r"an output of shape \(3,\) with a target of shape \(1,\)"):
        loss(kind, target=torch.zeros(2, 1, dtype=torch.float64))
