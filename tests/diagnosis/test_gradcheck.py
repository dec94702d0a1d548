"""What `gradcheck` says of right and of wrong gradients."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

import nnctl
from benchmarks.planted_errors import (
    PARAMETER,
    SIGNAL,
    with_constant_mean,
    with_forgotten_derivative,
    with_wrong_parameter,
    with_wrong_signal,
)
from nnctl.diagnosis.gradient.check import gradcheck
from nnctl.diagnosis.gradient.result import GradcheckResult, TensorCheck
from nnctl.errors import NnctlError, UsageError
from nnctl.network.compile import compile_model
from nnctl.training.run import train
from tests.diagnosis.helpers import normal, spec_of

LAYERS: list[Any] = [{"linear": 6}, "batch_norm", "tanh", {"linear": 6}, "relu", {"linear": 3}]
SPEC = spec_of(LAYERS, model={"input": [5]})
OTHER = spec_of(LAYERS, model={"input": [3]})
KEYS = {"verdict", "tensors", "terms", "data", "samples", "seed", "directions", "loss", "taylor", "adjoint", "layers"}


def named(result: GradcheckResult) -> dict[str, TensorCheck]:
    return {tensor.name: tensor for tensor in result.tensors}


def failing(result: GradcheckResult) -> set[str]:
    return {tensor.name for tensor in result.failed}


def test_the_json_object(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text("name: small\nmodel:\n  input: [3]\n  layers:\n    - linear: 4\n    - tanh\n    - linear: 2\n")
    value = json.loads(json.dumps(nnctl.gradcheck(file).as_json()))
    assert value.keys() >= KEYS
    assert (value["verdict"], value["data"], value["samples"], value["directions"]) == ("pass", "random", 4, 4)
    rows = [(t["name"], t["path"], t["line"], t["verdict"]) for t in value["tensors"]]
    assert rows == [
        ("linear1.weight", "linear1", 5, "pass"),
        ("linear1.bias", "linear1", 5, "pass"),
        ("linear2.weight", "linear2", 7, "pass"),
        ("linear2.bias", "linear2", 7, "pass"),
        ("input", None, None, "pass"),
    ]
    assert all(0 <= t["relative_error"] < 1e-6 and t["step"] == 1e-6 for t in value["tensors"])


def test_norms_are_those_of_the_closed_form() -> None:
    """For ½Σ(Wx − y)² the gradient is (Wx − y)xᵀ."""
    module = nn.Linear(3, 2, bias=False).double()
    x, y = normal(4, 3), normal(4, 2, seed=1)
    result = gradcheck(module, (x, y), lambda output, target: 0.5 * (output - target).square().sum())
    w = module.weight.detach()
    gradient = (x @ w.T - y).T @ x
    assert named(result)["weight"].gradient_norm == pytest.approx(float(gradient.norm()), rel=1e-12)
    assert result.loss == pytest.approx(0.5 * float((x @ w.T - y).square().sum()), rel=1e-12)
    assert result.taylor is not None
    assert result.taylor.slope == pytest.approx(2, abs=1e-3)


def test_forward_mode_agrees() -> None:
    result = gradcheck(SPEC)
    assert result.adjoint.error is not None
    assert result.adjoint.error < 1e-12


@pytest.mark.parametrize("mistake", list(PARAMETER))
def test_a_wrong_weight_gradient_is_found_and_named(mistake: str) -> None:
    net = with_wrong_parameter(compile_model(SPEC), "linear2.weight", PARAMETER[mistake])
    result = gradcheck(net, SPEC)
    assert result.verdict == "fail"
    assert failing(result) == {"linear2.weight"}
    if mistake != "in half precision":  # exact powers of two are lost on the layer's own, larger signal
        assert [(layer.path, layer.wrong) for layer in result.layers] == [("linear2", ("weight",))]


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("1% too large", "1.01 times the right one"),
        ("sign", "the sign is wrong"),
        ("twice", "twice too large"),
        ("missing 1/B", "4 times too large: the mean over the batch is missing"),
        ("detached", "no gradient at all"),
        ("transposed", "transposed"),
        ("one entry twice", "only entry [0, 0]: twice too large"),
        ("two entries exchanged", "entries [0, 0] and [5, 5] are exchanged"),
        ("rows exchanged", "rows 0 and 5 are exchanged"),
        ("first row missing", "only row 0"),
        ("shifted by one row", "shifted by one along the first axis"),
        ("a penalty too many", "-0.01 times the tensor itself is missing"),
        ("mean taken off", "the same number is missing in every entry"),
        ("1% noise", "right but for an error of"),
    ],
)
def test_the_mistake_is_guessed(mistake: str, words: str) -> None:
    net = with_wrong_parameter(compile_model(SPEC), "linear2.weight", PARAMETER[mistake])
    tensor = named(gradcheck(net, SPEC))["linear2.weight"]
    assert tensor.guess is not None
    assert tensor.guess.startswith(words)


def test_rows_and_entries_are_measured() -> None:
    right = compile_model(SPEC)
    net = with_wrong_parameter(right, "linear2.weight", PARAMETER["one entry twice"])
    tensor = named(gradcheck(net, SPEC))["linear2.weight"]
    assert tensor.rows == (0,)
    assert [entry.index for entry in tensor.entries] == [(0, 0)]
    assert tensor.entries[0].backward == pytest.approx(2 * tensor.entries[0].measured, rel=1e-6)


@pytest.mark.parametrize("mistake", list(SIGNAL))
def test_a_wrong_error_signal_is_traced_to_its_layer(mistake: str) -> None:
    result = gradcheck(with_wrong_signal(compile_model(SPEC), "tanh1", SIGNAL[mistake]), SPEC)
    # the bias before batch norm has no gradient that anything could be wrong with
    assert failing(result) - {"linear1.bias"} == {"linear1.weight", "batch_norm1.weight", "batch_norm1.bias", "input"}
    assert [(layer.path, layer.wrong) for layer in result.layers] == [("tanh1", ("input",))]


def test_a_forgotten_derivative() -> None:
    result = gradcheck(with_forgotten_derivative(compile_model(SPEC), "relu1"), SPEC)
    assert [(layer.path, layer.wrong) for layer in result.layers] == [("relu1", ("input",))]
    assert "linear2.weight" in failing(result)
    assert "linear3.weight" not in failing(result)


def test_a_dropped_term_of_batch_norm() -> None:
    result = gradcheck(with_constant_mean(compile_model(SPEC), "batch_norm1"), SPEC)
    assert [(layer.path, layer.wrong) for layer in result.layers] == [("batch_norm1", ("input",))]
    assert failing(result) == {"linear1.weight", "linear1.bias", "input"}


class Square(torch.autograd.Function):
    """A student's own: the derivative of x² is taken for x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        product: Tensor = gradients[0] * x
        return product


