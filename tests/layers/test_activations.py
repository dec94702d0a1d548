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
from tests.components import activation, image, kinds_of, layer, materialise, normal, tokens

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


def mish_derivative(z: Values) -> Values:
    inner = np.tanh(np.logaddexp(0, z))
    return np.asarray(inner + z * logistic(z) * (1 - inner**2))


def stepped(z: Values, units: int) -> Values:
    return np.asarray(sum(logistic(z - i + 0.5) for i in range(1, units + 1)))


def stepped_derivative(z: Values, units: int) -> Values:
    steps = [logistic(z - i + 0.5) for i in range(1, units + 1)]
    return np.asarray(sum(step * (1 - step) for step in steps))


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
    "hard_sigmoid": (
        lambda z: np.clip(z / 6 + 0.5, 0, 1),
        lambda z: np.where((z > -3) & (z < 3), 1 / 6, 0.0),
    ),
    "hard_swish": (
        lambda z: z * np.clip(z / 6 + 0.5, 0, 1),
        lambda z: np.where(z >= 3, 1.0, np.where(z > -3, z / 3 + 0.5, 0.0)),
    ),
    "mish": (lambda z: z * np.tanh(np.logaddexp(0, z)), mish_derivative),
    "sin": (np.sin, np.cos),
    "gaussian": (lambda z: np.exp(-(z**2)), lambda z: -2 * z * np.exp(-(z**2))),
    "stepped_sigmoid": (lambda z: stepped(z, 20), lambda z: stepped_derivative(z, 20)),
    "stepped_sigmoid: 3": (lambda z: stepped(z, 3), lambda z: stepped_derivative(z, 3)),
    "noisy_relu": (lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0)),  # in evaluation
    "exponential_kernel": (lambda u: np.exp(2 * (u - 1)), lambda u: 2 * np.exp(2 * (u - 1))),
    "exponential_kernel: 2": (lambda u: np.exp((u - 1) / 2), lambda u: np.exp((u - 1) / 2) / 2),
}
POINTS = np.concatenate([np.linspace(-30, 30, 241), np.linspace(-1, 7, 333), [-0.0, 1e-12, -1e-12]])

each_formula = pytest.mark.parametrize("text", FORMULAS)
DEFAULTS = [kind for kind in FORMULAS if ":" not in kind and kind != "exponential_kernel"] + ["prelu"]
each_default = pytest.mark.parametrize("kind", DEFAULTS)


def value_and_derivative(text: str, points: Values) -> tuple[Values, Values]:
    """Return what the layer's module computes in float64, and what autograd makes of it."""
    module = materialise(activation(text), image(len(points))).double().eval()
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
        "hard_sigmoid": lambda: torch.nn.init.calculate_gain("sigmoid"),
        "noisy_relu": lambda: torch.nn.init.calculate_gain("relu"),
        "exponential_kernel": lambda: 1.0,  # it is given cosines, whose size is theirs
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
    z = np.linspace(-60, 60, 240_001)
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
    low, high = {"-alpha": "-1"}.get(low, low), {"units": "20"}.get(high, high)
    bounds = (-np.inf if "∞" in low else float(low), np.inf if "∞" in high else float(high))
    for bound, reached, far in zip(bounds, (value.min(), value.max()), (-60, 60), strict=True):
        if np.isinf(bound):
            assert reached / far > 0.005, "it grows without end"
        else:
            assert reached == pytest.approx(bound, abs=1e-4)


@pytest.mark.parametrize(
    "text", ["relu", "leaky_relu", "prelu", "elu: 2", "relu6", "selu", "hard_sigmoid", "hard_swish", "noisy_relu"]
)
def test_kinks_are_where_the_derivative_jumps(text: str) -> None:
    for kink in activation(text).kinks:
        _, derivative = value_and_derivative(text, np.array([kink - 1e-9, kink + 1e-9]))
        assert abs(derivative[1] - derivative[0]) > 0.1


@pytest.mark.parametrize(
    "kind", ["sigmoid", "tanh", "gelu", "softplus", "silu", "elu", "mish", "sin", "stepped_sigmoid"]
)
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


