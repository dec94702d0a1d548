"""Initialisers: variances of the formulas, orthonormality, criticality, and draws that the generator alone decides."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from nnctl.errors import SpecError
from nnctl.graph.build import build_text
from nnctl.kinds.initializers._moments import moments
from nnctl.kinds.initializers.base import Fans, Place
from nnctl.kinds.initializers.critical import variances
from nnctl.kinds.layers.base import OneWeight
from nnctl.network.compile import compile_graph
from tests.components import activation, image, initializer, layer

DENSE, FANS = (500, 700), Fans(into=700, out=500)
SQRT2 = math.sqrt(2)


def fill(text: str, dims: tuple[int, ...], fans: Fans, before: str | None = None, seed: int = 0) -> Tensor:
    weight = nn.Parameter(torch.full(dims, torch.nan))
    place = Place(fans, activation(before) if before else None)
    initializer(text).check(dims, place)
    initializer(text).fill(weight, place, torch.Generator().manual_seed(seed))
    return weight.detach().double()


VARIANCES = [
    ("lecun", "", "relu", 1 / 700),
    ("lecun", "gain: 3, ", None, 9 / 700),
    ("lecun", "gain: auto, ", "relu", 2 / 700),
    ("xavier", "", "relu", 2 / 1200),
    ("xavier", "gain: auto, ", "tanh", 25 / 9 * 2 / 1200),
    ("kaiming", "", "relu", 2 / 700),
    ("kaiming", "", None, 1 / 700),
    ("kaiming", "fan: out, ", "relu", 2 / 500),
    ("kaiming", "gain: 2, ", "relu", 4 / 700),
    ("geometric", "", None, 1 / math.sqrt(700 * 500)),
    ("geometric", "", "tanh", 1 / math.sqrt(700 * 500)),
    ("geometric", "", "relu", 2 / math.sqrt(700 * 500)),
    ("geometric", "", "leaky_relu: 0.5", 2 / 1.25 / math.sqrt(700 * 500)),
    ("geometric", "gain: 3, ", "relu", 9 / math.sqrt(700 * 500)),
]


@pytest.mark.parametrize("distribution", ["normal", "uniform"])
@pytest.mark.parametrize(("kind", "fields", "before", "variance"), VARIANCES)
def test_variance_is_the_formula(
    kind: str, fields: str, before: str | None, variance: float, distribution: str
) -> None:
    weight = fill(f"{kind}: {{{fields}distribution: {distribution}}}", DENSE, FANS, before)
    assert weight.var().item() == pytest.approx(variance, rel=0.02)
    assert abs(weight.mean().item()) < 4 * math.sqrt(variance / weight.numel())
    if distribution == "uniform":
        bound = math.sqrt(3 * variance)
        assert 0.999 * bound < weight.abs().max().item() <= bound * (1 + 1e-6)
    else:
        assert weight.abs().max().item() > 3.5 * math.sqrt(variance)


TOLD = [
    "constant: 0.1",
    "fixup: 3",
    "geometric",
    "kaiming: out",
    "lecun",
    "normal: {std: 2, mean: 5}",
    "orthogonal",
    "uniform: 0.3",
    "xavier",
    "zero",
]


@pytest.mark.parametrize("text", TOLD)
@pytest.mark.parametrize("before", [None, "relu"])
def test_the_mean_square_that_is_told_is_what_is_drawn(text: str, before: str | None) -> None:
    told = initializer(text).mean_square(DENSE, Place(FANS, activation(before) if before else None))
    assert told == pytest.approx(fill(text, DENSE, FANS, before).square().mean().item(), rel=0.02)


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
    weight = fill(text, DENSE, FANS, "relu")
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
    matrix = fill(text, dims, Fans(1, 1), "relu").flatten(1)
    small = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    identity = torch.eye(len(small), dtype=torch.float64)
    assert (small @ small.T / gain**2 - identity).abs().max() < 1e-6


def test_orthogonal_refuses_a_bias() -> None:
    with pytest.raises(SpecError, match="fills a weight matrix, and a bias is none"):
        fill("orthogonal", (5,), Fans(1, 1))


# sparse


def test_sparse_units_have_so_many_weights_each() -> None:
    weight = fill("sparse: {nonzero: 15, std: 0.5}", (4000, 60), Fans(60, 4000))
    assert set((weight != 0).sum(1).tolist()) == {15}
    assert weight.var().item() == pytest.approx(15 * 0.25 / 60, rel=0.02)
    shares = (weight != 0).double().mean(0)  # every input is as likely as any other
    assert (shares - 15 / 60).abs().max().item() < 5 * math.sqrt(0.25 * 0.75 / 4000)
    assert set((fill("sparse: 5", (70, 2, 3), Fans(6, 70)) != 0).flatten(1).sum(1).tolist()) == {5}


@pytest.mark.parametrize("dims", [(5,), (5, 3), (5, 1, 3)])
def test_sparse_refuses_more_weights_than_a_unit_has(dims: tuple[int, ...]) -> None:
    with pytest.raises(SpecError, match="cannot choose 4 weights of a"):
        fill("sparse: 4", dims, Fans(3, 5))


# delta_orthogonal


@pytest.mark.parametrize("space", [(9,), (6, 7), (4, 3, 5)])
@pytest.mark.parametrize(("text", "gain"), [("delta_orthogonal", 1.0), ("delta_orthogonal: auto", SQRT2)])
def test_delta_orthogonal_keeps_the_norm_under_circular_padding(space: tuple[int, ...], text: str, gain: float) -> None:
    kernel = fill(text, (12, 5, *(3 for _ in space)), Fans(1, 1), "relu")
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[len(space) - 1](
        5, 12, 3, padding=1, padding_mode="circular", bias=False, dtype=torch.float64
    )
    convolution.load_state_dict({"weight": kernel})
    x = torch.randn(4, 5, *space, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    ratio = convolution(x).flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1)
    assert (ratio / gain - 1).abs().max().item() < 1e-6
    middle = 3 ** len(space) // 2
    assert kernel.flatten(2)[..., middle].all()
    assert (kernel != 0).sum().item() == 5 * 12


@pytest.mark.parametrize(
    ("dims", "message"),
    [((4,), "not a bias"), ((4, 3), "not the matrix of a linear layer"), ((4, 5, 3), "norm of 5 channels in 4")],
)
def test_delta_orthogonal_refuses_what_is_no_widening_kernel(dims: tuple[int, ...], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        fill("delta_orthogonal", dims, Fans(1, 1))


# fixup


@pytest.mark.parametrize(
    ("text", "variance"),
    [
        ("fixup: 54", 2 / 700 / 54),
        ("fixup: {branches: 54, fan: out}", 2 / 500 / 54),
        ("fixup: {branches: 16, depth: 3}", 2 / 700 / 4),
    ],
)
def test_fixup_shrinks_hes_deviation_with_the_depth(text: str, variance: float) -> None:
    assert fill(text, DENSE, FANS, "relu").var().item() == pytest.approx(variance, rel=0.02)


# critical

CRITICAL = [  # Schoenholz et al.'s equations at q* = 1, to the figures that are known
    ("tanh", 2.1533, 0.1510),
    ("elu", 1.4968, 0.0347),
    ("gelu", 2.1937, 0.0672),
    ("silu", 2.6352, 0.0625),
    ("relu", 2.0, 0.0),
    (None, 1.0, 0.0),
    ("leaky_relu: 0.5", 2 / 1.25, 0.0),
]


@pytest.mark.parametrize(("before", "weight", "bias"), CRITICAL)
def test_critical_variances_are_the_known_ones(before: str | None, weight: float, bias: float) -> None:
    found = variances(activation(before) if before else None)
    assert found == pytest.approx((weight, bias), abs=5.1e-5)


def test_critical_draws_weights_and_biases() -> None:
    assert fill("critical", DENSE, FANS, "tanh").var().item() == pytest.approx(2.1533 / 700, rel=0.02)
    assert fill("critical", (50_000,), FANS, "tanh").var().item() == pytest.approx(0.1510, rel=0.02)


@pytest.mark.parametrize("before", ["sigmoid", "softplus"])
def test_critical_refuses_where_a_variance_would_be_negative(before: str) -> None:
    with pytest.raises(SpecError, match=f"no `critical` initialisation before `{before}`.*variance -"):
        fill("critical", DENSE, FANS, before)


def test_critical_refuses_what_mixes_features() -> None:
    with pytest.raises(SpecError, match="`softmax` does not"):
        fill("critical", DENSE, FANS, "softmax")


CHAIN = """
name: chain
model:
  input: [400]
  init: critical
  layers:
    - ACTIVATION
    - {repeat: {times: 20, layers: [{linear: 400}, ACTIVATION]}}
