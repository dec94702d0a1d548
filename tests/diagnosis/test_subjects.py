"""What can be inspected, with which data, and what is said where it cannot."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

import nnctl
from nnctl.checkpoint import read_weights, write_weights
from nnctl.diagnosis.signals import inspect
from nnctl.errors import NnctlError, SpecError, UsageError
from nnctl.graph.build import build_file
from nnctl.network.compile import compile_model
from nnctl.spec.load import loads
from nnctl.training.run import train
from tests.diagnosis.helpers import by_path, net_of, normal, spec_of

X, LABELS = normal(40, 3), torch.arange(40) % 2
LAYERS: list[Any] = [{"linear": 5}, "relu", {"linear": 2}]
KEYS = {
    "path", "kind", "line", "units", "input_rms", "forward_rms", "delta_rms", "grad_norm", "weight_norm",
    "grad_weight_ratio", "update_ratio", "learning", "one_signed", "noise_scale", "dead", "zero", "saturated", "cosine",
    "nonfinite", "underflow", "prediction",
}  # fmt: skip
RESULT_KEYS = {
    "layers", "verdicts", "verdict", "data", "loss", "steps", "batch", "samples", "dead_bound", "noise_scale",
    "rate_share", "variances",
}  # fmt: skip


def test_the_json_object() -> None:
    result = inspect(spec_of(LAYERS, X, LABELS, loss="cross_entropy"))
    value = json.loads(json.dumps(result.as_json()))
    assert value.keys() == RESULT_KEYS
    assert [layer.keys() for layer in value["layers"]] == [KEYS] * 3
    assert value["layers"][0]["forward_rms"] == result.layers[0].forward_rms
    assert [layer["kind"] for layer in value["layers"]] == ["linear", "relu", "linear"]


def test_lines_are_those_of_the_spec(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text("name: small\nmodel:\n  input: [3]\n  layers:\n    - linear: 4\n    - relu\n    - linear: 2\n")
    layers = inspect(file).layers
    assert [(layer.path, layer.line) for layer in layers] == [("linear1", 5), ("relu1", 6), ("linear2", 7)]
    wider = inspect(str(file), overrides=["model.layers[0].linear.features=400"]).layers
    assert wider[0].weight_norm != layers[0].weight_norm


def test_a_spec_and_its_network_are_the_same() -> None:
    spec = spec_of(LAYERS, X, LABELS, loss="cross_entropy")
    assert inspect(spec) == inspect(compile_model(spec), spec) == nnctl.inspect(compile_model(spec), spec)


def test_a_run_is_inspected_with_its_best_weights(tmp_path: Path) -> None:
    spec = spec_of(LAYERS, X, LABELS, loss="cross_entropy", epochs=2, batch_size=8)
    train(spec, run=tmp_path, device="cpu")
    net = compile_model(spec)
    fresh = inspect(net, spec)
    net.load_state_dict(read_weights(tmp_path).tensors)
    expected = inspect(net, spec)
    found = inspect(tmp_path)
    assert [replaced.weight_norm for replaced in found.layers] == [layer.weight_norm for layer in expected.layers]
    assert (found.loss, found.layers[0].delta_rms) == (expected.loss, expected.layers[0].delta_rms)
    assert inspect(tmp_path / "best.safetensors") == found
    assert found.loss != fresh.loss


def test_a_checkpoints_inputs_are_standardised_as_in_its_training(tmp_path: Path) -> None:
    text = """
    name: flowers
    data: {dataset: iris}
    model: {layers: [identity, linear: 3]}
    train: {epochs: 1, batch_size: all, loss: cross_entropy, optimizer: {sgd: 0.1}}
    """
    train(loads(textwrap.dedent(text)), run=tmp_path / "run", device="cpu")
    weights = read_weights(tmp_path / "run")
    assert inspect(weights.path).layers[0].forward_rms == pytest.approx(1, rel=1e-5)
    metadata = weights.metadata | {"mean": "[100, 100, 100, 100]", "std": "[1, 1, 1, 1]"}
    write_weights(tmp_path / "moved.safetensors", weights.tensors, metadata)
    # the flowers measure 0.1 to 7.9 cm
    assert inspect(tmp_path / "moved.safetensors").layers[0].forward_rms == pytest.approx(96, abs=4)


@pytest.mark.parametrize(("given", "name"), [(False, "points"), (True, "random")])
def test_random_data_can_be_asked_for(given: bool, name: str) -> None:
    spec = spec_of(LAYERS, X, LABELS, loss="cross_entropy", batch_size=8)
    result = inspect(spec, random=given)
    assert (result.data, result.batch, result.samples) == (name, 8, 1024 if given else 40)


def test_a_spec_without_data_gets_normal_numbers_and_cross_entropy() -> None:
    """128 inputs a batch; kaiming's gain is 1 at the last layer, so what leaves it has variance 1."""
    spec = spec_of([{"linear": {"features": 1000, "init": "lecun"}}], model={"input": [1000]})
    result = inspect(spec)
    assert (result.data, result.batch, result.samples) == ("random", 128, 1024)
    layer = result.layers[0]
    assert layer.forward_rms == pytest.approx(1, abs=0.02)
    # ‖p − onehot‖² is 1 + Σp² − 2p of the label: close to 1 for a thousand classes
    assert layer.delta_rms == pytest.approx((1 / 1000) ** 0.5, rel=0.01)
    assert result == inspect(spec)


