"""Mean-field theory against closed forms, Gauss and Hermite's rule, and published fixed points."""

from __future__ import annotations

from math import acos, pi, sqrt
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nnctl.diagnosis.signals import inspect
from nnctl.diagnosis.theory.gauss import means, product_mean, silent
from nnctl.diagnosis.theory.state import Signal
from tests.diagnosis.helpers import by_path, net_of, spec_of


@pytest.mark.parametrize("q", [0.1, 1.0, 7.0])
def test_the_means_of_relu(q: float) -> None:
    found = means(nn.ReLU(), q)
    assert (found.square, found.slope, found.slope_fourth) == pytest.approx((q / 2, 0.5, 0.5), rel=1e-6)
    assert (found.value, found.fourth) == pytest.approx((sqrt(q / 2 / pi), 1.5 * q**2), rel=1e-5)


@pytest.mark.parametrize(
    ("function", "reference"), [(nn.Tanh(), np.tanh), (nn.Sigmoid(), lambda z: 1 / (1 + np.exp(-z)))]
)
def test_smooth_means_against_gauss_and_hermite(function: nn.Module, reference: Any) -> None:
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    z, weights = sqrt(1.7) * nodes, weights / weights.sum()
    slope = (reference(z + 1e-6) - reference(z - 1e-6)) / 2e-6
    found = means(function, 1.7)
    assert found.square == pytest.approx(float(weights @ reference(z) ** 2), rel=1e-9)
    assert found.slope == pytest.approx(float(weights @ slope**2), rel=1e-7)


def test_a_mean_moves_the_normal() -> None:
    """E[relu(z)²] of z ~ N(m, 1) is (m² + 1) Φ(m) + m φ(m)."""
    m = 0.8
    tail, density = 0.7881446, 0.2896916  # Φ and φ at 0.8
    assert means(nn.ReLU(), 1 + m * m, m).square == pytest.approx((m * m + 1) * tail + m * density, rel=1e-5)


@pytest.mark.parametrize("c", [-0.5, 0.0, 0.3, 0.95])
def test_the_correlation_of_relus_is_the_arc_cosine_kernel(c: float) -> None:
    """Cho and Saul (2009): E[relu(u)relu(v)] = (√(1 − c²) + (π − arccos c) c) / 2π."""
    assert product_mean(nn.ReLU(), 1.0, c) == pytest.approx((sqrt(1 - c * c) + (pi - acos(c)) * c) / 2 / pi, abs=2e-4)


def test_silent_units() -> None:
    assert silent(0.0, 3) == pytest.approx(1 / 8, rel=1e-6)
    assert silent(1.0, 1000) == pytest.approx(0.5, abs=1e-3)
    g = torch.randn(40_000, 1, generator=torch.Generator().manual_seed(0))
    e = torch.randn(40_000, 20, generator=torch.Generator().manual_seed(1))
    drawn = ((sqrt(0.6) * g + sqrt(0.4) * e) < 0).all(1).double().mean()
    assert silent(0.6, 20) == pytest.approx(float(drawn), abs=0.006)


@pytest.mark.parametrize(
    ("function", "variance", "factor", "size"),
    [
        (nn.Sigmoid(), 1.0, 0.236, 0.265),
        (nn.ReLU(), 1.0, 0.7071, None),
        (nn.ReLU(), 2.0, 1.0, None),
        (nn.ReLU(), 1 / 3, 0.408, None),
        (nn.Tanh(), 25 / 9, 1.10, None),
        (nn.SELU(), 1.0, sqrt(1.0716), 1.0),
    ],
)
def test_fixed_points(function: nn.Module, variance: float, factor: float, size: float | None) -> None:
    """√χ and q* of an endless network, as the literature has them (SELU: Klambauer et al., 2017)."""
    signal = Signal(1.0, 0.0)
    for _ in range(30):
        signal = signal.through_weights(variance, 0.0, 256, True)
        q = signal.square
        signal = signal.through_activation(function, 256)
    assert sqrt(variance * means(function, q).slope) == pytest.approx(factor, abs=0.006)
    if size is not None:
        assert q == pytest.approx(size, abs=0.006)


def test_the_spread_of_a_finite_relu_network() -> None:
    """Var ln‖h‖² is 5/n a layer for ReLU (Hanin & Rolnick, 2018)."""
    signal = Signal(1.0, 0.0)
    for _ in range(10):
        signal = signal.through_weights(2.0, 0.0, 256, True).through_activation(nn.ReLU(), 256)
    assert signal.noise == pytest.approx(10 * 5 / 256, rel=1e-3)


def test_batch_norm_before_relu_multiplies_the_error() -> None:
    """√(π/(π − 1)) = 1.211 a layer (Yang et al., 2019), and (B − 2)/(B − 3) for the batch."""
    layers = [{"repeat": {"times": 3, "layers": [{"linear": {"features": 64, "bias": False}}, "batch_norm", "relu"]}}]
    spec = spec_of([*layers, {"linear": 10}], model={"input": [64]})
    found = by_path(inspect(net_of(spec), spec))
    above, below = found["repeat1.3.linear1"].prediction, found["repeat1.2.linear1"].prediction
    assert above is not None
    assert below is not None
    assert above.delta_rms
    assert below.delta_rms
    square = (below.delta_rms / above.delta_rms) ** 2
    assert square == pytest.approx(pi / (pi - 1) * (128 - 2) / (128 - 3), rel=2e-3)


def test_orthogonal_layers_have_no_spread() -> None:
    layers = [{"repeat": {"times": 4, "layers": [{"linear": {"features": 32, "bias": False}}]}}]
    spec = spec_of(layers, model={"input": [32], "init": "orthogonal"})
    for layer in inspect(net_of(spec), spec).layers:
        assert layer.prediction is not None
        assert layer.forward_rms == pytest.approx(layer.prediction.forward_rms, rel=1e-6)
        assert layer.delta_rms == pytest.approx(layer.prediction.delta_rms, rel=1e-6)
        assert layer.prediction.delta_spread == 0


def test_padding_takes_its_share() -> None:
    """A 3×3 kernel on 4×4 sees 100 of 144 taps inside."""
    spec = spec_of([{"conv": {"channels": 400, "bias": False}}], model={"input": [3, 4, 4]}, loss="mse")
    (layer,) = inspect(net_of(spec), spec).layers
    assert layer.prediction is not None
    assert layer.forward_rms == pytest.approx(layer.prediction.forward_rms, rel=0.05)
    assert layer.input_rms is not None
    assert layer.prediction.forward_rms == pytest.approx(layer.input_rms * sqrt(100 / 144), rel=1e-9)
