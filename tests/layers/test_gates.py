"""Squeeze-and-excitation and stochastic depth, as torchvision has them."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torchvision.ops import SqueezeExcitation

from nnctl.graph.build import build_text
from nnctl.network.compile import compile_graph
from tests.components import image, layer, materialise, normal


@pytest.mark.parametrize(("activation", "cls"), [("relu", nn.ReLU), ("silu", nn.SiLU)])
def test_squeeze_excite_is_torchvisions(activation: str, cls: type[nn.Module]) -> None:
    reference = SqueezeExcitation(6, 2, activation=cls)
    module = materialise(layer(f"squeeze_excite: {{squeeze: 2, activation: {activation}}}"), image(6, 4, 3))
    theirs, ours = reference.state_dict(), module.state_dict()
    assert [tensor.shape for tensor in ours.values()] == [tensor.shape for tensor in theirs.values()]
    module.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    batch = normal(3, 6, 4, 3)
    torch.testing.assert_close(module(batch), reference(batch))


def test_squeeze_excite_knows_every_activation() -> None:
    plain, learned = (layer(f"squeeze_excite: {{squeeze: 2, activation: {name}}}") for name in ("tanh", "prelu"))
    assert learned.parameters(image(6, 4)) - plain.parameters(image(6, 4)) == 2


def test_squeeze_excite_draws_each_convolution_for_what_follows_it() -> None:
    text = "name: a\nmodel: {input: [4000, 2, 2], layers: [{squeeze_excite: 1000}, conv: 1, tanh]}"
    state = compile_graph(build_text(text)).state_dict()
    squeeze, excite = state["squeeze_excite1.squeeze.weight"], state["squeeze_excite1.excite.weight"]
    assert squeeze.var().item() == pytest.approx(2 / 4000, rel=0.02)  # a ReLU follows
    assert excite.var().item() == pytest.approx(1 / 1000, rel=0.02)  # a sigmoid follows
    assert not state["squeeze_excite1.squeeze.bias"].any()
    assert not state["squeeze_excite1.excite.bias"].any()


@pytest.mark.parametrize("text", ["stochastic_depth: 0.25", "stochastic_depth: {keep: 0.75}"])
def test_stochastic_depth_drops_whole_samples(text: str) -> None:
    module, batch = materialise(layer(text), image(2, 3)), torch.ones(20_000, 2, 3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        result = module(batch).flatten(1)
    assert (result == result[:, :1]).all()
    torch.testing.assert_close(result[:, 0].unique(), torch.tensor([0.0, 1 / 0.75]))
    assert (result[:, 0] == 0).double().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(module.eval()(batch), batch)


def test_a_rate_of_zero_drops_nothing() -> None:
    batch = normal(5, 2, 3)
    assert torch.equal(materialise(layer("stochastic_depth: 0"), image(2, 3))(batch), batch)