@pytest.mark.parametrize(
    ("text", "function"), [("hard_sigmoid", "hardsigmoid"), ("hard_swish", "hardswish"), ("mish", "mish")]
)
def test_equals_torchs_of_another_name_in_single_precision(text: str, function: str) -> None:
    batch = normal(4, 7, seed=3) * 3
    assert torch.equal(materialise(activation(text), image(7))(batch), getattr(torch.nn.functional, function)(batch))


@pytest.mark.parametrize("units", [20, 60])
def test_stepped_sigmoids_are_a_softplus(units: int) -> None:
    z = np.linspace(-40, units - 15, 2001)
    value, _ = value_and_derivative(f"stepped_sigmoid: {units}", z)
    assert np.abs(value - np.logaddexp(0, z)).max() < 0.0106


@pytest.mark.parametrize("z", [-1.0, 0.0, 1.5])
def test_noisy_relu_rectifies_a_normal_draw_of_the_sigmoids_variance(z: float) -> None:
    module = materialise(activation("noisy_relu"), image(400_000)).double()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sample = module(torch.full((1, 400_000), z, dtype=torch.float64))
    variance = 1 / (1 + math.exp(-z))
    ratio = z / math.sqrt(variance)
    below, height = math.erfc(-ratio / math.sqrt(2)) / 2, math.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
    mean = z * below + math.sqrt(variance) * height  # of a rectified normal variable
    square = (z * z + variance) * below + z * math.sqrt(variance) * height
    assert sample.min().item() == 0
    assert sample.mean().item() == pytest.approx(mean, abs=0.005)
    assert sample.square().mean().item() == pytest.approx(square, abs=0.015)


def test_exponential_kernel_is_the_gaussian_kernel_of_unit_vectors() -> None:
    left, right = (
        torch.nn.functional.normalize(normal(9, 5, seed=seed, dtype=torch.float64), dim=1) for seed in (1, 2)
    )
    distances = (left - right).square().sum(1)
    module = materialise(activation("exponential_kernel: 0.7"), image(9))
    torch.testing.assert_close(module((left * right).sum(1)), torch.exp(-distances / 0.7**2))
    component = activation("exponential_kernel")
    value, derivative = value_and_derivative("exponential_kernel", np.linspace(-1, 1, 2001))
    assert component.range == "[exp(−4 / sigma²), 1]"
    assert (value.min(), value.max()) == (pytest.approx(math.exp(-4)), pytest.approx(1))
    assert derivative.max() == pytest.approx(2)
    assert component.monotone


def test_maxout_is_the_largest_of_its_maps() -> None:
    module, batch = materialise(layer("maxout: {features: 3, pieces: 4}"), image(5)), normal(6, 5)
    weight, bias = (module.get_parameter(name).detach() for name in ("weight", "bias"))
    maps = np.stack([batch.numpy() @ weight[k : k + 3].numpy().T + bias[k : k + 3].numpy() for k in range(0, 12, 3)])
    np.testing.assert_allclose(module(batch).detach().numpy(), maps.max(0), rtol=1e-5, atol=1e-6)


def test_two_pieces_can_be_the_absolute_value() -> None:
    module = materialise(layer("maxout: 1"), image(1))
    module.load_state_dict({"weight": torch.tensor([[1.0], [-1.0]]), "bias": torch.zeros(2)})
    z = torch.linspace(-3, 3, 13)[:, None].requires_grad_()
    assert torch.equal(module(z), z.abs())
    (slope,) = torch.autograd.grad(module(z).sum(), z)
    assert torch.equal(slope[z != 0], z[z != 0].sign())


@pytest.mark.parametrize("text", [text for text in FORMULAS if activation(text).pointwise])
def test_the_value_without_torch_is_the_modules(text: str) -> None:
    component = activation(text)
    points = torch.linspace(-9, 9, 361, dtype=torch.float64)  # kinks, at whole numbers, among them
    module = materialise(component, image(1)).double().eval()
    expected = module(points[:, None])[:, 0].tolist()
    assert [component.value(z) for z in points.tolist()] == pytest.approx(
        expected, rel=1e-9, abs=1e-9
    )  # torch cuts softplus off at 20
