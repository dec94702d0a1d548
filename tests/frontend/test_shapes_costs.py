"""Whole networks: published parameter counts, receptive fields by gradient, macs by torch's counter, memory."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nnctl.graph.build import Graph, build_text
from nnctl.network.compile import compile_graph
from tests.frontend.helpers import graph
from tests.network.architectures import (
    ALEXNET,
    DENSENET121,
    DENSENET121_CIFAR,
    DENSENET_BC100,
    GOOGLENET,
    GOOGLENET_HEADS,
    LENET,
    MOBILENET_V2,
    WIDE_RESNET28_10,
    cifar_resnet,
    resnet,
    vgg,
)

PUBLISHED = {
    "lenet": (LENET, 61_706),
    "alexnet": (ALEXNET, 61_100_840),
    "vgg_a": (vgg(1, 1, 2, 2, 2), 132_863_336),
    "vgg_b": (vgg(2, 2, 2, 2, 2), 133_047_848),
    "vgg_d": (vgg(2, 2, 3, 3, 3), 138_357_544),
    "vgg_e": (vgg(2, 2, 4, 4, 4), 143_667_240),
    "resnet18": (resnet(2, 2, 2, 2), 11_689_512),
    "resnet34": (resnet(3, 4, 6, 3), 21_797_672),
    "resnet50": (resnet(3, 4, 6, 3, block="bottleneck"), 25_557_032),
    "resnet101": (resnet(3, 4, 23, 3, block="bottleneck"), 44_549_160),
    "resnet152": (resnet(3, 8, 36, 3, block="bottleneck"), 60_192_808),
    "resnext50_32x4d": (resnet(3, 4, 6, 3, block="bottleneck", extra=", groups: 32, base: 4"), 25_028_904),
    "wide_resnet50_2": (resnet(3, 4, 6, 3, block="bottleneck", extra=", base: 128"), 68_883_240),
    "wide_resnet28_10": (WIDE_RESNET28_10, 36_479_194),
    "googlenet": (GOOGLENET, 13_004_888),
    "densenet121": (DENSENET121, 7_978_856),
    "densenet121_cifar": (DENSENET121_CIFAR, 6_956_298),
    "densenet_bc100": (DENSENET_BC100, 769_162),
    "mobilenet_v2": (MOBILENET_V2, 3_504_872),
}
CIFAR = {
    "pad": {3: 269_722, 5: 464_154, 7: 658_586, 9: 853_018, 18: 1_727_962},
    "projection": {3: 272_474, 5: 466_906, 7: 661_338, 9: 855_770, 18: 1_730_714},
    "none": {3: 269_722, 5: 464_154, 7: 658_586, 9: 853_018, 18: 1_727_962},
}


@pytest.mark.parametrize(("text", "parameters"), PUBLISHED.values(), ids=PUBLISHED)
def test_published_parameter_counts_are_exact(text: str, parameters: int) -> None:
    assert build_text(text).parameters == parameters


@pytest.mark.parametrize(
    ("shortcut", "n", "parameters"),
    [(shortcut, n, count) for shortcut, counts in CIFAR.items() for n, count in counts.items()],
)
def test_cifar_resnets_count_exactly(shortcut: str, n: int, parameters: int) -> None:
    name = "auto" if shortcut == "projection" else shortcut
    assert build_text(cifar_resnet(n, name)).parameters == parameters


def test_googlenet_without_its_heads_counts_exactly() -> None:
    text = "".join(line for line in GOOGLENET.splitlines(keepends=True) if "- head:" not in line)
    assert len(GOOGLENET_HEADS.splitlines()) == 2
    assert build_text(text).parameters == 6_624_904


# multiply-adds


@pytest.mark.parametrize(
    "text",
    [
        LENET,
        cifar_resnet(2, "pad"),
        cifar_resnet(2, "auto"),
        DENSENET_BC100,
        MOBILENET_V2.replace("[3, 224, 224]", "[3, 64, 64]"),
        GOOGLENET.replace("[3, 224, 224]", "[3, 64, 64]"),
        resnet(1, 1, 1, 1, block="bottleneck", extra=", groups: 32, base: 4").replace("224", "64"),
    ],
    ids=["lenet", "cifar_pad", "cifar_auto", "densenet", "mobilenet", "googlenet", "resnext"],
)
def test_macs_are_half_of_what_torch_counts(text: str) -> None:
    built = build_text(text)
    network = compile_graph(built).eval()
    x = torch.zeros(1, *built.inputs["input"].dims)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.outputs(x)
    assert 2 * built.macs == counter.get_total_flops()


# receptive fields and strides


def support(built: Graph, path: str, unit: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return per axis the first and last input position that one unit of a layer depends on."""
    network = compile_graph(built).double()
    with torch.no_grad():
        for tensor in network.parameters():
            tensor.fill_(0.1)
        for part in network.modules():
            if isinstance(part, nn.MaxPool2d):  # its gradient reaches one position alone; the mean's reaches all
                part.forward = nn.AvgPool2d(  # type: ignore[method-assign]
                    part.kernel_size, part.stride, part.padding, ceil_mode=part.ceil_mode
                ).forward
    kept: dict[str, torch.Tensor] = {}
    network.eval().get_submodule(path).register_forward_hook(lambda _m, _i, out: kept.update(out=out))
    x = torch.ones(1, *built.inputs["input"].dims, dtype=torch.float64, requires_grad=True)
    network(x)
    unit_of_all_channels: Any = (0, slice(None), *unit)
    kept["out"][unit_of_all_channels].sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    reached = x.grad.abs().sum((0, 1))
    ends = []
    for axis in range(reached.dim()):
        others = [other for other in range(reached.dim()) if other != axis]
        positions = (reached.sum(others) if others else reached).nonzero().flatten()
        ends.append((int(positions[0]), int(positions[-1])))
    return ends


