"""Compiling: weights from spec and seed alone, gains, order and names of tensors, outputs, plain torch behaviour."""

from __future__ import annotations

import math
from textwrap import indent
from typing import Any

import pytest
import torch
from torch import nn

from nnctl.graph.build import Graph, build_text
from nnctl.graph.nodes import leaves
from nnctl.network.compile import compile_graph, compile_model
from nnctl.spec.load import loads
from tests.frontend.helpers import graph

NET = """
- conv: {channels: 6, init: torch}
- batch_norm
- prelu
- residual:
    body: [{conv: {channels: 8, stride: 2}}, dropout: 0.1]
- branches: {merge: concat, paths: [[identity], [{conv: 4}]]}
- flatten
- highway: {body: [{linear: $in}, relu], gate: [{linear: $in}, sigmoid]}
- linear: 5
"""


def network(layers: str, rest: str = "", **parts: str) -> Any:
    """Return the network, whose modules are read by attribute here."""
    return compile_graph(graph(layers, rest=rest, **parts))


def same(first: nn.Module, second: nn.Module) -> bool:
    ours, theirs = first.state_dict(), second.state_dict()
    return list(ours) == list(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)


# weights


def test_the_same_spec_and_seed_give_the_same_weights() -> None:
    torch.manual_seed(1)
    first = network(NET)
    torch.manual_seed(2)
    assert same(first, network(NET))
    assert same(first, network(NET, "seed: 0"))


def test_another_seed_gives_other_weights() -> None:
    first, second = network(NET).state_dict(), network(NET, "seed: 1").state_dict()
    drawn = [name for name in first if name.endswith("weight") and first[name].unique().numel() > 1]
    assert len(drawn) >= 7
    assert not any(torch.equal(first[name], second[name]) for name in drawn)


def test_a_layers_weights_do_not_depend_on_its_neighbours() -> None:
    short = network("[{linear: 4}, relu]", input="[5]")
    long = network("[{linear: 4}, relu, {linear: 4}, {dropout: 0.5}]", input="[5]")
    assert torch.equal(short.linear1.weight, long.linear1.weight)
    assert not torch.equal(long.linear1.weight[:, :4], long.linear2.weight)


def test_torchs_global_random_state_is_left_as_it_was() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    network(NET)
    network(NET, model="init: torch")
    assert torch.equal(torch.get_rng_state(), before)


def test_no_value_is_left_unset() -> None:
    for init in ("kaiming", "torch", "orthogonal", "{weight: {normal: 0.1}, bias: {constant: 0.5}}"):
        built = network(NET, model=f"init: {init}")
        assert all(torch.isfinite(tensor).all() for tensor in built.state_dict().values())
        assert not any(tensor.is_meta for tensor in (*built.parameters(), *built.buffers()))


@pytest.mark.parametrize("layer", ["linear: 4000", "conv: {channels: 400, kernel: 5}"])
def test_init_torch_draws_from_torchs_own_distribution(layer: str) -> None:
    shape = "[30]" if layer.startswith("linear") else "[10, 5, 5]"
    built = next(network(f"[{layer}]", input=shape, model="init: torch").children())
    assert isinstance(built.weight, torch.Tensor)
    assert isinstance(built.bias, torch.Tensor)
    fan_in = built.weight[0].numel()
    bound = 1 / math.sqrt(fan_in)
    for tensor, tolerance in ((built.weight, 0.02), (built.bias, 0.1)):
        assert float(tensor.detach().abs().max()) <= bound
        assert float(tensor.detach().std()) == pytest.approx(bound / math.sqrt(3), rel=tolerance)


def test_init_torch_is_torchs_own_reset_under_the_layers_seed() -> None:
    from nnctl.randomness import derive

    built = network("[{linear: 7}]", "seed: 3", input="[5]", model="init: torch")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(3, "init", "linear1"))
        expected = nn.Linear(5, 7)
    assert torch.equal(built.linear1.weight, expected.weight)
    assert torch.equal(built.linear1.bias, expected.bias)


