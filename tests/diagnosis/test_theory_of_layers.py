"""What theory says of each kind of layer, against the layer itself under random signals and random errors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnctl.diagnosis.theory.rules import Passage, passage
from nnctl.diagnosis.theory.state import Error, Signal
from nnctl.diagnosis.theory.variance import variance_of
from nnctl.graph.build import build
from tests.diagnosis.helpers import net_of, normal, spec_of

SAMPLES = 24
ALIKE = 0.3
"""Cosine between the inputs."""
FEW = 1.2 / SAMPLES
"""Share of the mean square by which products stray over this few samples: without their mean they are −1/(n − 1)."""


def alike(shape: tuple[int, ...], square: float, mean: float = 0.0, everywhere: bool = False) -> Tensor:
    """Return samples of normal numbers with that mean square and mean, of which part is the same in all; `everywhere`
    also at all places of an image."""
    places = [1] * (len(shape) - 1) if everywhere else shape[1:]
    common, own = normal(1, shape[0], *places, seed=1), normal(SAMPLES, *shape, seed=2)
    common = (common - common.mean()) / common.std(correction=0)
    spread: float = (square - mean**2) ** 0.5
    samples: Tensor = mean + spread * (ALIKE**0.5 * common + (1 - ALIKE) ** 0.5 * own)
    return samples


def measured(module: nn.Module, x: Tensor) -> tuple[float, float, float]:
    """Return E[y²], the mean product of y for two inputs, and by what ‖δ‖² is multiplied."""
    x = x.clone().requires_grad_()
    torch.manual_seed(5)
    y = module(x)
    error = normal(*y.shape, seed=3)
    (back,) = torch.autograd.grad(y, x, error)
    rows = y.detach().flatten(1)
    n, size = rows.shape
    products = float(rows.sum(0).square().sum() - rows.square().sum()) / (n * (n - 1) * size)
    return float(rows.square().mean()), products, float(back.square().sum() / error.square().sum())


def layer_of(entry: Any, shape: tuple[int, ...], kind: str | None = None) -> tuple[Any, nn.Module, Any]:
    """Return a layer's place in the graph, its module, and its weights' variance."""
    spec = spec_of([entry], model={"input": list(shape)})
    graph, net = build(spec), net_of(spec).train()
    leaf = next(leaf for leaf in graph.leaves if kind in (None, leaf.layer.kind))
    module = net.get_submodule(leaf.path)
    return leaf, module, variance_of(graph, leaf, module, "initialiser")


WIDE, IMAGE = (3000,), (64, 6, 6)
SHORTCUT = {"residual": {"body": [{"conv": {"channels": 96, "stride": 2}}], "shortcut": "pad"}}


@pytest.mark.parametrize(
    ("entry", "shape", "kind"),
    [
        ({"linear": 1000}, WIDE, None),
        ({"linear": {"features": 1000, "init": "orthogonal"}}, WIDE, None),
        ({"linear": {"features": 1000, "init": {"weight": "xavier", "bias": {"normal": 2.0}}}}, WIDE, None),
        ({"conv": {"channels": 512}}, IMAGE, None),
        ({"conv": {"channels": 512, "dilation": 2}}, IMAGE, None),
        ({"conv": {"channels": 512, "stride": 2}}, IMAGE, None),
        ({"conv": {"channels": 512, "groups": 4}}, IMAGE, None),
        ({"conv": {"channels": 512, "padding_mode": "circular"}}, IMAGE, None),
        ({"conv": {"channels": 512, "kernel": 2, "stride": 2}}, IMAGE, None),
        ("relu", WIDE, None),
        ({"leaky_relu": 0.3}, WIDE, None),
        ("gelu", WIDE, None),
        ("selu", WIDE, None),
        ("tanh", WIDE, None),
        ({"dropout": 0.4}, WIDE, None),
        ({"dropout": {"keep": 0.25}}, WIDE, None),
        ({"spatial_dropout": 0.4}, (1000, 3, 3), None),
        ("flatten", IMAGE, None),
        (SHORTCUT, IMAGE, "pad"),
        ("batch_norm", WIDE, None),
        ("batch_norm", (1000, 2, 2), None),
        ({"batch_norm": {"affine": False}}, WIDE, None),
        ("layer_norm", WIDE, None),
        ("layer_norm", IMAGE, None),
        ({"layer_norm": {"eps": 1.0}}, WIDE, None),
        ({"group_norm": 4}, IMAGE, None),
    ],
    ids=str,
)
def test_a_layer_does_what_theory_says(entry: Any, shape: tuple[int, ...], kind: str | None) -> None:
    leaf, module, variance = layer_of(entry, shape, kind)
    found = passage(leaf, module, variance, Signal(1.7, 1.7 * ALIKE), SAMPLES)
    square, shared, factor = measured(module, alike(shape, 1.7, everywhere=leaf.layer.is_batch_norm))
    assert found.signal is not None
    assert found.signal.square == pytest.approx(square, rel=0.06)
    assert found.signal.shared == pytest.approx(shared, rel=0.06, abs=FEW * square)
    assert found.factor == pytest.approx(factor, rel=0.06)


@pytest.mark.parametrize("kind", ["batch_norm", "layer_norm"])
def test_norms_with_their_own_gains_and_offsets(kind: str) -> None:
    leaf, module, _ = layer_of(kind, WIDE)
    with torch.no_grad():
        module.get_parameter("weight").copy_(3 + normal(3000, seed=7))
        module.get_parameter("bias").copy_(2 * normal(3000, seed=8))
    found = passage(leaf, module, None, Signal(1.7, 1.7 * ALIKE), SAMPLES)
    square, shared, factor = measured(module, alike(WIDE, 1.7))
    assert found.signal is not None
    assert found.signal.square == pytest.approx(square, rel=0.06)
    assert found.signal.shared == pytest.approx(shared, rel=0.06, abs=FEW * square)
    assert found.factor == pytest.approx(factor, rel=0.06)


@pytest.mark.parametrize("entry", ["relu", "gelu", "layer_norm"])
def test_a_mean_of_all_units_counts(entry: str) -> None:
    leaf, module, _ = layer_of(entry, WIDE)
    mean, square = 0.8, 1.7
    found = passage(leaf, module, None, Signal(square, (square - mean**2) * ALIKE + mean**2, mean), SAMPLES)
    measured_square, shared, factor = measured(module, alike(WIDE, square, mean))
    assert found.signal is not None
    assert found.signal.square == pytest.approx(measured_square, rel=0.06)
    assert found.signal.shared == pytest.approx(shared, rel=0.06)
    assert found.factor == pytest.approx(factor, rel=0.06)


@pytest.mark.parametrize("kind", ["batch_norm", "layer_norm"])
def test_norms_leave_small_signals_small(kind: str) -> None:
    """Beside eps = 1e-5 a variance of 1e-8 counts for little: what leaves has 1e-8 / (1e-8 + 1e-5), not 1."""
    leaf, module, _ = layer_of(kind, WIDE)
    found = passage(leaf, module, None, Signal(1e-8, 0.0), 4000)
    assert found.signal is not None
    assert found.signal.square == pytest.approx(1e-8 / (1e-8 + 1e-5), rel=1e-3)
    assert found.factor == pytest.approx(1 / (1e-8 + 1e-5), rel=1e-3)


def test_the_mean_over_places_divides_the_error_among_them() -> None:
    leaf, module, _ = layer_of("global_avg_pool", (300, 4, 5))
    found = passage(leaf, module, None, Signal(1.0, 0.0), SAMPLES)
    assert found.signal is None  # how alike places are is measured
    assert found.factor == pytest.approx(measured(module, normal(SAMPLES, 300, 4, 5))[2], rel=1e-9)


def test_reflected_borders_are_inputs_too() -> None:
    entry = {"conv": {"channels": 512, "padding_mode": "reflect"}}
    leaf, module, variance = layer_of(entry, IMAGE)
    square, _, factor = measured(module, alike(IMAGE, 1.0))
    found = passage(leaf, module, variance, Signal(1.0, ALIKE), SAMPLES)
    assert found.signal is not None
    assert (found.signal.square, found.factor) == pytest.approx((square, factor), rel=0.06)


def test_what_has_no_rule_says_so() -> None:
    for entry, shape in (("softmax", WIDE), ({"max_pool": 2}, IMAGE), ({"prelu": {"per": "channel"}}, WIDE)):
        leaf, module, variance = layer_of(entry, shape)
        assert passage(leaf, module, variance, Signal(1.0, 0.0), SAMPLES) == Passage(None, None)


@pytest.mark.parametrize("entry", ["relu", "tanh", {"leaky_relu": 0.3}], ids=str)
def test_how_far_the_error_strays_in_a_narrow_layer(entry: Any) -> None:
    """Var ln ‖δ‖² of one linear layer with an activation: drawn 4,000 times at width 60."""
    width, draws, q = 60, 4000, 2.0
    leaf, module, _ = layer_of(entry, (width,))
    linear = passage(*layer_of({"linear": 7}, (width,)), Signal(q, 0.0), SAMPLES)  # its Wᵀδ has as many entries
    expected = linear.noise + passage(leaf, module, None, Signal(q, 0.0), SAMPLES).noise
    generator = torch.Generator().manual_seed(3)

    def random(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    z = (q**0.5 * random(draws, width)).requires_grad_()
    (slopes,) = torch.autograd.grad(module(z).sum(), z)
    back = slopes * random(draws, width)  # Wᵀδ has normal entries
    strays = float(back.square().sum(1).log().var())
    assert expected == pytest.approx(strays, rel=0.12)


@pytest.mark.parametrize("entry", ["relu", "tanh", {"leaky_relu": 0.3}], ids=str)
def test_how_far_the_signal_strays_in_a_narrow_network(entry: Any) -> None:
    """Var ln ‖h‖² of three layers, drawn 3,000 times at width 40."""
    width, draws, depth = 40, 3000, 3
    _, module, _ = layer_of(entry, (width,))
    generator = torch.Generator().manual_seed(4)
    signal, h = Signal(1.0, 0.0), torch.ones(draws, width, dtype=torch.float64)
    for _ in range(depth):
        signal = signal.through_weights(2.0, 0.0, width, True).through_activation(module, width)
        w = torch.randn(draws, width, width, generator=generator, dtype=torch.float64) * (2 / width) ** 0.5
        h = module((w @ h[:, :, None])[:, :, 0]).detach()
    strays = float(h.square().sum(1).log().var())
    assert signal.noise == pytest.approx(strays, rel=0.15)


def test_sums_of_signals_and_of_errors() -> None:
    """Means add up, and their product counts twice; variances of a logarithm count by the share of the sum."""
    one, other = Signal(4.0, 1.0, 0.5, 0.02), Signal(1.0, 0.3, 0.2, 0.5)
    both = one.added(other)
    assert (both.square, both.shared, both.mean) == pytest.approx((5.2, 1.5, 0.7))
    assert both.noise == pytest.approx((16 * 0.02 + 0.5) / 5.2**2)
    error = Error(3.0, 0.1).plus(Error(1.0, 0.2))
    assert (error.square, error.noise) == pytest.approx((4.0, (9 * 0.1 + 0.2) / 16))