@pytest.mark.parametrize("loss", ["mse", "l1", "bce", "cross_entropy", "output"])
@pytest.mark.parametrize("layers", [[{"linear": 1}], [{"linear": 3}]])
def test_random_targets_fit_every_loss(loss: str, layers: list[Any]) -> None:
    result = inspect(spec_of(layers, model={"input": [4]}, loss=loss))
    assert result.loss == result.loss
    assert result.layers[0].delta_rms is not None
    assert result.layers[0].update_ratio is not None


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_random_targets_for_every_place_of_an_image(loss: str) -> None:
    assert inspect(spec_of([{"conv": 3}], model={"input": [2, 4, 4]}, loss=loss)).layers[0].delta_rms


def test_random_targets_of_a_regression() -> None:
    spec = spec_of([{"linear": 2}], X, normal(40, 2, seed=1), loss="mse")
    assert inspect(spec, random=True).loss == pytest.approx(2, rel=0.5)  # variance 1 on either side


def test_what_the_loss_does_not_reach_has_no_error() -> None:
    layers = [{"linear": 4}, {"head": {"name": "aux", "layers": [{"linear": 2}]}}, {"linear": 2}]
    unused = by_path(inspect(spec_of(layers, X, LABELS, loss="cross_entropy")))["aux.linear1"]
    assert unused.forward_rms is unused.delta_rms is unused.grad_norm is None
    losses = ["cross_entropy", {"cross_entropy": {"at": "aux"}}]
    used = by_path(inspect(spec_of(layers, X, LABELS, loss=losses)))["aux.linear1"]
    assert used.forward_rms
    assert used.delta_rms
    assert used.grad_norm


def test_half_precision_measures_nearly_the_same() -> None:
    exact, half = (spec_of(LAYERS, X, LABELS, loss="cross_entropy", precision=p) for p in ("fp32", "bf16"))
    one, other = inspect(exact).layers[0], inspect(half).layers[0]
    assert other.grad_norm == pytest.approx(one.grad_norm, rel=0.05)
    assert other.grad_norm != one.grad_norm


GOOD = spec_of(LAYERS, X, LABELS, loss="cross_entropy")
NO_DATA = spec_of(LAYERS, model={"input": [3]})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: inspect(net_of(GOOD)), UsageError, "a network is inspected together with its spec"),
        (lambda: inspect(GOOD, GOOD), UsageError, "only a network needs a spec beside it"),
        (lambda: inspect(GOOD, overrides=["seed=1"]), UsageError, "this spec has been read already"),
        (lambda: inspect(GOOD, steps=-1), UsageError, "expected a number of steps of at least 0, found -1"),
        (lambda: inspect(NO_DATA, steps=1), SpecError, "there is no recipe to take steps by"),
        (
            lambda: inspect(torch.nn.Linear(3, 2), GOOD),
            UsageError,
            "the network has no layer `linear1`, which its spec probe describes",
        ),
        (
            lambda: inspect(spec_of(["relu"], model={"input": [3]})),
            UsageError,
            "the network has no weights to learn",
        ),
        (lambda: inspect(spec_of([{"linear": 1}], X, normal(40))), SpecError, r"without a loss it is cross_entropy"),
        (lambda: inspect(spec_of(LAYERS, X, LABELS, model={"input": [4]})), SpecError, "the data's samples are"),
        (lambda: inspect("nowhere.yaml"), SpecError, "nowhere.yaml"),
        (lambda: inspect("nowhere"), NnctlError, "there is no file nowhere"),
    ],
)
def test_what_cannot_be_inspected_is_said(call: Any, error: type[NnctlError], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


@pytest.mark.parametrize(
    "file", [file for file in SPECS if file.stem not in {"lenet", "vgg11", "resnet18", "unet"}], ids=lambda f: f.stem
)
def test_the_shipped_specs_have_signals_everywhere(file: Path) -> None:
    result = inspect(file, random=True)
    assert [layer.path for layer in result.layers] == [leaf.path for leaf in build_file(file).leaves]
    for layer in result.layers:
        assert layer.forward_rms is not None, layer.path
        assert layer.delta_rms is not None, layer.path
        assert (layer.grad_norm is None) == (layer.weight_norm is None), layer.path
