"""The other views of a gradient that `gradcheck` takes: by step, in float32, with running statistics."""

from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from benchmarks.planted_errors import PARAMETER, with_wrong_parameter
from nnctl.cli.app import main
from nnctl.diagnosis.gradient.check import gradcheck
from nnctl.network.compile import compile_model
from tests.diagnosis.helpers import normal, spec_of

SMOOTH = spec_of([{"linear": 5}, "tanh", {"linear": 3}], model={"input": [4]})


def between(steps: tuple[float, ...], low: float, high: float) -> list[int]:
    return [place for place, step in enumerate(steps) if low * 0.99 < step < high * 1.01]


def test_the_error_falls_with_the_square_of_the_step_until_rounding() -> None:
    curve = gradcheck(SMOOTH, curve=True).curve
    assert curve is not None
    first, *_, last = between(curve.steps, 1e-3, 1e-1)
    slope = log(curve.errors[first] / curve.errors[last]) / log(curve.steps[first] / curve.steps[last])
    assert slope == pytest.approx(2, abs=0.05)
    tail = between(curve.steps, 1e-11, 1e-8)
    assert all(curve.errors[place] < 10 * curve.floors[place] for place in tail)
    assert max(curve.errors[place] for place in tail) > 1e-8
    assert not any(curve.crossed)


def test_of_a_quadratic_loss_differences_are_exact_but_for_rounding() -> None:
    module = nn.Sequential(nn.Embedding(4, 2), nn.Flatten()).double()
    curve = gradcheck(module, (torch.arange(4), normal(4, 2, seed=1)), mse_loss, curve=True).curve
    assert curve is not None
    assert all(curve.errors[place] < 20 * curve.floors[place] for place in between(curve.steps, 1e-11, 1e-1))


def test_of_a_wrong_gradient_the_error_comes_to_rest() -> None:
    net = with_wrong_parameter(compile_model(SMOOTH), "linear2.weight", PARAMETER["twice"])
    curve = gradcheck(net, SMOOTH, curve=True).curve
    assert curve is not None
    flat = [curve.errors[place] for place in between(curve.steps, 1e-8, 1e-4)]
    assert max(flat) == pytest.approx(min(flat), rel=1e-3)
    assert min(flat) > 0.1


def test_kinks_within_the_step_are_marked() -> None:
    curve = gradcheck(spec_of([{"linear": 64}, "relu", {"linear": 3}], model={"input": [4]}), curve=True).curve
    assert curve is not None
    assert curve.crossed[0]
    assert not curve.crossed[-1]


def test_what_float32_makes_of_a_gradient() -> None:
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    x, y = normal(5, 6), torch.tensor([0, 2, 1, 1, 0])
    found = {t.name: t.float32_error for t in gradcheck(net, (x, y), cross_entropy).tensors}
    with torch.no_grad():
        narrow, wide = net.float(), x.float()
    loss = cross_entropy(narrow(wide), y)
    own = dict(zip(dict(net.named_parameters()), torch.autograd.grad(loss, list(net.parameters())), strict=True))
    exact = cross_entropy(net.double()(x), y)
    for (name, p), g in zip(net.named_parameters(), torch.autograd.grad(exact, list(net.parameters())), strict=True):
        assert p.dtype == torch.float64
        expected = float((own[name].double() - g).norm() / g.norm())
        assert 1e-9 < expected < 1e-5
        assert found[name] == pytest.approx(expected, rel=1e-6)


class Faint(nn.Module):
    """Scales its weight by 1e-25 twice: float32 ends at 1e-38."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight * 1e-25 * 1e-25).sum()


def test_an_underflow_is_an_error_of_one() -> None:
    result = gradcheck(Faint(), (normal(2, 3), None), lambda output, _: output)
    assert [t.float32_error for t in result.tensors if t.name == "weight"] == [1.0]


def test_passes_with_noise_of_their_own_are_not_compared() -> None:
    noisy: list[Any] = [{"linear": 5}, "noisy_relu", {"linear": 3}]
    assert all(t.float32_error is None for t in gradcheck(spec_of(noisy, model={"input": [4]})).tensors)
    dropped: list[Any] = [{"linear": 5}, {"dropout": 0.5}, {"linear": 3}]
    assert all(t.float32_error is not None for t in gradcheck(spec_of(dropped, model={"input": [4]})).tensors)


class HalfInEvaluation(nn.BatchNorm1d):
    """Batch norm whose gradients are half of the right ones in evaluation alone."""

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return y if self.training else y / 2 + y.detach() / 2


def network(norm: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 5, bias=False), norm, nn.Tanh(), nn.Linear(5, 3)).train()


def test_batch_norm_is_also_checked_as_in_evaluation() -> None:
    data = (normal(6, 4), torch.arange(6) % 3)
    right = gradcheck(network(nn.BatchNorm1d(5)), data, cross_entropy)
    assert right.running is not None
    assert (right.verdict, right.running.verdict, right.running.failed) == ("pass", "pass", ())
    wrong = gradcheck(network(HalfInEvaluation(5)), data, cross_entropy)
    assert wrong.running is not None
    assert {tensor.verdict for tensor in wrong.tensors} <= {"pass", "inconclusive"}
    assert (wrong.verdict, wrong.running.verdict) == ("fail", "fail")
    assert set(wrong.running.failed) >= {"0.weight", "1.weight", "1.bias"}
    assert "3.weight" not in wrong.running.failed
    assert gradcheck(SMOOTH).running is None


def test_the_picture(tmp_path: Path) -> None:
    spec, picture = tmp_path / "small.yaml", tmp_path / "check.svg"
    spec.write_text("name: small\nmodel:\n  input: [3]\n  layers:\n    - linear: 4\n    - tanh\n    - linear: 2\n")
    with pytest.raises(SystemExit) as stop:
        main(["gradcheck", str(spec), "--svg", str(picture)])
    assert stop.value.code == 0
    assert picture.read_text().count("<polyline") == 4


@pytest.mark.parametrize("command", [["gradcheck", "--svg"], ["inspect", "--html"]])
def test_a_spec_is_not_overwritten_by_a_picture(command: list[str], tmp_path: Path) -> None:
    spec = tmp_path / "small.yaml"
    spec.write_text("name: small\n")
    name, option = command
    with pytest.raises(SystemExit) as stop:
        main([name, str(spec), option, str(spec)])
    assert stop.value.code == 2
    assert spec.read_text() == "name: small\n"