NETS = [
    "[{conv: 2}, {conv: {channels: 2, kernel: 5, stride: 2}}, {conv: {channels: 2, dilation: 2}}]",
    "[{conv: {channels: 2, kernel: [3, 5], stride: [1, 2]}}, {max_pool: 2}, {conv: {channels: 2, kernel: [5, 1]}}]",
    "[{max_pool: {kernel: 3, stride: 2, padding: 1}}, {conv: {channels: 2, stride: 3}},"
    " {avg_pool: {kernel: 2, stride: 1}}]",
    "[{residual: {body: [{conv: {channels: 2, stride: 2}}, {conv: 2}]}}, {conv: 2}]",
    "[{branches: {merge: concat, paths: [[{conv: {channels: 2, kernel: [1, 7]}}],"
    " [{conv: {channels: 2, kernel: [7, 1]}}], [identity]]}}, {conv: {channels: 2, stride: 2}}]",
    "[{branches: {merge: add, paths: [[{conv: {channels: 3, kernel: [9, 1]}}],"
    " [{conv: {channels: 3, kernel: [3, 5]}}]]}}, {conv: 2}]",
    "[{tag: a}, {conv: {channels: 3, kernel: [1, 5]}}, {conv: 3}, {from: {tag: a, merge: add}}, {max_pool: 3}]",
]


