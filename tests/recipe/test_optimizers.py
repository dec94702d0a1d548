"""Optimisers against their update equations in numpy, float64, twenty steps on a quadratic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import nn

from nnctl.optim.groups import parameter_groups
from nnctl.optim.tensors import optimizer_tensors, restore_optimizer
from tests.recipe.helpers import make

Array: TypeAlias = NDArray[np.float64]
Memory: TypeAlias = defaultdict[str, Array]
CURVATURE = np.array([[1.0, 3.0], [0.2, 0.7]])
START = np.array([[1.0, -2.0], [0.5, 3.0]])
STEPS = 20


def sgd(g: Array, theta: Array, s: Memory, t: int, f: dict[str, float]) -> Array:
    g = g + f.get("weight_decay", 0) * theta
    mu = f.get("momentum", 0)
    s["v"] = mu * s["v"] + g
    return theta - f["lr"] * (g + mu * s["v"] if f.get("nesterov") else s["v"])


def adam(g: Array, theta: Array, s: Memory, t: int, f: dict[str, float], decoupled: bool = False) -> Array:
    decay = f.get("weight_decay", 0.01 if decoupled else 0.0)
    b1, b2 = f.get("beta1", 0.9), f.get("beta2", 0.999)
    g = g if decoupled else g + decay * theta
    theta = theta * (1 - f["lr"] * decay) if decoupled else theta
    s["s"] = b1 * s["s"] + (1 - b1) * g
    s["r"] = b2 * s["r"] + (1 - b2) * g * g
    shat, rhat = s["s"] / (1 - b1**t), s["r"] / (1 - b2**t)
    return theta - f["lr"] * shat / (np.sqrt(rhat) + 1e-8)


def adamw(g: Array, theta: Array, s: Memory, t: int, f: dict[str, float]) -> Array:
    return adam(g, theta, s, t, f, decoupled=True)


def rmsprop(g: Array, theta: Array, s: Memory, t: int, f: dict[str, float]) -> Array:
    rho = f.get("rho", 0.99)
    g = g + f.get("weight_decay", 0) * theta
    s["r"] = rho * s["r"] + (1 - rho) * g * g
    s["v"] = f.get("momentum", 0) * s["v"] + g / (np.sqrt(s["r"]) + 1e-8)
    return theta - f["lr"] * s["v"]


def adagrad(g: Array, theta: Array, s: Memory, t: int, f: dict[str, float]) -> Array:
    g = g + f.get("weight_decay", 0) * theta
    s["r"] = s["r"] + g * g
    return theta - f["lr"] * g / (np.sqrt(s["r"]) + 1e-10)


CASES: list[tuple[str, Callable[..., Array], dict[str, Any]]] = [
    ("sgd", sgd, {"lr": 0.05}),
    ("sgd", sgd, {"lr": 0.05, "momentum": 0.9}),
    ("sgd", sgd, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("adam", adam, {"lr": 0.05}),
    ("adam", adam, {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.1}),
    ("adamw", adamw, {"lr": 0.05}),
    ("adamw", adamw, {"lr": 0.05, "weight_decay": 0.3}),
    ("rmsprop", rmsprop, {"lr": 0.01}),
    ("rmsprop", rmsprop, {"lr": 0.01, "rho": 0.9, "momentum": 0.5, "weight_decay": 0.1}),
    ("adagrad", adagrad, {"lr": 0.1}),
    ("adagrad", adagrad, {"lr": 0.1, "weight_decay": 0.1}),
]


class OneWeight(nn.Module):
    def __init__(self, values: Array) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.from_numpy(values.copy()))


@pytest.mark.parametrize(
    ("kind", "rule", "fields"), CASES, ids=lambda value: str(value) if value.__class__ is dict else ""
)
def test_twenty_steps(kind: str, rule: Callable[..., Array], fields: Memory) -> None:
    component = make("optimizers", kind, **fields)
    net = OneWeight(START)
    optimizer = component.build(parameter_groups(net, component))
    theta, memory = START.copy(), Memory(lambda: np.zeros_like(START))
    for t in range(1, STEPS + 1):
        net.weight.grad = torch.from_numpy(CURVATURE) * net.weight.detach()
        optimizer.step()
        theta = rule(CURVATURE * theta, theta, memory, t, fields)
    np.testing.assert_allclose(net.weight.detach().numpy(), theta, rtol=1e-10)


@pytest.mark.parametrize(
    ("kind", "rule", "fields"), CASES, ids=lambda value: str(value) if value.__class__ is dict else ""
)
def test_an_optimiser_goes_on_from_its_tensors_to_the_last_bit(
    kind: str, rule: Callable[..., Array], fields: Memory
) -> None:
    component = make("optimizers", kind, **fields)

    def steps(net: OneWeight, optimizer: torch.optim.Optimizer, count: int) -> None:
        for _ in range(count):
            net.weight.grad = torch.from_numpy(CURVATURE) * net.weight.detach()
            optimizer.step()

    whole = OneWeight(START)
    optimizer = component.build(parameter_groups(whole, component))
    steps(whole, optimizer, 3)
    later = OneWeight(whole.weight.detach().numpy())
    resumed = component.build(parameter_groups(later, component))
    restore_optimizer(resumed, later, {k: t.clone() for k, t in optimizer_tensors(optimizer, whole).items()})
    steps(whole, optimizer, 4)
    steps(later, resumed, 4)
    assert torch.equal(whole.weight, later.weight)


@pytest.mark.parametrize(("kind", "fields"), [(kind, fields) for kind, _, fields in CASES])
def test_memory_is_told_from_the_tensors_that_are_kept(kind: str, fields: Memory) -> None:
    component = make("optimizers", kind, **fields)
    net = OneWeight(START)
    optimizer = component.build(parameter_groups(net, component))
    net.weight.grad = torch.ones_like(net.weight)
    optimizer.step()
    kept = [t for t in optimizer_tensors(optimizer, net).values() if t.shape == net.weight.shape]
    assert len(kept) == component.state_tensors()


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


def test_sgd_has_no_default_rate() -> None:
    with pytest.raises(ValidationError):
        make("optimizers", "sgd")


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ValidationError, match="needs a `momentum` above 0"):
        make("optimizers", "sgd", lr=0.1, nesterov=True)


def test_only_weights_decay() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2, bias=False))
    component = make("optimizers", "sgd", lr=0.1, weight_decay=0.5)
    decaying, others = parameter_groups(net, component)
    assert [id(p) for p in decaying["params"]] == [id(net[0].weight), id(net[2].weight)]
    assert decaying["weight_decay"] == 0.5
    assert [id(p) for p in others["params"]] == [id(p) for p in (net[0].bias, net[1].weight, net[1].bias)]
    assert others["weight_decay"] == 0.0


def test_everything_decays_where_asked() -> None:
    net = nn.Linear(3, 4)
    (group,) = parameter_groups(net, make("optimizers", "sgd", lr=0.1, weight_decay=0.5, decay_on="all"))
    assert group["params"] == [net.weight, net.bias]
