"""Optimisers on problems whose solution is known, and the notes' table of momentum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.optim.boxes import Array
from tests.optim.helpers import OneWeight, build, step

MOMENTUM = {"momentum": 0.9}
NESTEROV = {"momentum": 0.9, "nesterov": True}
NOTES = {"form": "notes"}
RULES: list[tuple[str, dict[str, Any], float, float, float]] = [
    ("sgd", {}, 0.1, 5e-3, 3.0),
    ("sgd", MOMENTUM, 0.1, 2e-3, 1.0),
    ("sgd", NESTEROV, 0.1, 2e-3, 1.0),
    ("sgd", MOMENTUM | NOTES, 0.1, 2e-3, 1.0),
    ("sgd", NESTEROV | NOTES, 0.1, 2e-3, 1.0),
    ("apg", {}, 0.1, 2e-4, 1.0),
    ("adagrad", {}, 1.0, 1.0, 1.0),
    ("adagrad", NOTES, 1.0, 1.0, 1.0),
    ("rmsprop", {"rho": 0.9}, 0.1, 0.02, 0.02),
    ("rmsprop", {"rho": 0.9} | NOTES, 0.1, 0.02, 0.02),
    ("rmsprop", {"rho": 0.9} | MOMENTUM | NOTES, 0.02, 2e-3, 0.01),
    ("rmsprop", {"rho": 0.9} | NESTEROV | NOTES, 0.02, 2e-3, 0.01),
    ("adam", {}, 0.1, 0.3, 0.3),
    ("adamw", {"weight_decay": 0.0}, 0.1, 0.3, 0.3),
]
"""Kind, fields, and its rate on the quadratic, on Rosenbrock's valley and on the regression."""


def run(kind: str, fields: dict[str, Any], rate: float, gradient: Any, start: Array, steps: int) -> Array:
    """Return where an optimiser ends; its rate falls to nothing, so that those of nearly fixed step length settle."""
    net = OneWeight(start)
    optimizer = build(net, kind, {"lr": rate, **fields})
    for t in range(steps):
        step(optimizer, net.weight, gradient, rate * (1 - t / steps))
    found: Array = net.weight.detach().numpy()
    return found


@pytest.mark.parametrize(("kind", "fields", "rate"), [rule[:3] for rule in RULES])
def test_a_quadratic(kind: str, fields: dict[str, Any], rate: float) -> None:
    curvature, best = np.array([1.0, 3.0, 10.0]), np.array([1.0, -2.0, 0.5])
    found = run(kind, fields, rate, lambda x: curvature * (x - best), np.zeros(3), 200)
    np.testing.assert_allclose(found, best, atol=1e-3)


@pytest.mark.parametrize(("kind", "fields", "rate"), [(*rule[:2], rule[3]) for rule in RULES])
def test_rosenbrocks_valley(kind: str, fields: dict[str, Any], rate: float) -> None:
    def gradient(x: Array) -> Array:
        return np.array([-400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0]), 200 * (x[1] - x[0] ** 2)])

    found = run(kind, fields, rate, gradient, np.array([-1.2, 1.0]), 1500)
    value = (1 - found[0]) ** 2 + 100 * (found[1] - found[0] ** 2) ** 2
    assert value < (
        0.15 if kind == "adagrad" else 0.02
    )  # 24.2 at the start, 0 at (1, 1); the valley's floor is nearly flat


@pytest.mark.parametrize(("kind", "fields", "rate"), [(*rule[:2], rule[4]) for rule in RULES])
def test_logistic_regression_with_a_known_optimum(kind: str, fields: dict[str, Any], rate: float) -> None:
    """Of labels that are the probabilities of a known w, the mean cross-entropy is least at w itself."""
    x = np.random.default_rng(0).normal(size=(60, 4))
    best = np.array([1.0, -1.0, 0.5, 0.0])
    target = 1 / (1 + np.exp(-x @ best))

    def gradient(w: Array) -> Array:
        slope: Array = x.T @ (1 / (1 + np.exp(-x @ w)) - target) / len(x)
        return slope

    found = run(kind, fields, rate, gradient, np.zeros(4), 300)
    np.testing.assert_allclose(found, best, atol=5e-3)


@pytest.mark.parametrize(
    ("form", "momentum", "steps"),
    [
        *(("torch", 0.0, 6558), ("torch", 0.5, 3272), ("torch", 0.9, 598), ("torch", 0.99, 1434)),
        *(("notes", 0.9, 598), ("notes", 0.99, 1434)),
    ],
)
def test_the_table_of_momentum(form: str, momentum: float, steps: int) -> None:
    """Steps from (1, 1) to ½(x² + 1000 y²) below 1e-6 at rate 1/1000: κ = 1000."""
    curvature = np.array([1.0, 1000.0])
    net = OneWeight(np.ones(2))
    optimizer = build(net, "sgd", {"lr": 1e-3, "momentum": momentum, "form": form})
    x, taken = net.weight.detach().numpy(), 0
    while (curvature * x**2).sum() / 2 >= 1e-6:
        step(optimizer, net.weight, lambda x: curvature * x)
        taken += 1
    assert taken == steps