def test_a_layers_own_init_wins_and_the_default_bias_is_zero() -> None:
    layers = """
    - linear: 4
    - linear: {features: 4, init: {constant: 2}}
    - linear: {features: 4, init: {bias: {constant: 3}}}
    """
    built = network(layers, input="[5]", model="init: {weight: {constant: 1}, bias: {constant: 7}}")
    values = [(part.weight[0, 0].item(), part.bias[0].item()) for part in built.children()]
    assert values == [(1, 7), (2, 0), (1, 3)]


# gains


def deviations(layers: str, **parts: str) -> dict[str, float]:
    """Return gain per layer: the deviation of its weights times the root of its fan in."""
    built = network(layers, **parts)
    return {
        name.removesuffix(".weight"): round(float(tensor.detach().std()) * math.sqrt(tensor[0].numel()), 1)
        for name, tensor in built.named_parameters()
        if tensor.dim() > 1
    }


RELU = 1.4
UNIT = "blocks: {unit: {layers: [{linear: 300}]}, act: {layers: [batch_norm, relu]}}"
GAINS = [
    ("[{linear: 300}, relu]", [RELU]),
    ("[{linear: 300}]", [1.0]),
    ("[{linear: 300}, tanh]", [1.7]),
    ("[{linear: 300}, {linear: 300}, relu]", [1.0, RELU]),
    ("[{linear: 300}, batch_norm, {dropout: 0.3}, relu]", [RELU]),
    ("[{linear: 300}, {tag: a}, relu]", [RELU]),
    ("[{linear: 300}, {head: {name: a, layers: [{linear: 300}, tanh]}}, relu]", [RELU, 1.7]),
    ("[{linear: 300}, {head: {name: a, layers: [{linear: 300}]}}, relu]", [RELU, 1.0]),
    ("[unit, relu]", [RELU]),
    ("[unit, act]", [RELU]),
    ("[{linear: 300}, act]", [RELU]),
    ("[{repeat: {times: 2, layers: [{linear: 300}]}}, relu]", [1.0, RELU]),
    ("[{repeat: {times: 2, layers: [relu, {linear: 300}]}}]", [RELU, 1.0]),
    ("[{residual: {body: [{linear: 300}]}}, relu]", [1.0]),
    ("[{residual: {body: [{linear: 300}, relu]}}]", [RELU]),
    ("[{linear: 300}, {residual: {body: [relu]}}]", [1.0]),
    ("[{branches: {merge: add, paths: [[{linear: 300}], [{linear: 300}, relu]]}}, relu]", [1.0, RELU]),
    ("[{highway: {body: [{linear: 300}], gate: [{linear: 300}, sigmoid]}}, relu]", [1.0, 1.0]),
    ("[{linear: 300}, {from: {tag: data.input, merge: add}}, relu]", [RELU]),
]


@pytest.mark.parametrize(("layers", "gains"), GAINS)
def test_kaiming_takes_the_gain_of_the_next_activation(layers: str, gains: list[float]) -> None:
    found = list(deviations(layers, input="[300]", model=UNIT).values())
    assert found == pytest.approx(gains, abs=0.051)


def test_the_gain_looks_past_pools_and_flatten() -> None:
    found = deviations(
        "[{conv: 64}, batch_norm, {max_pool: 2}, {spatial_dropout: 0.2}, flatten, relu]", input="[30, 4, 4]"
    )
    assert list(found.values()) == pytest.approx([RELU], abs=0.051)


@pytest.mark.parametrize(
    ("init", "gain"), [("xavier", 1.0), ("{xavier: {gain: auto}}", RELU), ("{kaiming: {gain: 3}}", 3)]
)
def test_other_gains_where_the_spec_says_so(init: str, gain: float) -> None:
    found = deviations("[{linear: 300}, relu]", input="[300]", model=f"init: {init}")
    assert list(found.values()) == pytest.approx([gain], abs=0.06)


# order and names