class Student(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        hidden: Tensor = Square.apply(self.first(x))
        y: Tensor = self.last(hidden)
        return y


def test_a_students_own_backward() -> None:
    torch.manual_seed(0)
    result = nnctl.gradcheck(Student(), (normal(4, 3).float(), torch.tensor([0, 1, 1, 0])), cross_entropy)
    assert failing(result) == {"first.weight", "first.bias", "input"}
    assert named(result)["first.weight"].guess == "half of what it should be"
    assert (result.data, result.adjoint.error) == ("given", None)
    first, *wrong = str(result).splitlines()
    assert first == "fail: 2 of 5 gradients are right"
    assert len(wrong) == 3
    assert re.fullmatch(r"fail: first\.weight: relative error 5\.0e-01; half of what it should be", wrong[0])


@pytest.mark.parametrize(
    "layers",
    [
        [{"conv": 3}, "relu", {"max_pool": 2}, "flatten", {"linear": 3}],
        [{"conv": {"channels": 3, "bias": False}}, "batch_norm", "gelu", "global_avg_pool", {"linear": 3}],
        ["flatten", {"linear": 8}, {"dropout": 0.5}, "sigmoid", {"linear": 3}],
        ["flatten", {"maxout": 4}, "layer_norm", {"prelu": {}}, {"linear": 3}],
        [{"residual": {"body": [{"conv": 2}, "relu6"]}}, "flatten", {"linear": 3}],
    ],
)
@pytest.mark.parametrize("joint", [False, True])
def test_right_gradients_pass(layers: list[Any], joint: bool) -> None:
    spec = spec_of(layers, model={"input": [2, 4, 4]})
    for seed in range(3):
        assert gradcheck(spec, seed=seed, joint=joint).verdict == "pass"


def test_a_joint_check_finds_the_tensor_by_halves() -> None:
    net = with_wrong_parameter(compile_model(SPEC), "batch_norm1.bias", PARAMETER["1% too large"])
    assert failing(gradcheck(net, SPEC, joint=True)) == {"batch_norm1.bias"}


def test_what_lies_on_a_kink_is_checked_beside_it() -> None:
    """With all weights 0 the ReLU's inputs are exactly 0, and no difference is a gradient there."""
    torch.manual_seed(0)
    first = nn.Linear(3, 4)
    nn.init.zeros_(first.weight)
    nn.init.zeros_(first.bias)
    net = nn.Sequential(first, nn.ReLU(), nn.Linear(4, 1))
    tensors = named(gradcheck(net, (normal(4, 3), normal(4, 1, seed=1)), mse_loss))
    assert {tensor.verdict for tensor in tensors.values()} == {"pass"}
    assert tensors["0.bias"].point == "moved"
    assert tensors["2.bias"].point == "given"


class Clipped(nn.Module):
    """Gradients of 0 where others are right."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.unused = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.used


def test_unused_is_said() -> None:
    tensors = named(gradcheck(Clipped(), (normal(4, 3), normal(4, 3, seed=1)), mse_loss))
    assert tensors["unused"].verdict == "pass"
    assert tensors["unused"].reason == "unused: nothing is computed from it"
    assert tensors["unused"].relative_error is None


DEEP = [{"repeat": {"times": 30, "layers": [{"linear": 8}, "sigmoid"]}}, {"linear": 3}]


@pytest.mark.slow
def test_no_gradient_at_all_does_not_pass_in_thirty_sigmoid_layers() -> None:
    """Every entry is far below any absolute tolerance, of the right gradient too."""
    spec = spec_of(DEEP, model={"input": [8], "init": "xavier"})
    net = compile_model(spec)
    first = "repeat1.1.linear1.weight"
    right = named(gradcheck(net, spec, joint=True))[first]
    assert right.verdict == "inconclusive"
    assert right.gradient_norm < 1e-15
    assert right.layer_error is not None
    assert right.layer_error < 1e-6
    wrong = gradcheck(with_wrong_parameter(net, first, PARAMETER["detached"]), spec, joint=True)
    assert failing(wrong) == {first}


def test_each_term_is_checked_alone() -> None:
    """An error in a side output's path would be lost in a sum that the main loss rules."""
    layers = [{"linear": 4}, {"head": {"name": "aux", "layers": [{"linear": 3}]}}, {"linear": 3}]
    losses = [{"cross_entropy": {"weight": 1e4}}, {"cross_entropy": {"at": "aux", "weight": 1e-4}}]
    spec = spec_of(layers, model={"input": [5]}, loss=losses, penalties=[{"l2": 0.1}])
    right = gradcheck(spec)
    assert right.terms == {"cross_entropy": "pass", "cross_entropy at aux": "pass", "l2 penalty": "pass"}
    wrong = gradcheck(with_wrong_parameter(compile_model(spec), "aux.linear1.bias", PARAMETER["sign"]), spec)
    assert wrong.terms == {"cross_entropy": "pass", "cross_entropy at aux": "fail", "l2 penalty": "pass"}
    assert named(wrong)["aux.linear1.bias"].term == "cross_entropy at aux"


def test_codes_have_no_gradient() -> None:
    module = nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(6, 2))
    result = gradcheck(module, (torch.tensor([[0, 1], [2, 3]]), torch.tensor([0, 1])), cross_entropy)
    assert result.not_differentiable == ("input",)
    assert result.verdict == "pass"