"""


@pytest.mark.parametrize("before", ["tanh", "elu"])
def test_a_critical_net_keeps_pre_activations_of_variance_1(before: str) -> None:
    network = compile_graph(build_text(CHAIN.replace("ACTIVATION", before)))
    found: list[float] = []
    for name, part in network.named_modules():
        if name.endswith("linear1"):
            part.register_forward_hook(lambda _, __, output: found.append(output.var().item()))
    with torch.no_grad():
        network(torch.randn(200, 400, generator=torch.Generator().manual_seed(0)))
    assert found == pytest.approx([1.0] * 20, rel=0.2)


def test_a_refusal_names_the_layer_and_its_line() -> None:
    with pytest.raises(SpecError) as caught:
        build_text(CHAIN.replace("ACTIVATION", "sigmoid"))
    (problem,) = caught.value.problems
    assert (problem.where, problem.position.line) == ("repeat1.1.linear1", 8)


def test_the_short_form_of_critical_and_torch_fills_biases_too() -> None:
    for init, given in (("critical", True), ("torch", True), ("xavier", False)):
        network = compile_graph(build_text(CHAIN.replace("critical", init).replace("ACTIVATION", "tanh")))
        assert bool(network.get_parameter("repeat1.1.linear1.bias").any()) == given


@pytest.mark.parametrize(
    "text",
    [
        *("normal: 1", "uniform: 1", "lecun", "xavier", "kaiming", "orthogonal"),
        *("sparse: 2", "geometric", "fixup: 3", "critical"),
    ],
)
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
    assert isinstance(component, OneWeight)
    weight = component.build(image(*x)).weight
    assert isinstance(weight, Tensor)
    into, out = nn.init._calculate_fan_in_and_fan_out(weight)
    assert component.fans(image(*x)) == Fans(into, out)


def test_torchs_own_is_left_to_the_module() -> None:
    assert initializer("torch").by_module
    assert not initializer("kaiming").by_module


# what `check` refuses, without torch


REFUSED = [
    ("critical", "{linear: 3}, sigmoid", "no `critical` initialisation before `sigmoid`"),
    ("critical", "flatten, {linear: 3}, softmax", "takes any number, each by itself; `softmax` does not"),
    ("critical", "{cosine_conv: 3}, exponential_kernel", "takes any number, each by itself; `exponential_kernel`"),
    ("geometric", "flatten, {linear: 3}, gaussian", "`geometric` has no gain before `gaussian`"),
    ("{sparse: 40}", "{conv: 3}", "`sparse` cannot choose 40 weights of a unit that has 18"),
    ("{sparse: 5}", "{conv: {channels: 4, kernel: 2, groups: 2}}", "a unit that has 4"),
    ("delta_orthogonal", "{conv: 1}", "`delta_orthogonal` cannot keep the norm of 2 channels in 1"),
    ("delta_orthogonal", "flatten, {linear: 3}", "not the matrix of a linear layer"),
    ("{weight: xavier, bias: orthogonal}", "{conv: 3}", "`orthogonal` fills a weight matrix, and a bias is none"),
]


@pytest.mark.parametrize(("init", "layers", "message"), REFUSED)
def test_check_refuses_before_there_is_a_tensor(init: str, layers: str, message: str) -> None:
    head = "{flatten: {}}, " if layers.startswith("{linear") else ""
    with pytest.raises(SpecError) as caught:
        build_text(f"name: a\nmodel:\n  input: [2, 4, 4]\n  init: {init}\n  layers: [{head}{layers}]")
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.code == "init"
    assert problem.position.line == 5
    assert problem.where


def test_a_bias_that_is_not_there_needs_no_initialiser() -> None:
    build_text(
        "{name: a, model: {input: [2, 4, 4], init: {weight: xavier, bias: orthogonal}, "
        "layers: [{conv: {channels: 3, bias: false}}, {cosine_conv: 2}]}}"
    )


@pytest.mark.parametrize("before", ["relu", "tanh", "gelu", "hard_swish", "elu: 0.5", "softplus", "selu"])
def test_moments_are_the_integrals(before: str) -> None:
    component = activation(before)
    z = torch.linspace(-12, 12, 4_800_001, dtype=torch.float64).requires_grad_()
    value = component.build(image(1))(z)
    (derivative,) = torch.autograd.grad(value.sum(), z)
    density = torch.exp(-(z.detach() ** 2) / 2) / math.sqrt(2 * math.pi) * (24 / 4_800_000)
    found = moments(component)
    assert found.value == pytest.approx((density @ value.detach() ** 2).item(), rel=1e-5)
    assert found.derivative == pytest.approx((density @ derivative**2).item(), rel=1e-5)
