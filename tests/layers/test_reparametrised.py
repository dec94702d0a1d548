"""Weight norm and spectral norm: singular values of the used weight, torch's own forms, and what they refuse."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from nnctl.errors import SpecError
from nnctl.graph.build import build_text
from nnctl.network.compile import compile_graph
from tests.components import image, layer, materialise, normal

CASES = [
    ("linear: 6", (4,)),
    ("linear: {features: 3, bias: false}", (5,)),
    ("conv: {channels: 4, stride: 2}", (3, 5, 5)),
]


def used(entry: str, dims: tuple[int, ...]) -> Tensor:
    """Return the matrix that the layer multiplies by, read off what it makes of unit vectors or impulses."""
    module = materialise(layer(entry), image(*dims))
    weight = module.used_weight()  # type: ignore[operator]
    assert isinstance(weight, Tensor)
    return weight.detach().flatten(1)


@pytest.mark.parametrize(("inner", "dims"), CASES)
def test_the_largest_singular_value_of_the_used_weight_is_one(inner: str, dims: tuple[int, ...]) -> None:
    matrix = used(f"spectral_norm: {{{inner}}}", dims)
    assert torch.linalg.svdvals(matrix)[0].item() == pytest.approx(1, abs=1e-6)


def test_spectral_norm_stretches_no_vector_by_more_than_one() -> None:
    module = materialise(layer("spectral_norm: {linear: {features: 8, bias: false}}"), image(8))
    batch = normal(500, 8)
    assert (module(batch).norm(dim=1) / batch.norm(dim=1)).max().item() <= 1 + 1e-6


@pytest.mark.parametrize(("inner", "dims"), CASES)
def test_weight_norm_shares_out_as_many_squares_as_there_are_outputs(inner: str, dims: tuple[int, ...]) -> None:
    for fields in ("", ", gain: false"):
        matrix = used(f"weight_norm: {{layer: {{{inner}}}{fields}}}", dims)
        assert torch.linalg.svdvals(matrix).square().sum().item() == pytest.approx(len(matrix), rel=1e-6)


@pytest.mark.parametrize(("inner", "dims"), CASES)
def test_weight_norm_is_torchs(inner: str, dims: tuple[int, ...]) -> None:
    module = materialise(layer(f"weight_norm: {{{inner}}}"), image(*dims))
    gain = normal(len(module.get_parameter("gain")), seed=3)
    module.load_state_dict(module.state_dict() | {"gain": gain})
    plain = layer(inner).build(image(*dims))
    plain.load_state_dict({n.removeprefix("layer."): t for n, t in module.state_dict().items() if n != "gain"})
    reference = parametrizations.weight_norm(plain)
    with torch.no_grad():
        reference.get_parameter("parametrizations.weight.original0").view(-1).copy_(gain)
    batch = normal(3, *dims)
    ours, theirs = module(batch), reference(batch)
    torch.testing.assert_close(ours, theirs)
    v = reference.get_parameter("parametrizations.weight.original1")
    (expected,) = torch.autograd.grad(theirs.square().sum(), v)
    (gradient,) = torch.autograd.grad(ours.square().sum(), module.get_parameter("layer.weight"))
    torch.testing.assert_close(gradient, expected)


@pytest.mark.parametrize(("inner", "dims"), CASES)
def test_spectral_norm_is_the_limit_of_torchs_power_iteration(inner: str, dims: tuple[int, ...]) -> None:
    module = materialise(layer(f"spectral_norm: {{{inner}}}"), image(*dims))
    plain: nn.Module = layer(inner).build(image(*dims))
    plain.load_state_dict({name.removeprefix("layer."): tensor for name, tensor in module.state_dict().items()})
    reference = parametrizations.spectral_norm(plain, n_power_iterations=300).train()
    batch = normal(3, *dims)
    torch.testing.assert_close(module(batch), reference(batch))


def test_their_init_is_the_inner_layers_or_their_own() -> None:
    text = "name: a\nmodel: {input: [300], layers: [{weight_norm: {linear: {features: 300, init: lecun}}}, relu, "
    text += "{spectral_norm: {layer: {linear: 300}, init: zero}}, relu, {spectral_norm: {linear: 300}}, relu]}"
    network = compile_graph(build_text(text))
    state = network.state_dict()
    assert state["weight_norm1.layer.weight"].var().item() == pytest.approx(1 / 300, rel=0.03)
    assert not state["spectral_norm1.layer.weight"].any()
    assert state["spectral_norm2.layer.weight"].var().item() == pytest.approx(2 / 300, rel=0.03)
    assert all(torch.isfinite(tensor).all() for tensor in network(normal(2, 300)))


def test_a_weight_of_zeros_gives_zeros_and_finite_gradients() -> None:
    text = "name: a\nmodel: {input: [3], layers: [{ENTRY: {layer: {linear: 2}, init: zero}}]}"
    for kind in ("weight_norm", "spectral_norm"):
        network = compile_graph(build_text(text.replace("ENTRY", kind)))
        result = network(normal(4, 3))
        result.sum().backward()
        assert not result.any()
        assert all(torch.isfinite(p.grad).all() for p in network.parameters() if p.grad is not None)


def test_costs_are_the_inner_layers() -> None:
    plain, x = layer("conv: {channels: 4, kernel: 5, stride: 2}"), image(3, 9, 9)
    for kind, extra in (("weight_norm", 4), ("spectral_norm", 0)):
        wrapped = layer(f"{kind}: {{conv: {{channels: 4, kernel: 5, stride: 2}}}}")
        assert wrapped.parameters(x) == plain.parameters(x) + extra
        assert wrapped.macs(x) == plain.macs(x)
        assert wrapped.output(x) == plain.output(x)
        assert wrapped.window(x) == plain.window(x)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("weight_norm: {relu: {}}", "`layer` is a mapping, expected a linear or conv layer, such as {linear: 64}"),
        ("weight_norm: {lineer: 4}", "there is no layer `lineer`"),
        ("spectral_norm: {linear: 0}", "`features` is 0, expected a whole number of at least 1"),
        ("spectral_norm: {linear: {features: 4, name: x}}", "the layer inside `spectral_norm` has no name of its own"),
        ("spectral_norm", "`spectral_norm` needs `layer`"),
        ("spectral_norm: {conv: 4}", "`conv` takes a signal, an image or a volume, not a vector"),
    ],
)
def test_what_cannot_be_inside_is_refused(entry: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(f"name: a\nmodel:\n  input: [8]\n  layers:\n    - {entry}\n")
    (problem,) = caught.value.problems
    assert problem.message == message
    assert problem.position.line == 5