def test_module_and_random_state_are_left_alone() -> None:
    net = compile_model(SPEC)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    state = torch.get_rng_state()
    gradcheck(net, SPEC)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


class Counting(nn.Linear):
    """A layer that multiplies by how often it was called."""

    def __init__(self) -> None:
        super().__init__(3, 2)
        self.calls: Tensor
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(x) * self.calls


def test_buffers_are_the_same_before_every_pass() -> None:
    assert gradcheck(Counting(), (normal(4, 3), normal(4, 2)), mse_loss).verdict == "pass"


def test_half_precision_is_widened() -> None:
    result = gradcheck(nn.Linear(3, 2).half(), (normal(4, 3).half(), normal(4, 2).half()), mse_loss)
    assert result.verdict == "pass"


def test_a_run_is_checked_with_its_best_weights(tmp_path: Path) -> None:
    spec = spec_of(LAYERS, normal(40, 5), torch.arange(40) % 3, loss="cross_entropy", epochs=2, batch_size=8)
    train(spec, run=tmp_path, device="cpu")
    result = gradcheck(tmp_path)
    assert (result.data, result.samples) == ("points", 4)
    assert not result.failed
    assert result.loss != gradcheck(spec).loss


def nan_net() -> nn.Module:
    net = compile_model(SPEC)
    with torch.no_grad():
        net.get_parameter("linear2.weight")[0, 0] = torch.nan
    return net


