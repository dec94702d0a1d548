"""Activations: values, derivatives, the choice at a kink, gains and the properties that `explain` tells."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nnctl.kinds.layers.base import Activation, Shape
from tests.components import activation, image, kinds_of, materialise, normal, tokens

Values: TypeAlias = NDArray[Any]
Function: TypeAlias = Callable[[Values], Any]

LAMBDA, ALPHA = 1.0507009873554805, 1.6732632423543772


def logistic(z: Values) -> Values:
    return 1 / (1 + np.exp(-z))


def normal_cdf(z: Values) -> Values:
    return np.array([0.5 * math.erfc(-point / math.sqrt(2)) for point in z])


def density(z: Values) -> Values:
    return np.asarray(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))


def gelu_tanh(z: Values) -> Values:
    return np.asarray(0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))))


def gelu_tanh_derivative(z: Values) -> Values:
    inner = np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))
    slope = np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)
    return np.asarray(0.5 * (1 + inner) + 0.5 * z * (1 - inner**2) * slope)


# value and derivative of each activation as the lecture notes write them; at a kink the derivative is the left one
FORMULAS: dict[str, tuple[Function, Function]] = {
    "sigmoid": (logistic, lambda z: logistic(z) * (1 - logistic(z))),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "relu": (lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, 0.01 * z), lambda z: np.where(z > 0, 1.0, 0.01)),
    "leaky_relu: 0.3": (lambda z: np.where(z > 0, z, 0.3 * z), lambda z: np.where(z > 0, 1.0, 0.3)),
    "prelu: {start: 0.5}": (lambda z: np.where(z > 0, z, 0.5 * z), lambda z: np.where(z > 0, 1.0, 0.5)),
    "prelu: {start: 0.5, per: neuron}": (lambda z: np.where(z > 0, z, 0.5 * z), lambda z: np.where(z > 0, 1.0, 0.5)),
    "elu": (lambda z: np.where(z > 0, z, np.expm1(z)), lambda z: np.where(z > 0, 1.0, np.exp(z))),
    "elu: 2": (lambda z: np.where(z > 0, z, 2 * np.expm1(z)), lambda z: np.where(z > 0, 1.0, 2 * np.exp(z))),
    "relu6": (lambda z: np.clip(z, 0, 6), lambda z: np.where((z > 0) & (z < 6), 1.0, 0.0)),
    "selu": (
        lambda z: LAMBDA * np.where(z > 0, z, ALPHA * np.expm1(z)),
        lambda z: LAMBDA * np.where(z > 0, 1.0, ALPHA * np.exp(z)),
    ),
    "gelu": (lambda z: z * normal_cdf(z), lambda z: normal_cdf(z) + z * density(z)),
    "gelu: tanh": (gelu_tanh, gelu_tanh_derivative),
    "softplus": (lambda z: np.logaddexp(0, z), logistic),
    "softplus: 3": (lambda z: np.logaddexp(0, 3 * z) / 3, lambda z: logistic(3 * z)),
    "silu": (lambda z: z * logistic(z), lambda z: logistic(z) * (1 + z * (1 - logistic(z)))),
}
POINTS = np.concatenate([np.linspace(-30, 30, 241), np.linspace(-1, 7, 333), [-0.0, 1e-12, -1e-12]])

each_formula = pytest.mark.parametrize("text", FORMULAS)
each_default = pytest.mark.parametrize("kind", [kind for kind in FORMULAS if ":" not in kind] + ["prelu"])


def value_and_derivative(text: str, points: Values) -> tuple[Values, Values]:
    """Return what the layer's module computes in float64, and what autograd makes of it."""
    module = materialise(activation(text), image(len(points))).double()
    z = torch.from_numpy(points.copy())[None].requires_grad_()
    result = module(z)
    (derivative,) = torch.autograd.grad(result.sum(), z)
    return result.detach().numpy()[0], derivative.numpy()[0]


def test_every_activation_has_a_formula() -> None:
    kinds = set(kinds_of("layers", Activation)) - {"softmax", "log_softmax"}
    assert kinds <= {text.partition(":")[0] for text in FORMULAS}


@each_formula
def test_value_and_derivative_are_the_formula(text: str) -> None:
    # torch's softplus is z itself where β z > 20, by up to 2.1e-9
    tolerance = 3e-9 if text.startswith("softplus") else 1e-14
    value, derivative = value_and_derivative(text, POINTS)
    f, slope = FORMULAS[text]
    np.testing.assert_allclose(value, f(POINTS), rtol=1e-12, atol=tolerance)
    np.testing.assert_allclose(derivative, slope(POINTS), rtol=1e-12, atol=tolerance)


@pytest.mark.parametrize(
    ("text", "at_zero"),
    [
        ("relu", 0.0),
        ("leaky_relu: 0.3", 0.3),
        ("prelu: {start: 0.125}", 0.125),
        ("prelu: {start: 0.125, per: all}", 0.125),
        ("elu: 0.3", 0.3),
        ("selu", LAMBDA * ALPHA),
    ],
)
def test_derivative_at_the_kink(text: str, at_zero: float) -> None:
    # many zeros, so that vectorised code is met as well as its remainder
    _, derivative = value_and_derivative(text, np.zeros(37))
    assert derivative == pytest.approx(np.full(37, at_zero), rel=1e-15)


