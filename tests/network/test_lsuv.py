"""LSUV: orthonormal weights, scaled layer after layer until each output has variance 1 on a batch of the data."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import nnctl
from nnctl.checkpoint import read_weights
from nnctl.errors import SpecError
from nnctl.graph.build import Graph, build_text
from nnctl.network.compile import compile_graph
from nnctl.network.lsuv import lsuv_layers, scale_by_data
from nnctl.network.modules import Network

SPEC = """
name: lsuv
data: {dataset: digits}
model:
  init: {lsuv: {tolerance: 0.02}}
  layers:
    - {conv: 6}
    - relu
    - residual: {body: [{conv: 6}, tanh, {conv: 6}], shortcut: identity}
    - flatten
    - {linear: 30}
    - batch_norm
    - sigmoid
    - {maxout: 20}
    - {linear: {features: 12, init: xavier, name: other}}
    - {linear: $classes}
train: {epochs: 1, loss: cross_entropy, optimizer: {sgd: 1.0e-12}}
"""
PATHS = ["conv1", "residual1.body.conv1", "residual1.body.conv2", "linear1", "maxout1", "linear3"]


@pytest.fixture(scope="module")
def graph() -> Graph:
    return build_text(SPEC)


def batch() -> Tensor:
    """Return inputs whose variance is far from 1."""
    return 7 * torch.randn(64, 1, 8, 8, generator=torch.Generator().manual_seed(1)) + 2


def variances(net: Network) -> dict[str, float]:
    """Return the variance of every layer's output on the batch."""
    found: dict[str, float] = {}

    def note(path: str, module: nn.Module) -> None:
        module.register_forward_hook(lambda _, __, output: found.__setitem__(path, output.var().item()))

    for path in PATHS:
        note(path, net.get_submodule(path))
    with torch.no_grad():
        net(batch())
    return found


def test_every_layer_gives_variance_1_on_the_batch(graph: Graph) -> None:
    assert list(lsuv_layers(graph)) == PATHS
    net = compile_graph(graph)
    assert max(abs(variance - 1) for variance in variances(net).values()) > 10
    net = compile_graph(graph)
    scale_by_data(net, lsuv_layers(graph), {"input": batch()}, seed=0)
    assert variances(net) == pytest.approx(dict.fromkeys(PATHS, 1.0), abs=0.02)


def test_a_weight_is_scaled_by_one_number_and_all_else_left_alone(graph: Graph) -> None:
    net = compile_graph(graph)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    random = torch.get_rng_state()
    scale_by_data(net, lsuv_layers(graph), {"input": batch()}, seed=0)
    assert torch.equal(torch.get_rng_state(), random)
    for name, tensor in net.state_dict().items():
        if name.rpartition(".")[0] in PATHS and name.endswith("weight"):
            ratio = tensor / before[name]
            torch.testing.assert_close(ratio, ratio.mean().expand_as(ratio), rtol=1e-4, atol=0)
            assert not torch.equal(tensor, before[name])
        else:  # biases, other layers, and the norm's running averages
            assert torch.equal(tensor, before[name]), name


def test_the_tries_are_counted(graph: Graph) -> None:
    once = build_text(SPEC, ["model.init.lsuv.tries=1", "model.init.lsuv.tolerance=1e-9"])
    net = compile_graph(once)
    scale_by_data(net, lsuv_layers(once), {"input": batch()}, seed=0)
    found = variances(net)
    assert found["linear1"] == pytest.approx(1, abs=1e-5)  # one division is exact for a linear map without bias


def test_a_layer_of_zeros_is_left_as_it_is() -> None:
    graph = build_text("{name: a, model: {input: [4], init: lsuv, layers: [{linear: 3}]}}")
    net = compile_graph(graph)
    scale_by_data(net, lsuv_layers(graph), {"input": torch.zeros(8, 4)}, seed=0)
    weight = net.get_parameter("linear1.weight").detach()
    torch.testing.assert_close(weight @ weight.T, torch.eye(3))  # still orthonormal: compile gives this start


def test_training_and_inspection_start_with_it(graph: Graph, tmp_path: Path) -> None:
    nnctl.train(graph.spec, run=tmp_path / "run")  # its rate is so small that the weights stay what they were
    trained = read_weights(tmp_path / "run").tensors["conv1.weight"].norm().item()
    compiled = compile_graph(graph).get_parameter("conv1.weight").norm().item()
    shown = next(layer for layer in nnctl.inspect(graph.spec).layers if layer.path == "conv1")
    assert abs(trained / compiled - 1) > 0.02
    assert shown.weight_norm == pytest.approx(trained, rel=1e-5)


def test_layers_of_several_weights_are_refused_where_they_stand() -> None:
    layers = "[{patch_embedding: {features: 4, patch: 2}}, {attention: 2}]"
    with pytest.raises(SpecError) as caught:
        build_text(f"{{name: a, model: {{input: [1, 4, 4], init: lsuv, layers: {layers}}}}}")
    (problem,) = caught.value.problems
    assert problem.message == "`lsuv` scales the one weight of a layer; `attention` has 2"
    assert problem.where == "attention1"