def test_tensors_come_in_the_order_of_writing() -> None:
    layers = """
    - conv: 4
    - head: {name: aux, layers: [flatten, {linear: 2}]}
    - residual: {shortcut: [{conv: {channels: 4, kernel: 1}}], body: [{conv: 4}, batch_norm]}
    - branches: {merge: add, paths: [[{conv: 4}], [{scale: multiplier}]]}
    - flatten
    - highway: {gate: [{linear: $in}, sigmoid], body: [{linear: $in}]}
    """
    names = list(network(layers, input="[3, 2, 2]").state_dict())
    pair = ("weight", "bias")
    expected = [f"conv1.{name}" for name in pair]
    expected += [f"aux.linear1.{name}" for name in pair]
    expected += [f"residual1.body.conv1.{name}" for name in pair]
    norm = (*pair, "running_mean", "running_var", "num_batches_tracked")
    expected += [f"residual1.body.batch_norm1.{name}" for name in norm]
    expected += [f"residual1.shortcut.conv1.{name}" for name in pair]
    expected += [f"branches1.paths1.conv1.{name}" for name in pair]
    expected += [name for name in names if name.startswith("branches1.paths2.scale1.")]
    expected += [f"highway1.body.linear1.{name}" for name in pair]
    expected += [f"highway1.gate.linear1.{name}" for name in pair]
    assert names == expected
    assert len([name for name in names if "scale1" in name]) == 1


def test_every_module_has_its_layers_path_and_every_parameter_is_counted() -> None:
    built = graph(NET)
    compiled = compile_graph(built)
    modules = dict(compiled.named_modules())
    for row, leaf in zip(built.rows, leaves(built.network), strict=True):
        assert sum(tensor.numel() for tensor in modules[leaf.path].parameters()) == row.params
    assert sum(tensor.numel() for tensor in compiled.parameters()) == built.parameters


def test_the_turns_of_a_repeat_share_nothing() -> None:
    built = network("[{repeat: {times: 3, layers: [{linear: 4}]}}]", input="[4]")
    weights = [built.get_parameter(f"repeat1.{turn}.linear1.weight") for turn in (1, 2, 3)]
    assert len({weight.data_ptr() for weight in weights}) == 3
    assert not torch.equal(weights[0], weights[1])
    assert sum(1 for _ in built.parameters()) == 6


# a plain torch module

TAGGED = "[{linear: 4}, {tag: a}, {head: {name: aux, eval: true, layers: [{linear: 2}]}}, {from: {tag: a, merge: add}}]"


@pytest.mark.parametrize("layers", ["[{linear: 4}, relu]", TAGGED])
def test_it_moves_copies_and_saves_as_any_module_does(layers: str) -> None:
    import copy
    import io

    built, x = network(layers, input="[5]"), torch.randn(3, 5)
    expected = built(x)
    double = copy.deepcopy(built).double()
    assert {tensor.dtype for tensor in double.parameters()} == {torch.float64}
    assert torch.allclose(double(x.double()).float(), expected, atol=1e-6)
    assert all(tensor.is_meta for tensor in copy.deepcopy(built).to("meta").parameters())
    stream = io.BytesIO()
    torch.save(built.state_dict(), stream)
    stream.seek(0)
    other = network(layers, "seed: 9", input="[5]")
    other.load_state_dict(torch.load(stream, weights_only=True))
    assert torch.equal(other(x), expected)
    assert not built.eval().training
    assert not any(part.training for part in built.modules())


def test_forward_is_the_output_and_outputs_adds_tags_and_heads() -> None:
    built, x = network(TAGGED, input="[5]"), torch.randn(3, 5)
    found = built.outputs(x)
    assert list(found) == ["a", "aux", "output"]
    assert torch.equal(found["output"], built(x))
    assert torch.equal(built.outputs({"input": x})["output"], built({"input": x}))
    assert set(network("[relu]", input="[5]").outputs(x)) == {"output"}


def test_a_pass_leaves_nothing_behind_for_the_next() -> None:
    built = network(TAGGED, input="[5]")
    first, second = torch.randn(3, 5), torch.randn(2, 5)
    expected = built(second)
    built(first)
    assert torch.equal(built(second), expected)


def test_gradients_reach_every_parameter() -> None:
    built = network(NET)
    built(torch.randn(4, 3, 8, 8)).square().sum().backward()
    assert all(tensor.grad is not None and torch.isfinite(tensor.grad).all() for tensor in built.parameters())


def test_compile_model_takes_a_spec() -> None:
    text = "name: x\nmodel:\n  input: [3, 8, 8]\n  layers:\n" + indent(NET, "    ")
    built: Graph = build_text(text)
    assert same(compile_model(loads(text)), compile_graph(built))
