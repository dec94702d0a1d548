"""Where a gradient check is easily wrong: no effect, shared modules, short types, gradients that are not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from benchmarks.planted_errors import PARAMETER, SIGNAL, with_wrong_parameter, with_wrong_signal
from nnctl.diagnosis.gradient.check import gradcheck
from nnctl.diagnosis.gradient.result import GradcheckResult, TensorCheck
from nnctl.errors import UsageError
from nnctl.network.compile import compile_model
from tests.diagnosis.helpers import normal, spec_of

X, Y = normal(6, 5), normal(6, 3, seed=1)


def named(result: GradcheckResult) -> dict[str, TensorCheck]:
    return {tensor.name: tensor for tensor in result.tensors}


def test_a_bias_before_batch_norm_has_no_effect() -> None:
    """Batch norm takes the mean off: neither differences nor back-propagation give more than rounding."""
    result = gradcheck(spec_of([{"linear": 6}, "batch_norm", "tanh", {"linear": 3}], model={"input": [5]}), strict=True)
    bias = named(result)["linear1.bias"]
    assert (result.verdict, result.terms) == ("pass", {"cross_entropy": "pass"})
    assert bias.reason == "without effect: nothing of it is left behind batch_norm1"
    assert bias.gradient_norm < 1e-15
    assert bias.relative_error is not None
    assert bias.relative_error < 1e-10


def test_a_gradient_where_there_is_no_effect_fails() -> None:
    spec = spec_of([{"linear": 6}, "batch_norm", "tanh", {"linear": 3}], model={"input": [5]})
    wrong = with_wrong_parameter(compile_model(spec), "linear1.bias", lambda g, x: g + 1e-6)
    assert [tensor.name for tensor in gradcheck(wrong, spec).failed] == ["linear1.bias"]


def test_an_effect_that_fades_layer_by_layer_is_not_taken_for_none() -> None:
    layers: list[Any] = [{"repeat": {"times": 30, "layers": [{"linear": 16}, "sigmoid"]}}, {"linear": 3}]
    first = named(gradcheck(spec_of(layers, model={"input": [8], "init": "xavier"})))["repeat1.1.linear1.weight"]
    assert first.verdict == "inconclusive"


def test_a_wrong_layer_too_deep_to_be_seen_fails_by_itself() -> None:
    """Its error reaches the loss as 1e-10 of nothing: no difference of the whole network can tell."""
    layers: list[Any] = [{"repeat": {"times": 14, "layers": [{"linear": 4}, "sigmoid"]}}, {"linear": 2}]
    spec = spec_of(layers, model={"input": [4], "init": "xavier"})
    right = gradcheck(spec)
    assert (right.verdict, right.layers) == ("inconclusive", ())
    wrong = gradcheck(with_wrong_signal(compile_model(spec), "repeat1.1.sigmoid1", SIGNAL["δ detached"]), spec)
    assert [layer.path for layer in wrong.layers] == ["repeat1.1.sigmoid1"]
    assert wrong.verdict == "fail"


def test_units_that_are_all_dead_leave_nothing_behind() -> None:
    net = nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 3))
    with torch.no_grad():
        net.get_parameter("0.bias").fill_(-100.0)
    assert named(gradcheck(net, (X, Y), mse_loss))["0.weight"].reason == (
        "without effect: nothing of it is left behind 1"
    )


class Shared(nn.Module):
    """One layer called twice, under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.last = nn.Linear(5, 5), nn.Linear(5, 3)
        self.again = self.inner

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(torch.tanh(self.again(torch.tanh(self.inner(x)))))
        return y


def test_forward_mode_sees_a_module_under_two_names() -> None:
    net = Shared()
    result = gradcheck(net, (X, Y), mse_loss)
    assert result.verdict == "pass"
    assert result.adjoint.error is not None
    assert result.adjoint.error < 1e-12
    assert list(dict(net.named_parameters())) == ["inner.weight", "inner.bias", "last.weight", "last.bias"]