@each_formula
def test_gain_is_torchs_or_keeps_the_second_moment(text: str) -> None:
    component = activation(text)
    own = {
        "sigmoid": lambda: torch.nn.init.calculate_gain("sigmoid"),
        "tanh": lambda: torch.nn.init.calculate_gain("tanh"),
        "relu": lambda: torch.nn.init.calculate_gain("relu"),
        "selu": lambda: torch.nn.init.calculate_gain("selu"),
        "leaky_relu": lambda: torch.nn.init.calculate_gain("leaky_relu", getattr(component, "slope", None)),
        "prelu": lambda: torch.nn.init.calculate_gain("leaky_relu", getattr(component, "start", None)),
    }
    if component.kind in own:
        assert component.gain() == pytest.approx(own[component.kind](), rel=1e-12)
        return
    z = np.linspace(-10, 10, 2_000_001)
    moment = np.sum(FORMULAS[text][0](z) ** 2 * density(z)) * (z[1] - z[0])
    assert component.gain() == pytest.approx(1 / np.sqrt(moment), rel=1e-8)


@each_default
def test_told_properties_hold(kind: str) -> None:
    component = activation(kind)
    z = np.linspace(-40, 40, 160_001)
    value, derivative = value_and_derivative(kind, z)

    mean = np.sum(value * density(z)) * (z[1] - z[0])
    assert component.zero_centred == (abs(mean) < 1e-7)
    assert component.monotone == bool(np.all(derivative >= 0))

    told = float(component.largest_derivative.split()[0].rstrip(","))
    assert derivative.max() == pytest.approx(told, abs=5e-4)

    flat = {"left": derivative[0] == pytest.approx(0, abs=1e-9), "right": derivative[-1] == pytest.approx(0, abs=1e-9)}
    sides = {"both sides": {"left", "right"}, "left": {"left"}, "right": {"right"}, "no": set()}[component.saturates]
    assert {side for side, is_flat in flat.items() if is_flat} == sides

    low, high = (bound.strip("[]()") for bound in component.range.replace("−", "-").split(", "))
    low = {"-alpha": "-1"}.get(low, low)
    bounds = (-np.inf if "∞" in low else float(low), np.inf if "∞" in high else float(high))
    for bound, reached, far in zip(bounds, (value.min(), value.max()), (-39, 39), strict=True):
        if np.isinf(bound):
            assert reached / far > 0.005, "it grows without end"
        else:
            assert reached == pytest.approx(bound, abs=1e-4)


@pytest.mark.parametrize("text", ["relu", "leaky_relu", "prelu", "elu: 2", "relu6", "selu"])
def test_kinks_are_where_the_derivative_jumps(text: str) -> None:
    for kink in activation(text).kinks:
        _, derivative = value_and_derivative(text, np.array([kink - 1e-9, kink + 1e-9]))
        assert abs(derivative[1] - derivative[0]) > 0.1


@pytest.mark.parametrize("kind", ["sigmoid", "tanh", "gelu", "softplus", "silu", "elu"])
def test_smooth_ones_have_no_other_jumps(kind: str) -> None:
    _, derivative = value_and_derivative(kind, np.linspace(-10, 10, 20_001))
    assert np.abs(np.diff(derivative)).max() < 1.1e-3


@pytest.mark.parametrize(("x", "axis"), [(image(5), 1), (image(3, 2, 2), 1), (tokens(4, 5), 2)])
def test_softmax_runs_along_the_features(x: Shape, axis: int) -> None:
    batch = normal(3, *x.dims, dtype=torch.float64)
    exponentials = np.exp(batch.numpy())
    expected = exponentials / exponentials.sum(axis, keepdims=True)
    for kind, wanted in (("softmax", expected), ("log_softmax", np.log(expected))):
        result = materialise(activation(kind), x)(batch)
        np.testing.assert_allclose(result.numpy(), wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("per", "x", "slopes"),
    [
        ("channel", image(3, 2, 2), (3, 1, 1)),
        ("channel", tokens(2, 3), (1, 3)),
        ("neuron", image(3, 2, 2), (3, 2, 2)),
        ("neuron", tokens(2, 3), (2, 3)),
        ("all", image(3, 2, 2), (1, 1, 1)),
        ("channel", image(4), (4,)),
    ],
)
def test_prelu_has_its_slopes_where_it_says(per: str, x: Shape, slopes: tuple[int, ...]) -> None:
    component = activation(f"prelu: {per}")
    module = materialise(component, x)
    weight = torch.arange(1.0, component.parameters(x) + 1)
    module.load_state_dict({"weight": weight})
    batch = -normal(2, *x.dims).abs()
    torch.testing.assert_close(module(batch), batch * weight.view(slopes))


@pytest.mark.parametrize("text", ["leaky_relu", "elu", "selu", "relu6", "gelu", "softplus", "silu", "tanh", "sigmoid"])
def test_equals_torch_in_single_precision(text: str) -> None:
    batch = normal(4, 7, seed=3)
    function = getattr(torch.nn.functional, text)
    assert torch.equal(materialise(activation(text), image(7))(batch), function(batch))
