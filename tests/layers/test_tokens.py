"""Layers that make, mix and choose tokens, against torch and torchvision."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.vision_transformer import EncoderBlock

from nnctl.graph.build import build_text
from nnctl.kinds.layers.base import Shape
from nnctl.network.compile import compile_graph
from tests.components import image, layer, materialise, normal, tokens


def codes(vocabulary: int, *dims: int) -> Shape:
    return Shape(dims, vocabulary=vocabulary)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_torchs(heads: int) -> None:
    reference = nn.MultiheadAttention(8, heads, batch_first=True)
    state = {
        name: normal(*tensor.shape, seed=index) for index, (name, tensor) in enumerate(reference.named_parameters())
    }
    reference.load_state_dict(state)
    module = materialise(layer(f"attention: {heads}"), tokens(5, 8))
    assert list(module.state_dict()) == list(reference.state_dict())
    module.load_state_dict(state)
    batch = normal(3, 5, 8, seed=9)
    torch.testing.assert_close(module(batch), reference(batch, batch, batch, need_weights=False)[0])


def test_attention_is_its_formula() -> None:
    module, batch = materialise(layer("attention: 2"), tokens(4, 6)).double(), normal(2, 4, 6, dtype=torch.float64)
    state = module.state_dict()
    query, key, value = (batch @ weight.T for weight in state["in_proj_weight"].chunk(3))
    heads = []
    for head in (slice(0, 3), slice(3, 6)):
        weights = torch.exp(query[..., head] @ key[..., head].mT / 3**0.5)
        heads.append(weights / weights.sum(-1, keepdim=True) @ value[..., head])
    expected = torch.cat(heads, -1) @ state["out_proj.weight"].T
    torch.testing.assert_close(module(batch).detach(), expected)


def test_attention_counts_both_matrix_products() -> None:
    assert layer("attention: 3").parameters(tokens(65, 192)) == sum(
        p.numel() for p in nn.MultiheadAttention(192, 3).parameters()
    )
    assert layer("attention: 3").macs(tokens(65, 192)) == 65 * 4 * 192**2 + 2 * 65 * 65 * 192


def network_state(entry: str, shape: str, init: str = "kaiming") -> dict[str, Tensor]:
    text = f"name: a\nmodel: {{input: {shape}, init: {init}, layers: [{entry}]}}"
    state: dict[str, Tensor] = compile_graph(build_text(text)).state_dict()
    return state


def test_attention_draws_queries_keys_and_values_as_maps_of_their_own() -> None:
    state = network_state("attention: 2", "{tokens: 3, features: 8}", "orthogonal")
    for weight in (*state["attention1.in_proj_weight"].chunk(3), state["attention1.out_proj.weight"]):
        torch.testing.assert_close(weight @ weight.T, torch.eye(8))
    query, key, _ = state["attention1.in_proj_weight"].chunk(3)
    assert not torch.equal(query, key)
    wide = network_state("attention: 4", "{tokens: 2, features: 512}", "xavier")
    for name in ("in_proj_weight", "out_proj.weight"):
        assert wide[f"attention1.{name}"].var().item() == pytest.approx(2 / 1024, rel=0.02)
    for name in ("in_proj_bias", "out_proj.bias"):
        assert not wide[f"attention1.{name}"].any()


def test_attention_can_start_as_torchs_does() -> None:
    state = network_state("attention: 4", "{tokens: 2, features: 256}", "torch")
    bound = (6 / (4 * 256)) ** 0.5  # Xavier's over the packed matrix
    assert 0.99 * bound < state["attention1.in_proj_weight"].abs().max().item() <= bound
    assert not state["attention1.in_proj_bias"].any()
    assert not state["attention1.out_proj.bias"].any()


def test_a_block_of_them_is_torchvisions_encoder() -> None:
    reference = EncoderBlock(2, 8, 32, 0.0, 0.0).eval()
    parameters = reference.named_parameters()
    reference.load_state_dict(
        {name: normal(*tensor.shape, seed=index) for index, (name, tensor) in enumerate(parameters)}
    )
    text = """
name: encoder
model:
  input: {tokens: 5, features: 8}
  layers:
    - residual: {shortcut: identity, body: [{layer_norm: {eps: 1e-6}}, {attention: 2}]}
    - residual: {shortcut: identity, body: [{layer_norm: {eps: 1e-6}}, {linear: 32}, gelu, {linear: 8}]}