class Restless(nn.Linear):
    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return super().forward(x) * self.calls


BATCH = (normal(4, 3), normal(4, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gradcheck(nn.Linear(3, 2), BATCH, lambda o, y: o - y), r"is a tensor of shape \(4, 2\)"),
        (lambda: gradcheck(nan_net(), SPEC), "`linear2.weight` has 1 of 36 numbers that are not finite"),
        (lambda: gradcheck(nn.ReLU(), BATCH, mse_loss), "no weights to learn"),
        (lambda: gradcheck(Restless(3, 2), BATCH, mse_loss), "two passes at the same point differ"),
        (lambda: gradcheck(Square.apply, BATCH, mse_loss), "`apply` is a function, and a module is checked"),
        (lambda: gradcheck(nn.Linear, BATCH, mse_loss), "`Linear` is a class, and a module is checked"),  # type: ignore[arg-type]
        (lambda: gradcheck(Square, BATCH, mse_loss), "`Square` is a class, and a module is checked"),  # type: ignore[arg-type]
        (lambda: gradcheck(nn.Linear(3, 2)), "together with its spec"),
        (lambda: gradcheck(nn.Linear(3, 2), BATCH), "beside a batch and a loss"),
        (lambda: gradcheck(nn.Linear(3, 2), SPEC), "no layer `linear1`"),
        (
            lambda: gradcheck(compile_model(OTHER), SPEC),
            "`linear1` has 24 parameters in the network and 36 in the spec",
        ),
        (lambda: gradcheck(SPEC, samples=2), "batch norm needs at least 4 samples"),
        (lambda: gradcheck(SPEC, samples=0), "at least 1 sample"),
        (lambda: gradcheck(nn.LazyLinear(2), BATCH, mse_loss), "have no shape yet"),
    ],
)
def test_what_cannot_be_checked_is_said(call: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert isinstance(caught.value, NnctlError)
    assert caught.value.exit_code == 2
