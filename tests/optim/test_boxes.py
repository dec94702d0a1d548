"""Every optimiser against its algorithm box: twenty steps in float64, the rate changing half-way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from nnctl.kinds.optimizers.base import Optimizer
from nnctl.optim.look_ahead import LookAhead, LookingAhead
from nnctl.optim.tensors import optimizer_tensors, restore_optimizer
from tests.components import kinds_of
from tests.optim.boxes import CASES, IDS, Array, Box, Fields, memory
from tests.optim.helpers import OneWeight, build, step
from tests.recipe.helpers import make

CURVATURE = np.array([[1.0, 3.0], [0.2, 0.7]])
START = np.array([[1.0, -2.0], [0.5, 3.0]])
BOXED = ("sgd", "apg", "adagrad", "rmsprop", "adam", "adamw")

each_case = pytest.mark.parametrize(("kind", "box", "fields"), CASES, ids=IDS)


def gradient(theta: Array) -> Array:
    """Of Σ c θ²/2 + Σ θ⁴/4: not linear, so that it matters where it is taken."""
    return CURVATURE * theta + theta**3


@each_case
def test_twenty_steps(kind: str, box: Box, fields: Fields) -> None:
    net = OneWeight(START)
    optimizer = build(net, kind, fields)
    rate = optimizer.param_groups[0]["lr"]
    theta, kept = START.copy(), memory()
    for t in range(1, 21):
        now = rate if t <= 10 else 0.3 * rate
        step(optimizer, net.weight, gradient, now)
        theta = box(gradient, theta, kept, t, now, fields)
        np.testing.assert_allclose(net.weight.detach().numpy(), theta, rtol=1e-10)
    assert torch.equal(net.unused, torch.ones_like(net.unused))


@each_case
def test_it_goes_on_from_its_tensors_to_the_last_bit(kind: str, box: Box, fields: Fields, tmp_path: Path) -> None:
    whole = OneWeight(START)
    optimizer = build(whole, kind, fields)
    for _ in range(3):
        step(optimizer, whole.weight, gradient)
    safetensors.torch.save_file(optimizer_tensors(optimizer, whole), tmp_path / "optimizer.safetensors")
    later = OneWeight(whole.weight.detach().numpy())
    resumed = build(later, kind, fields)
    restore_optimizer(resumed, later, safetensors.torch.load_file(tmp_path / "optimizer.safetensors"))
    for _ in range(3):
        step(optimizer, whole.weight, gradient)
        step(resumed, later.weight, gradient)
    assert torch.equal(whole.weight, later.weight)


@each_case
def test_memory_is_told_from_the_tensors_that_are_kept(kind: str, box: Box, fields: Fields) -> None:
    net = OneWeight(START)
    optimizer = build(net, kind, fields)
    step(optimizer, net.weight, gradient)
    copies = 0
    if isinstance(optimizer, LookingAhead):
        optimizer.look_ahead()  # the moment at which most is kept
        copies = len(optimizer.here)
    tensors = optimizer_tensors(optimizer, net).items()
    kept = [t for name, t in tensors if name.startswith("weight/") and t.shape == net.weight.shape]
    assert len(kept) + copies == make("optimizers", kind, **fields).state_tensors()


def test_every_form_has_a_case() -> None:
    forms = {(kind, fields.get("form", "torch")) for kind, _, fields in CASES}
    for kind in kinds_of("optimizers", Optimizer):
        component = make("optimizers", kind, **({"lr": 0.1} if kind in ("sgd", "apg") else {}))
        if hasattr(component, "form"):
            assert {(kind, "torch"), (kind, "notes")} <= forms
        elif kind in BOXED:
            assert (kind, "torch") in forms


LOOKING_AHEAD: list[tuple[str, Fields]] = [
    ("sgd", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "form": "notes"}),
    ("rmsprop", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "form": "notes"}),
    ("apg", {"lr": 0.05}),
]


@pytest.mark.parametrize(("kind", "fields"), LOOKING_AHEAD)
def test_looking_back_leaves_no_trace(kind: str, fields: Fields) -> None:
    net = OneWeight(START / 3)
    optimizer = build(net, kind, fields)
    assert isinstance(optimizer, LookAhead)
    for _ in range(3):
        step(optimizer, net.weight, gradient)
    before, names = net.weight.detach().clone(), sorted(optimizer_tensors(optimizer, net))
    for _ in range(2):  # a step given up, and another begun without a word about it
        optimizer.look_ahead()
        assert not torch.equal(net.weight, before)
    optimizer.look_back()
    assert torch.equal(net.weight, before)
    assert sorted(optimizer_tensors(optimizer, net)) == names


@pytest.mark.parametrize(("kind", "fields"), LOOKING_AHEAD)
def test_a_weight_without_a_gradient_for_once_comes_back(kind: str, fields: Fields) -> None:
    net = OneWeight(START)
    optimizer = build(net, kind, fields)
    assert isinstance(optimizer, LookAhead)
    for _ in range(3):
        step(optimizer, net.weight, gradient)
    before = net.weight.detach().clone()
    optimizer.look_ahead()
    net.weight.grad = None
    optimizer.step()
    assert torch.equal(net.weight, before)


def test_torchs_nesterov_holds_the_point_ahead() -> None:
    fields: Fields = {"lr": 0.05, "momentum": 0.9, "nesterov": True}
    torchs, notes = OneWeight(START), OneWeight(START)
    first, second = build(torchs, "sgd", fields), build(notes, "sgd", {**fields, "form": "notes"})
    assert isinstance(second, LookAhead)
    for _ in range(10):
        step(first, torchs.weight, gradient)
        step(second, notes.weight, gradient)
        second.look_ahead()
        np.testing.assert_allclose(torchs.weight.detach().numpy(), notes.weight.detach().numpy(), rtol=1e-12)
        second.look_back()


def test_adagrad_under_a_constant_gradient_shrinks_as_one_over_the_root() -> None:
    for form in ("torch", "notes"):
        net = OneWeight(np.zeros(1))
        optimizer = build(net, "adagrad", {"lr": 0.5, "form": form})
        for t in range(1, 50):
            before = net.weight.item()
            step(optimizer, net.weight, lambda theta: np.full_like(theta, 7.0))
            assert before - net.weight.item() == pytest.approx(0.5 / t**0.5, rel=1e-7)


def test_defaults_are_torchs() -> None:
    twins = {
        "sgd": torch.optim.SGD,
        "adam": torch.optim.Adam,
        "adamw": torch.optim.AdamW,
        "rmsprop": torch.optim.RMSprop,
        "adagrad": torch.optim.Adagrad,
    }
    for kind, twin in twins.items():
        component = make("optimizers", kind, **({"lr": 0.1} if kind == "sgd" else {}))
        parameter = nn.Parameter(torch.zeros(2, 2))
        built = component.build([{"params": [parameter], "weight_decay": component.weight_decay}])
        expected = twin([parameter], **({"lr": 0.1} if kind == "sgd" else {}))
        same = [key for key in expected.defaults if key not in ("fused", "foreach")]
        assert {k: built.param_groups[0][k] for k in same} == {k: expected.param_groups[0][k] for k in same}, kind