class Squared(torch.autograd.Function):
    """x² with a right backward and a wrong forward-mode formula."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x * x

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        result: Tensor = 2 * ctx.saved_tensors[0] * gradients[0]
        return result

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        result: Tensor = 3 * ctx.saved_tensors[0] * tangents[0]
        return result


class Apply(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = Squared.apply(x)
        return y


def test_a_wrong_forward_mode_is_said() -> None:
    result = gradcheck(nn.Sequential(nn.Linear(5, 3), Apply()), (X, Y), mse_loss)
    assert (result.verdict, result.adjoint.agrees) == ("pass", False)
    assert "forward mode disagrees" in str(result)


class Short(nn.Linear):
    """Computes in float32 whatever it is given."""

    factor = 0.0

    def forward(self, x: Tensor) -> Tensor:
        wrong = self.weight + self.factor * (self.weight.detach() - self.weight)
        return nn.functional.linear(x.float(), wrong.float())


def test_what_passes_through_float32_is_held_to_what_that_resolves() -> None:
    right = gradcheck(Short(5, 3), (X, Y), mse_loss)
    assert right.verdict == "inconclusive"
    assert not right.failed
    assert "float32 inside of the network" in str(right)
    wrong = Short(5, 3)
    wrong.factor = 0.01
    assert "weight" in [tensor.name for tensor in gradcheck(wrong, (X, Y), mse_loss).failed]


def test_a_gradient_that_is_not_finite_fails() -> None:
    net = with_wrong_parameter(nn.Sequential(nn.Linear(5, 3)), "0.weight", lambda g, _: g / 0)
    result = gradcheck(net, (X, Y), mse_loss)
    assert named(result)["0.weight"].reason == "the gradient is not finite, the loss is"
    assert [tensor.name for tensor in result.failed] == ["0.weight"]


def test_a_layer_on_kinks_is_told_by_itself_beside_them() -> None:
    """Behind a ReLU many windows of the pool hold equal zeros."""
    spec = spec_of([{"conv": 4}, "relu", {"max_pool": 2}, "flatten", {"linear": 3}], model={"input": [2, 6, 6]})
    net = with_wrong_signal(compile_model(spec), "max_pool1", SIGNAL["δ of samples exchanged"])
    assert [layer.path for layer in gradcheck(net, spec).layers] == ["max_pool1"]


@pytest.mark.parametrize(("mistake", "error"), [("sign", 2.0), ("twice", 0.5), ("detached", 1.0)])
def test_the_error_of_a_factor_is_exact(mistake: str, error: float) -> None:
    net = with_wrong_parameter(
        nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)), "0.weight", PARAMETER[mistake]
    )
    assert named(gradcheck(net, (X, Y), mse_loss))["0.weight"].relative_error == pytest.approx(error, rel=1e-5)


class Loss(torch.autograd.Function):
    """The mean of squares, its gradient without 1/B."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, target: Tensor) -> Tensor:
        ctx.save_for_backward(output - target)
        return (output - target).square().mean()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (rest,) = ctx.saved_tensors
        return 2 * rest * gradients[0] / rest.shape[1], None


def test_a_wrong_loss_is_told_from_wrong_layers() -> None:
    net = nn.Sequential(nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 3))
    result = gradcheck(net, (X, Y), Loss.apply)
    assert result.alike
    assert "6 times too large: the mean over the batch is missing" in str(result)
    assert "look at the loss" in str(result)
    assert result.taylor is not None
    assert result.taylor.slope == pytest.approx(1, abs=0.01)
    one = with_wrong_parameter(net, "0.weight", PARAMETER["twice"])
    assert not gradcheck(one, (X, Y), mse_loss).alike


def test_jointly_terms_and_tensors_agree() -> None:
    """A term whose part in some tensor is small was called inconclusive beside tensors that all pass."""
    layers: list[Any] = [{"linear": 5}, "tanh", {"tag": "features"}, {"linear": 3}]
    losses: list[Any] = ["cross_entropy", {"mse": {"at": "features", "target": "data.input", "weight": 1e-5}}]
    target = (torch.arange(6) % 3).to(torch.int64)
    result = gradcheck(spec_of(layers, X, target, loss=losses), joint=True)
    assert (result.verdict, set(result.terms.values())) == ("pass", {"pass"})


def test_tiny_weights_with_a_large_gain_are_resolved() -> None:
    """The rounding is measured in the tensor's own unit: steps of 1e-12 are large beside weights of 1e-10."""

    class Gain(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.sin(x * 1e10)

    layer = nn.Linear(5, 3, bias=False)
    with torch.no_grad():
        layer.weight.mul_(1e-10)
    found = named(gradcheck(nn.Sequential(layer, Gain()), (X, Y), mse_loss))
    assert found["0.weight"].verdict == "pass"


def test_frozen_weights_are_told() -> None:
    net = nn.Sequential(nn.Linear(5, 5).requires_grad_(False), nn.Tanh(), nn.Linear(5, 3))
    assert gradcheck(net, (X, Y), mse_loss).frozen == ("0.weight", "0.bias")


def test_what_is_no_tensor_is_said() -> None:
    net = nn.Linear(5, 3)
    with pytest.raises(UsageError, match=r"torch\.from_numpy"):
        gradcheck(net, (np.zeros((6, 5)), Y), mse_loss)
    with pytest.raises(UsageError, match=r"without `\.item\(\)`"):
        gradcheck(net, (X, torch.arange(6) % 3), lambda output, y: cross_entropy(output, y).item())  # type: ignore[arg-type,return-value]
