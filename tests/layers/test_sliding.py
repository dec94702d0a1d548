"""Layers that enlarge, that share no weights, that measure angles: against torch, numpy and the notes' figures."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from nnctl.graph.build import build_text
from nnctl.kinds.layers.base import ShapeError
from nnctl.network.compile import compile_graph
from tests.components import image, layer, materialise, normal


def test_transposed_conv_shapes_are_torchs() -> None:
    for size, kernel, stride, padding, extra in product((1, 2, 5), (1, 2, 3, 4), (1, 2, 3), (0, 1, 2), (0, 1, 2)):
        fields = f"kernel: {kernel}, stride: {stride}, padding: {padding}, output_padding: {extra}"
        module = nn.ConvTranspose1d(1, 1, kernel, stride, padding, extra)
        try:
            theirs = tuple(module(torch.zeros(1, 1, size)).shape[1:])
        except RuntimeError:
            theirs = None
        try:
            ours = layer(f"transposed_conv: {{channels: 1, {fields}}}").output(image(1, size)).dims
        except ShapeError:
            ours = None
        assert ours == theirs, (size, fields)


@pytest.mark.parametrize("dims", [(3, 5), (3, 4, 5), (3, 2, 3, 4)])
def test_transposed_conv_is_the_gradient_of_a_conv(dims: tuple[int, ...]) -> None:
    module = materialise(
        layer("transposed_conv: {channels: 2, kernel: 3, stride: 2, padding: 1, bias: false}"), image(*dims)
    )
    batch = normal(2, *dims)
    large = torch.zeros(
        2, *layer("transposed_conv: {channels: 2, kernel: 3, stride: 2, padding: 1}").output(image(*dims)).dims
    )
    large.requires_grad_()
    conv = (functional.conv1d, functional.conv2d, functional.conv3d)[len(dims) - 2]
    weight = module.get_parameter("weight").detach()
    (gradient,) = torch.autograd.grad(conv(large, weight, stride=2, padding=1), large, batch)
    torch.testing.assert_close(module(batch).detach(), gradient)


def test_transposed_conv_keeps_the_signal_s_size() -> None:
    # 64 channels, two of four kernel entries overlap on each axis: 64·2·2 inputs reach an output
    text = "name: a\nmodel: {input: [64, 12, 12], layers: [{transposed_conv: {channels: 64, kernel: 4, padding: 1}}]}"
    network = compile_graph(build_text(text))
    with torch.no_grad():
        result = network(normal(4, 64, 12, 12))[:, :, 2:-2, 2:-2]
    assert result.var().item() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize(
    ("mode", "dims"),
    [("nearest", (2, 3)), ("nearest", (2, 3, 4)), ("linear", (2, 5)), ("bilinear", (2, 3, 4)), ("bicubic", (2, 3, 4))],
)
def test_upsample_is_torchs(mode: str, dims: tuple[int, ...]) -> None:
    batch = normal(2, *dims)
    result = materialise(layer(f"upsample: {{factor: 3, mode: {mode}}}"), image(*dims))(batch)
    aligned = None if mode == "nearest" else False
    torch.testing.assert_close(result, functional.interpolate(batch, scale_factor=3, mode=mode, align_corners=aligned))


def test_upsample_by_hand() -> None:
    row = torch.tensor([[[0.0, 4.0]]])
    repeated = materialise(layer("upsample: 2"), image(1, 2))(row)
    assert repeated.tolist() == [[[0, 0, 4, 4]]]
    # centres lie at −¼, ¼, ¾, 1¼ of the old ones, and the edge is repeated
    between = materialise(layer("upsample: {factor: 2, mode: linear}"), image(1, 2))(row)
    assert between.tolist() == [[[0, 1, 3, 4]]]


def test_full_local_and_shared_maps_of_the_notes() -> None:
    assert layer("linear: {features: 16, bias: false}").parameters(image(36)) == 576
    assert layer("local_conv: {channels: 1, padding: 0, bias: false}").parameters(image(1, 6, 6)) == 144
    assert layer("conv: {channels: 1, padding: 0, bias: false}").parameters(image(1, 6, 6)) == 9


FIELDS = ["", ", kernel: 2, stride: 2", ", padding: 0", ", kernel: 2, padding: 1", ", stride: 2"]


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("dims", [(2, 6), (2, 5, 6), (2, 4, 5, 4)])
def test_local_conv_with_the_same_kernel_everywhere_is_a_conv(dims: tuple[int, ...], fields: str) -> None:
    shared = materialise(layer(f"conv: {{channels: 3{fields}}}"), image(*dims))
    local = materialise(layer(f"local_conv: {{channels: 3{fields}}}"), image(*dims))
    places = int(np.prod(layer(f"conv: {{channels: 3{fields}}}").output(image(*dims)).space))
    weight, bias = (shared.get_parameter(name).detach() for name in ("weight", "bias"))
    local.load_state_dict({"weight": weight.flatten(1).repeat(places, 1), "bias": bias.repeat_interleave(places)})
    batch = normal(2, *dims)
    torch.testing.assert_close(local(batch), shared(batch))


def test_local_conv_has_a_kernel_and_a_bias_for_each_place() -> None:
    module = materialise(layer("local_conv: {channels: 2, kernel: 2, stride: 2}"), image(3, 4, 6))
    batch = normal(5, 3, 4, 6)
    weight, bias = (module.get_parameter(name).detach() for name in ("weight", "bias"))
    result = module(batch).detach()
    for row, column in product(range(2), range(3)):
        patch = batch[:, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].flatten(1)
        kernel = weight.view(2, 3, 2, 12)[row, column]
        torch.testing.assert_close(result[:, :, row, column], patch @ kernel.T + bias.view(2, 2, 3)[:, row, column])


def test_local_conv_draws_orthogonal_kernels_place_by_place() -> None:
    text = "name: a\nmodel: {input: [4, 6], init: orthogonal, layers: [{local_conv: {channels: 5, kernel: 3}}]}"
    blocks = compile_graph(build_text(text)).state_dict()["local_conv1.weight"].view(6, 5, 12)
    torch.testing.assert_close(blocks @ blocks.mT, torch.eye(5).expand(6, 5, 5))
    assert not torch.equal(blocks[0], blocks[1])


@pytest.mark.parametrize("fields", FIELDS)
@pytest.mark.parametrize("dims", [(2, 6), (2, 5, 6), (1, 4, 5, 4)])
def test_cosine_conv_is_the_cosine(dims: tuple[int, ...], fields: str) -> None:
    component = layer(f"cosine_conv: {{channels: 3{fields}}}")
    module, batch = materialise(component, image(*dims)), normal(2, *dims)
    plain = layer(f"conv: {{channels: 3{fields}, bias: false}}").build(image(*dims))
    weight = module.get_parameter("weight").detach()
    plain.load_state_dict({"weight": weight})
    ones = layer(f"conv: {{channels: 1{fields}, bias: false}}").build(image(*dims))
    ones.load_state_dict({"weight": torch.ones_like(weight[:1])})
    lengths = weight.flatten(1).norm(dim=1).view(-1, *[1] * (len(dims) - 1))
    expected = plain(batch) / lengths / ones(batch.square()).sqrt()
    torch.testing.assert_close(module(batch), expected)
    torch.testing.assert_close(module(batch * 7), module(batch))


def test_cosine_conv_of_its_own_kernel_is_one_and_of_nothing_zero() -> None:
    module = materialise(layer("cosine_conv: {channels: 1, padding: 0}"), image(2, 3, 3))
    kernel = module.get_parameter("weight").detach()
    blank = torch.zeros(1, 2, 3, 3, requires_grad=True)
    torch.testing.assert_close(module(3 * kernel).detach(), torch.ones(1, 1, 1, 1))
    result = module(blank)
    result.sum().backward()
    assert result.item() == 0
    assert blank.grad is not None
    assert torch.isfinite(blank.grad).all()


def test_strides_shrink_again_where_a_layer_enlarges() -> None:
    layers = "[conv: {channels: 2, stride: 2}, max_pool: 2, transposed_conv: 2, conv: 2, upsample: 4, conv: 2]"
    rows = build_text(f"name: a\nmodel: {{input: [1, 16, 16], layers: {layers}}}").rows
    assert [row.stride for row in rows] == [2, 4, 2, 2, 0.5, 0.5]
    # 3, +1·2, a kernel of 2 at a stride of 2 looks at one place, +2·2, nearest looks at one, +2·½
    assert [row.receptive_field for row in rows] == [3, 5, 5, 9, 9, 10]