"""
    network = compile_graph(build_text(text)).eval()
    theirs, ours = reference.state_dict(), network.state_dict()
    assert [tensor.shape for tensor in ours.values()] == [tensor.shape for tensor in theirs.values()]
    network.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    batch = normal(3, 5, 8, seed=20)
    torch.testing.assert_close(network(batch), reference(batch))


@pytest.mark.parametrize(
    ("dims", "patch"), [((3, 8), (4,)), ((3, 4, 6), (2, 2)), ((2, 4, 6), (4, 2)), ((1, 2, 4, 4), (2, 2, 2))]
)
def test_patches_are_read_row_by_row(dims: tuple[int, ...], patch: tuple[int, ...]) -> None:
    component = layer(f"patch_embedding: {{features: 5, patch: {list(patch)}}}")
    module, batch = materialise(component, image(*dims)), normal(2, *dims)
    weight, bias = (module.get_parameter(f"projection.{name}").detach() for name in ("weight", "bias"))
    patches = batch
    for axis, extent in enumerate(patch, start=2):
        patches = patches.unfold(axis, extent, extent)
    axes = len(patch)
    rows = patches.movedim(1, axes + 1).flatten(axes + 1).flatten(1, axes)
    torch.testing.assert_close(module(batch).detach(), rows @ weight.flatten(1).T + bias)


def test_patch_embedding_draws_its_weight_for_the_numbers_of_a_patch() -> None:
    state = network_state("patch_embedding: {features: 200, patch: 8}", "[3, 8, 8]")
    assert state["patch_embedding1.projection.weight"].var().item() == pytest.approx(1 / 192, rel=0.02)
    assert not state["patch_embedding1.projection.bias"].any()


def test_class_token_comes_first_and_starts_at_zero() -> None:
    module, batch = materialise(layer("class_token"), tokens(3, 4)), normal(2, 3, 4)
    assert torch.equal(module(batch), functional.pad(batch, (0, 0, 1, 0)))
    module.load_state_dict({"token": torch.arange(4.0)})
    assert module(batch)[:, 0].tolist() == [[0, 1, 2, 3]] * 2


def test_position_embedding_is_added() -> None:
    module, batch = materialise(layer("position_embedding"), tokens(300, 40)), normal(2, 300, 40)
    weight = module.get_parameter("weight").detach()
    assert torch.equal(module(batch), batch + weight)
    assert weight.std().item() == pytest.approx(0.02, rel=0.02)


@pytest.mark.parametrize(("index", "place"), [(0, 0), (2, 2), (-1, 3), (-4, 0)])
def test_take_counts_from_both_ends(index: int, place: int) -> None:
    batch = normal(2, 4, 3)
    assert torch.equal(materialise(layer(f"take: {index}"), tokens(4, 3))(batch), batch[:, place])


def test_embedding_makes_tokens_of_codes_and_a_vector_of_one() -> None:
    component = layer("embedding: 3")
    assert component.output(codes(7, 4)) == tokens(4, 3)
    assert component.output(codes(7)) == image(3)
    module = materialise(component, codes(7, 4))
    batch = torch.tensor([[6, 0, 0, 3]])
    one_hot = functional.one_hot(batch, 7).float()
    torch.testing.assert_close(module(batch), one_hot @ module.get_parameter("weight"))


def test_embedding_starts_as_wide_as_torchs() -> None:
    weight = network_state("embedding: 100", "{tokens: 4, vocabulary: 400}")["embedding1.weight"]
    assert weight.std().item() == pytest.approx(1, rel=0.02)


def test_categories_and_numbers_meet_in_one_vector() -> None:
    text = """
name: table
model:
  input: {numbers: [2], work: {vocabulary: 9}, country: {vocabulary: 42}}
  layers:
    - branches:
        merge: concat
        paths: [[{from: data.numbers}], [{from: data.work}, {embedding: 4}], [{from: data.country}, {embedding: 8}]]
    - linear: 2
"""
    graph = build_text(text)
    assert graph.parameters == 9 * 4 + 42 * 8 + (14 + 1) * 2
    network = compile_graph(graph)
    fields = {"numbers": normal(3, 2), "work": torch.tensor([8, 0, 1]), "country": torch.tensor([41, 0, 2])}
    state = network.state_dict()
    joined = torch.cat(
        (
            fields["numbers"],
            *(
                state[name][fields[field]]
                for name, field in (
                    ("branches1.paths2.embedding1.weight", "work"),
                    ("branches1.paths3.embedding1.weight", "country"),
                )
            ),
        ),
        1,
    )
    expected = joined @ state["linear1.weight"].T + state["linear1.bias"]
    torch.testing.assert_close(network(fields).detach(), expected)


def test_a_spec_of_nearly_two_trillion_parameters_is_reckoned() -> None:
    width, times, vocabulary, length = 35_328, 120, 100_000, 8_192
    encoder = (
        "{residual: {shortcut: identity, body: [layer_norm, attention: 96]}}, {residual: {shortcut: identity, body: "
    )
    encoder += f"[layer_norm, linear: {4 * width}, gelu, linear: {width}]}}}}"
    graph = build_text(
        f"name: a\nmodel:\n  input: {{tokens: {length}, vocabulary: {vocabulary}}}\n  layers:\n"
        f"    - embedding: {width}\n    - repeat: {{times: {times}, layers: [{encoder}]}}\n    - linear: {vocabulary}\n"
    )
    block = 4 * (width + 1) * width + (2 * 4 * width + 4 + 1) * width + 4 * width
    assert graph.parameters == vocabulary * width + times * block + (width + 1) * vocabulary
    assert 1.8e12 < graph.parameters < 1.81e12
    products = 12 * width**2 + 2 * length * width
    assert graph.macs == length * (times * products + width * vocabulary)
