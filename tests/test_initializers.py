"""Initialisers: the variance of each formula, orthonormality, and draws that follow from the generator alone."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from nnctl.errors import SpecError
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers.base import Weighted
from tests.components import image, initializer, layer

DENSE, FANS = (500, 700), Fans(into=700, out=500)
SQRT2 = math.sqrt(2)


def fill(text: str, dims: tuple[int, ...], fans: Fans, gain: float = 1.0, seed: int = 0) -> Tensor:
    weight = nn.Parameter(torch.full(dims, torch.nan))
    initializer(text).fill(weight, fans, gain, torch.Generator().manual_seed(seed))
    return weight.detach().double()


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize(
    ("kind", "fields", "gain", "variance"),
    [
        ("lecun", "", SQRT2, 1 / 700),
        ("lecun", "gain: 3, ", 1, 9 / 700),
        ("lecun", "gain: auto, ", SQRT2, 2 / 700),
        ("xavier", "", SQRT2, 2 / 1200),
        ("xavier", "gain: auto, ", 5 / 3, 25 / 9 * 2 / 1200),
        ("kaiming", "", SQRT2, 2 / 700),
        ("kaiming", "", 1.0, 1 / 700),
        ("kaiming", "fan: out, ", SQRT2, 2 / 500),
        ("kaiming", "gain: 2, ", SQRT2, 4 / 700),
    ],
)
def test_variance_is_the_formula(kind: str, fields: str, gain: float, variance: float, distribution: str) -> None:
    weight = fill(f"{kind}: {{{fields}distribution: {distribution}}}", DENSE, FANS, gain)
    assert weight.var().item() == pytest.approx(variance, rel=0.02)
    assert abs(weight.mean().item()) < 4 * math.sqrt(variance / weight.numel())
    if distribution == "uniform":
        bound = math.sqrt(3 * variance)
        assert 0.999 * bound < weight.abs().max().item() <= bound * (1 + 1e-6)
    else:
        assert weight.abs().max().item() > 3.5 * math.sqrt(variance)


@pytest.mark.parametrize(
    ("text", "mean", "variance"),
    [
        ("normal: 0.01", 0.0, 1e-4),
        ("normal: {std: 2, mean: 5}", 5.0, 4.0),
        ("uniform: 0.3", 0.0, 0.09 / 3),
        ("uniform: {low: 1, high: 4}", 2.5, 9 / 12),
    ],
)
def test_plain_draws_have_the_moments_they_name(text: str, mean: float, variance: float) -> None:
    weight = fill(text, DENSE, FANS, gain=7.0)
    assert weight.var().item() == pytest.approx(variance, rel=0.02)
    assert weight.mean().item() == pytest.approx(mean, abs=4 * math.sqrt(variance / weight.numel()))


def test_uniform_stays_between_its_limits() -> None:
    weight = fill("uniform: {low: 1, high: 4}", DENSE, FANS)
    assert weight.min().item() >= 1
    assert weight.max().item() < 4


def test_zero_and_constant() -> None:
    assert torch.equal(fill("zero", (3, 2), Fans(2, 3)), torch.zeros(3, 2).double())
    assert torch.equal(fill("constant: 0.5", (3,), Fans(2, 3)), torch.full((3,), 0.5).double())


@pytest.mark.parametrize("dims", [(60, 20), (20, 60), (8, 3, 3, 3), (40, 2, 3)])
@pytest.mark.parametrize(("text", "gain"), [("orthogonal", 1.0), ("orthogonal: 1.5", 1.5), ("orthogonal: auto", SQRT2)])
def test_orthogonal_on_the_smaller_side(dims: tuple[int, ...], text: str, gain: float) -> None:
    matrix = fill(text, dims, Fans(1, 1), SQRT2).flatten(1)
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    identity = torch.eye(len(small), dtype=torch.float64)
    assert (small @ small.T / gain**2 - identity).abs().max() < 1e-6


def test_orthogonal_refuses_a_bias() -> None:
    with pytest.raises(SpecError, match="fills a weight matrix, and a bias is none"):
        fill("orthogonal", (5,), Fans(1, 1))


@pytest.mark.parametrize("text", ["normal: 1", "uniform: 1", "lecun", "xavier", "kaiming", "orthogonal"])
def test_the_generator_alone_decides(text: str) -> None:
    before = torch.random.get_rng_state()
    first = fill(text, (6, 5), Fans(5, 6))
    torch.rand(3)
    assert torch.equal(first, fill(text, (6, 5), Fans(5, 6)))
    assert not torch.equal(first, fill(text, (6, 5), Fans(5, 6), seed=1))
    torch.random.set_rng_state(before)
    fill(text, (6, 5), Fans(5, 6))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(
    ("text", "x"),
    [
        ("linear: 7", (5,)),
        ("conv: 6", (4, 8, 8)),
        ("conv: {channels: 6, kernel: [3, 5]}", (4, 8, 8)),
        ("conv: {channels: 6, groups: 2}", (4, 8)),
        ("conv: {channels: 8, groups: 4, kernel: 2}", (4, 4, 4, 4)),
    ],
)
def test_fans_are_torchs(text: str, x: tuple[int, ...]) -> None:
    component = layer(text)
    assert isinstance(component, Weighted)
    weight = component.build(image(*x)).weight
    assert isinstance(weight, Tensor)
    into, out = nn.init._calculate_fan_in_and_fan_out(weight)
    assert component.fans(image(*x)) == Fans(into, out)


def test_torchs_own_is_left_to_the_module() -> None:
    assert initializer("torch").by_module
    assert not initializer("kaiming").by_module
