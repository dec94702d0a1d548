"""Restricted Boltzmann machines, against machines so small that all their states can be written down."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

import nnctl
from nnctl.data.split import Batch
from nnctl.errors import SpecError
from nnctl.graph.build import build, build_text
from nnctl.kinds.losses.contrastive_divergence import ContrastiveDivergence
from nnctl.modules.rbm import RBM, softplus_integral
from nnctl.network.compile import compile_graph
from nnctl.objective import Objective
from tests.training.helpers import last_tensors, spec_of

Values = NDArray[Any]


def bits(n: int) -> Values:
    return np.array(list(itertools.product([0.0, 1.0], repeat=n)))


def machine(hidden: Any = "binary", visible: Any = "binary", inputs: int = 4, units: int = 3) -> RBM:
    torch.manual_seed(2)
    rbm = RBM(inputs, units, hidden, visible).double()
    with torch.no_grad():
        for parameter in rbm.parameters():
            parameter.normal_(0, 0.8)
    return rbm


def likelihoods(weight: Values, bias: Values, visible_bias: Values) -> Values:
    """Return p(v) of every v, from the 2⁷ energies E(v, h) = −b·v − c·h − h·W v."""
    v, h = bits(weight.shape[1]), bits(weight.shape[0])
    joint = np.exp((v @ visible_bias)[:, None] + (h @ bias)[None] + v @ weight.T @ h.T)
    return np.asarray(joint.sum(1) / joint.sum())


def arrays(rbm: RBM) -> tuple[Values, Values, Values]:
    weight, bias, visible = (t.detach().numpy() for t in (rbm.weight, rbm.bias, rbm.visible_bias))
    return weight, bias, visible


def test_the_free_energy_is_that_of_all_states() -> None:
    rbm = machine()
    energies = -rbm.free_energy(torch.tensor(bits(4))).detach().numpy()
    found = np.exp(energies - energies.max())
    np.testing.assert_allclose(found / found.sum(), likelihoods(*arrays(rbm)), rtol=1e-12)


def test_with_gaussian_visible_units_it_is_a_mixture_of_normals() -> None:
    rbm = machine(visible="gaussian", inputs=2)
    weight, bias, visible = arrays(rbm)
    v = np.array([[0.3, -1.2], [2.0, 0.1]])
    h = bits(3)
    energy = 0.5 * ((v - visible) ** 2).sum(1)[:, None] - (h @ bias)[None] - v @ weight.T @ h.T
    expected = -np.log(np.exp(-energy).sum(1))
    np.testing.assert_allclose(rbm.free_energy(torch.tensor(v)).detach().numpy(), expected, rtol=1e-12)


def test_gibbs_sampling_draws_from_the_machine() -> None:
    rbm = machine()
    torch.manual_seed(0)
    v = rbm.sample(torch.zeros(40_000, 4, dtype=torch.float64), steps=30)
    states = (v @ torch.tensor([8.0, 4.0, 2.0, 1.0], dtype=torch.float64)).long()
    shares = torch.bincount(states, minlength=16).double().numpy() / len(v)
    np.testing.assert_allclose(shares, likelihoods(*arrays(rbm)), atol=4 * np.sqrt(0.25 / len(v)))


def test_noisy_relus_draw_with_the_variance_of_a_sigmoid() -> None:
    rbm = machine("noisy_relu")
    torch.manual_seed(0)
    x = torch.full((100_000,), 6.0, dtype=torch.float64)  # so large that nothing is cut off
    drawn = rbm._draw_hidden(x)
    assert drawn.mean().item() == pytest.approx(6, abs=0.02)
    assert drawn.var().item() == pytest.approx(1 / (1 + np.exp(-6)), rel=0.03)


def test_gaussian_visible_units_have_variance_1() -> None:
    rbm = machine(visible="gaussian")
    torch.manual_seed(0)
    drawn = rbm._draw_visible(torch.full((100_000,), -3.0, dtype=torch.float64))
    assert (drawn.mean().item(), drawn.var().item()) == pytest.approx((-3, 1), abs=0.03)


def test_the_softplus_integral() -> None:
    x = torch.linspace(-12, 12, 49, dtype=torch.float64).requires_grad_()
    value = softplus_integral(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(slope, torch.nn.functional.softplus(x.detach()), rtol=1e-9, atol=1e-12)
    grid = np.linspace(-40, 12, 2_000_001)
    steps = np.logaddexp(0, grid)
    integral = np.concatenate([[0], np.cumsum((steps[1:] + steps[:-1]) / 2 * (grid[1] - grid[0]))])
    expected = np.interp(x.detach().numpy(), grid, integral)
    np.testing.assert_allclose(value.detach().numpy(), expected, atol=1e-8)


# the loss


def network(layers: str, loss: str, data: str = "{dataset: digits}") -> str:
    recipe = f"{{epochs: 1, loss: {loss}, optimizer: {{sgd: 0.1}}}}"
    return f"{{name: a, data: {data}, model: {{layers: {layers}}}, train: {recipe}}}"


@pytest.mark.parametrize("hidden", ["binary", "noisy_relu"])
@pytest.mark.parametrize("steps", [1, 3])
def test_the_gradient_is_that_of_contrastive_divergence(hidden: str, steps: int) -> None:
    layers = f"[flatten, {{rbm: {{features: 3, hidden: {hidden}, visible: gaussian}}}}]"
    net = compile_graph(build_text(network(layers, "contrastive_divergence"))).double()
    rbm = net.get_submodule("rbm1")
    assert isinstance(rbm, RBM)
    batch = Batch({"input": torch.randn(5, 1, 8, 8, dtype=torch.float64)}, torch.zeros(5, dtype=torch.long))
    objective = Objective([ContrastiveDivergence(steps=steps)])
    torch.manual_seed(4)
    torch.autograd.backward(objective(objective.forward(net, batch)))

    v = batch.inputs["input"].flatten(1)
    torch.manual_seed(4)
    dreamt = rbm.sample(v, steps)

    def mean(v: Tensor) -> Tensor:
        x = v @ rbm.weight.detach().T + rbm.bias.detach()
        return x.sigmoid() if hidden == "binary" else torch.log1p(x.exp())

    torch.testing.assert_close(rbm.weight.grad, (mean(dreamt).T @ dreamt - mean(v).T @ v) / 5)
    torch.testing.assert_close(rbm.bias.grad, (mean(dreamt) - mean(v)).mean(0))
    torch.testing.assert_close(rbm.visible_bias.grad, (dreamt - v).mean(0))  # of ½‖v − b‖²


def test_layers_before_the_machine_get_no_gradient() -> None:
    net = compile_graph(build_text(network("[flatten, {linear: 5}, sigmoid, {rbm: 3}]", "contrastive_divergence")))
    batch = Batch({"input": torch.randn(5, 1, 8, 8)}, torch.zeros(5, dtype=torch.long))
    objective = Objective([ContrastiveDivergence()])
    torch.autograd.backward(objective(objective.forward(net, batch)))
    assert net.get_parameter("linear1.weight").grad is None


def test_evaluation_measures_the_reconstruction() -> None:
    net = compile_graph(build_text(network("[flatten, {rbm: 3}]", "contrastive_divergence"))).eval()
    batch = Batch({"input": torch.randn(5, 1, 8, 8)}, torch.zeros(5, dtype=torch.long))
    objective = Objective([ContrastiveDivergence()])
    v = batch.inputs["input"].flatten(1)
    weight, bias, visible = (t.detach() for t in net.get_submodule("rbm1").parameters())
    back = torch.sigmoid(torch.sigmoid(v @ weight.T + bias) @ weight + visible)
    torch.testing.assert_close(objective(objective.forward(net, batch)).detach(), (v - back).square().mean())


def test_the_exact_likelihood_of_a_4_by_3_machine_rises(tmp_path: Path) -> None:
    patterns = [[1.0, 1.0, 0.0, 0.0]] * 5 + [[0.0, 0.0, 1.0, 1.0]] * 4 + [[1.0, 0.0, 1.0, 0.0]] * 3
    data = {"dataset": {"points": {"x": patterns, "y": [0] * 12}}, "validation": 0}
    recipe: dict[str, Any] = {
        "loss": {"contrastive_divergence": {"steps": 2}},
        "batch_size": "all",
        "optimizer": {"sgd": 0.3},
    }
    places = [int("".join(str(int(bit)) for bit in pattern), 2) for pattern in patterns]

    def log_likelihood(epochs: int) -> float:
        spec = spec_of(data=data, layers=[{"rbm": 3}], **{**recipe, "epochs": max(epochs, 1)})
        tensors: dict[str, Tensor] = dict(compile_graph(build(spec)).state_dict())
        if epochs:
            nnctl.train(spec, run=tmp_path / str(epochs))
            tensors = {name.removeprefix("model:"): t for name, t in last_tensors(tmp_path / str(epochs)).items()}
        weight, bias, visible = (
            tensors[f"rbm1.{name}"].double().numpy() for name in ("weight", "bias", "visible_bias")
        )
        return float(np.log(likelihoods(weight, bias, visible)[places]).mean())

    course = [log_likelihood(epochs) for epochs in (0, 30, 150, 600)]
    assert course[0] == pytest.approx(np.log(1 / 16), abs=0.01)
    assert course == sorted(course)
    best = float(np.mean([np.log(patterns.count(pattern) / 12) for pattern in patterns]))  # minus the data's entropy
    assert best - 0.35 < course[-1] < best


REFUSED = [
    ("[flatten, {linear: 10}]", "contrastive_divergence", "no layer is named; the network has none"),
    ("[flatten, {rbm: 5}, {rbm: 3}]", "contrastive_divergence", "no layer is named; the network has rbm1, rbm2"),
    ("[flatten, {rbm: 5}]", "{contrastive_divergence: {layer: rbm2}}", "`rbm2` is none; the network has rbm1"),
]


@pytest.mark.parametrize(("layers", "loss", "detail"), REFUSED)
def test_it_needs_one_machine(layers: str, loss: str, detail: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(network(layers, loss))
    (problem,) = caught.value.problems
    assert problem.details == (detail,)


def test_a_term_for_each_of_two_machines() -> None:
    losses = "[{contrastive_divergence: {layer: rbm1}}, {contrastive_divergence: {layer: rbm2}}]"
    graph = build_text(network("[flatten, sigmoid, {rbm: 5}, {rbm: 3}]", losses))
    assert not graph.warnings
    net = compile_graph(graph)
    assert graph.spec.train is not None
    objective = Objective(graph.spec.train.loss)
    batch = Batch({"input": torch.randn(5, 1, 8, 8)}, torch.zeros(5, dtype=torch.long))
    torch.autograd.backward(objective(objective.forward(net, batch)))
    for parameter in net.parameters():
        assert parameter.grad is not None


def test_binary_units_for_standardised_numbers_are_a_warning() -> None:
    def codes(layers: str, data: str = "{dataset: digits}") -> list[str]:
        return [p.code for p in build_text(network(layers, "contrastive_divergence", data)).warnings]

    assert codes("[flatten, {rbm: 5}]") == ["rbm-range"]
    assert codes("[flatten, {rbm: {features: 5, visible: gaussian}}]") == []
    assert codes("[flatten, sigmoid, {rbm: 5}]") == []
    assert "rbm-range" not in codes("[{rbm: 3}]", "{dataset: {points: {x: [[0.0], [1.0]], y: [0, 0]}}, validation: 0}")
