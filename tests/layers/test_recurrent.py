"""rnn, gru and lstm: torch's numbers, the written formulas, and how they start."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from nnctl.graph.build import build_text
from nnctl.network.compile import compile_graph
from tests.components import layer, materialise, normal, tokens

KINDS: dict[str, Callable[..., nn.Module]] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_the_outputs_and_tensors_are_torchs(kind: str, layers: int) -> None:
    dropout = 0.5 if layers > 1 else 0.0
    reference = KINDS[kind](5, 4, layers, batch_first=True, dropout=dropout)
    module = materialise(layer(f"{kind}: {{features: 4, layers: {layers}, dropout: {dropout}}}"), tokens(6, 5))
    assert list(module.state_dict()) == list(reference.state_dict())
    module.load_state_dict(reference.state_dict())
    batch = normal(3, 6, 5)
    for training in (False, True):  # the same masks too
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            ours = module.train(training)(batch)
            torch.manual_seed(0)
            theirs = reference.train(training)(batch)[0]
        assert torch.equal(ours, theirs)


def test_tensors_come_weights_first_and_input_first() -> None:
    names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    for kind in KINDS:
        assert list(materialise(layer(f"{kind}: 2"), tokens(3, 2)).state_dict()) == names


def states(kind: str, step: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Return what the module computes, and what the formula does: (W x + b, U h + c, memory) -> (state, memory)."""
    module = materialise(layer(f"{kind}: 3"), tokens(5, 2)).double()
    batch = normal(4, 5, 2, dtype=torch.float64)
    w, u, b, c = (tensor.detach() for tensor in module.parameters())
    h = memory = torch.zeros(4, 3, dtype=torch.float64)
    found = []
    for x in batch.unbind(1):
        h, memory = step(x @ w.T + b, h @ u.T + c, memory if kind == "lstm" else h)
        found.append(h)
    return module(batch).detach(), torch.stack(found, 1)


def test_rnn_is_its_formula() -> None:
    torch.testing.assert_close(*states("rnn", lambda wx, uh, h: (torch.tanh(wx + uh), h)))
    torch.testing.assert_close(
        *states("lstm", _lstm_step),
    )
    torch.testing.assert_close(*states("gru", _gru_step))


def _lstm_step(wx: Tensor, uh: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    i, f, g, o = (wx + uh).chunk(4, 1)
    memory = f.sigmoid() * memory + i.sigmoid() * g.tanh()
    return o.sigmoid() * memory.tanh(), memory


def _gru_step(wx: Tensor, uh: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    (rx, zx, nx), (rh, zh, nh) = wx.chunk(3, 1), uh.chunk(3, 1)
    z = (zx + zh).sigmoid()
    n = (nx + (rx + rh).sigmoid() * nh).tanh()
    return (1 - z) * n + z * h, h


def test_relu_may_make_the_state() -> None:
    module = materialise(layer("rnn: {features: 3, activation: relu}"), tokens(4, 2))
    reference = nn.RNN(2, 3, nonlinearity="relu", batch_first=True)
    reference.load_state_dict(module.state_dict())
    batch = normal(2, 4, 2)
    assert torch.equal(module(batch), reference(batch)[0])


@pytest.mark.parametrize("kind", KINDS)
def test_costs_are_a_multiply_add_for_each_weight_at_each_token(kind: str) -> None:
    component, x = layer(f"{kind}: {{features: 4, layers: 3}}"), tokens(6, 5)
    weights = GATES[kind] * (4 * 5 + 4 * 4 + 2 * (4 * 4 + 4 * 4))
    assert component.macs(x) == 6 * weights
    assert component.parameters(x) == weights + 3 * 2 * GATES[kind] * 4


def started(entry: str, init: str) -> dict[str, Tensor]:
    text = f"name: a\nmodel: {{input: {{tokens: 2, features: 40}}, {init}layers: [{{{entry}}}]}}"
    state = compile_graph(build_text(text)).state_dict()
    return {name.partition(".")[2]: tensor for name, tensor in state.items()}


@pytest.mark.parametrize("init", ["", "init: zero, "])
@pytest.mark.parametrize("kind", KINDS)
def test_they_start_as_torchs_whatever_the_model_says(kind: str, init: str) -> None:
    for tensor in started(f"{kind}: 100", init).values():
        assert 0.08 < tensor.abs().max().item() <= 0.1
        if tensor.dim() > 1:
            assert tensor.var().item() == pytest.approx(0.01 / 3, rel=0.05)


def test_an_init_of_their_own_fills_gate_by_gate() -> None:
    state = started("lstm: {features: 8, init: orthogonal}", "")
    for gate in state["weight_hh_l0"].chunk(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8))
    for gate in state["weight_ih_l0"].chunk(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(8))
    assert not state["bias_ih_l0"].any()
    assert not state["bias_hh_l0"].any()
    deep = started("gru: {features: 50, layers: 2, init: lecun}", "")
    assert deep["weight_ih_l0"].var().item() == pytest.approx(1 / 40, rel=0.05)
    assert deep["weight_ih_l1"].var().item() == pytest.approx(1 / 50, rel=0.05)