@pytest.mark.parametrize("layers", NETS)
def test_receptive_field_and_stride_are_the_gradients(layers: str) -> None:
    built = graph(layers, input="[3, 48, 48]")
    for leaf, row in zip(built.leaves, built.rows, strict=True):
        reach, step = leaf.output.reach, leaf.output.step
        middle = tuple(size // 2 for size in leaf.output.shape.space)
        here = support(built, leaf.path, middle)
        assert tuple(last - first + 1 for first, last in here) == reach, leaf.path
        there = support(built, leaf.path, tuple(place + 1 for place in middle))
        assert tuple(after[0] - before[0] for before, after in zip(here, there, strict=True)) == step, leaf.path
        assert row.receptive_field == (reach[0] if len(set(reach)) == 1 else reach)
        assert row.stride == (step[0] if len(set(step)) == 1 else step)


def test_what_stands_behind_a_join_sees_what_its_widest_path_sees() -> None:
    layers = NETS[5]
    built = graph(layers, input="[3, 48, 48]")
    assert built.rows[-1].receptive_field == (11, 7)


def test_behind_flatten_and_global_pools_the_whole_image_is_seen() -> None:
    for last in ("flatten", "global_avg_pool", "global_max_pool"):
        built = graph(f"[{{conv: 2}}, {{{last}: null}}, {{linear: 3}}]", input="[3, 8, 8]")
        assert built.rows[1].receptive_field == built.rows[2].receptive_field
        assert isinstance(built.rows[1].receptive_field, int)
        assert built.rows[1].receptive_field >= 8
    assert graph("[{linear: 3}]", input="[4]").rows[0].receptive_field is None


def test_shapes_in_rows_are_those_that_arrive_and_leave() -> None:
    built = build_text(cifar_resnet(2, "auto"))
    network = compile_graph(built)
    seen: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {}
    for name, part in network.named_modules():
        part.register_forward_hook(
            lambda _m, inputs, out, name=name: seen.update({name: (tuple(inputs[0].shape[1:]), tuple(out.shape[1:]))})
        )
    network(torch.zeros(2, 3, 32, 32))
    assert {row.path: (row.input, row.output) for row in built.rows} == {row.path: seen[row.path] for row in built.rows}


# memory


@pytest.mark.parametrize(
    ("optimizer", "ema", "state"),
    [
        ("{sgd: 0.1}", "null", 0),
        ("{sgd: {lr: 0.1, momentum: 0.9}}", "null", 1),
        ("{adam: 0.1}", "null", 2),
        ("{adamw: 0.1}", "0.9", 3),
    ],
)
@pytest.mark.parametrize(
    ("batch", "accumulate", "precision"), [("32", 1, "fp32"), ("32", 5, "fp32"), ("all", 1, "bf16")]
)
def test_memory_is_the_sum_of_its_parts(
    optimizer: str, ema: str, state: int, batch: str, accumulate: int, precision: str
) -> None:
    text = f"""
name: x
data: {{dataset: digits}}
model: {{layers: [{{conv: 4}}, relu, flatten, {{linear: $classes}}]}}
train: {{epochs: 1, loss: cross_entropy, optimizer: {optimizer}, ema: {ema}, batch_size: {batch},
  accumulate: {accumulate}, precision: {precision}}}
"""
    built = build_text(text)
    assert built.facts is not None
    assert built.facts.train is not None
    weights = (9 + 1) * 4 + (256 + 1) * 10
    activations = 256 + 256 + 256 + 10
    size = built.facts.train if batch == "all" else 32
    samples = -(-size // accumulate)
    memory = built.memory
    assert built.parameters == weights
    assert (memory.weights, memory.gradients, memory.optimizer) == (4 * weights, 4 * weights, 4 * weights * state)
    assert memory.activations == (2 if precision == "bf16" else 4) * activations * samples
    assert (
        memory.total
        == sum((memory.weights, memory.gradients, memory.optimizer, memory.activations))
        == sum(value for key, value in memory.as_json().items() if key not in ("total", "batch_size"))
    )


def test_a_network_larger_than_any_machine_is_still_counted() -> None:
    width, depth = 20_480, 120
    body = f"[{{linear: {4 * width}}}, relu, {{linear: {width}}}]"
    built = graph(f"[{{repeat: {{times: {depth}, layers: {body}}}}}]", input=f"[{width}]")
    assert built.parameters == depth * (2 * 4 * width * width + 5 * width)
    assert built.parameters == sum(row.params for row in built.rows)
    assert list(itertools.islice((row.path for row in built.rows), 1)) == ["repeat1.1.linear1"]
