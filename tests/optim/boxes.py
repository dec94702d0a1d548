"""The algorithm boxes of the lecture notes, and torch's variants of them, in numpy and float64.

A box is a function (gradient function, point, memory, step from 1, rate, fields) -> next point, which asks for the
gradient where the box does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
Gradient: TypeAlias = Callable[[Array], Array]
Memory: TypeAlias = "defaultdict[str, Array]"
Fields: TypeAlias = dict[str, Any]
Box: TypeAlias = Callable[[Gradient, Array, Memory, int, float, Fields], Array]


def number(f: Fields, name: str, default: float) -> float:
    return float(f.get(name, default))


def decayed(gradient: Gradient, theta: Array, f: Fields) -> Array:
    return gradient(theta) + number(f, "weight_decay", 0.0) * theta


def sgd(gradient: Gradient, theta: Array, s: Memory, t: int, rate: float, f: Fields) -> Array:
    g, mu = decayed(gradient, theta, f), number(f, "momentum", 0.0)
    s["v"] = mu * s["v"] + g
    return theta - rate * (g + mu * s["v"] if f.get("nesterov") else s["v"])


def sgd_notes(gradient: Gradient, theta: Array, s: Memory, t: int, rate: float, f: Fields) -> Array:
    alpha = number(f, "momentum", 0.0)
    g = decayed(gradient, theta + alpha * s["v"] if f.get("nesterov") else theta, f)
    s["v"] = alpha * s["v"] - rate * g
    return theta + s["v"]


def apg(gradient: Gradient, theta: Array, s: Memory, t: int, rate: float, f: Fields) -> Array:
    tk = s.get("t", np.ones(()))
    y = s.get("y", theta)
    x: Array = y - rate * decayed(gradient, y, f)
    s["t"] = (1 + np.sqrt(1 + 4 * tk**2)) / 2
    s["y"] = x + (tk - 1) / s["t"] * (x - theta)
    return x


def adagrad(gradient: Gradient, theta: Array, s: Memory, t: int, rate: float, f: Fields) -> Array:
    g = decayed(gradient, theta, f)
    s["r"] = s["r"] + g * g
    delta = number(f, "eps", 1e-7 if f.get("form") == "notes" else 1e-10)
    return theta - rate / (delta + np.sqrt(s["r"])) * g


def rmsprop(gradient: Gradient, theta: Array, s: Memory, t: int, rate: float, f: Fields) -> Array:
    g, rho = decayed(gradient, theta, f), number(f, "rho", 0.99)
    s["r"] = rho * s["r"] + (1 - rho) * g * g
    s["v"] = number(f, "momentum", 0.0) * s["v"] + g / (np.sqrt(s["r"]) + number(f, "eps", 1e-8))
    return theta - rate * s["v"]


def rmsprop_notes(gradient: Gradient, theta: Array, s: Memory, t: int, rate: float, f: Fields) -> Array:
    rho, alpha = number(f, "rho", 0.99), number(f, "momentum", 0.0)
    g = decayed(gradient, theta + alpha * s["v"] if f.get("nesterov") else theta, f)
    s["r"] = rho * s["r"] + (1 - rho) * g * g
    s["v"] = alpha * s["v"] - rate / np.sqrt(number(f, "eps", 1e-6) + s["r"]) * g
    return theta + s["v"]


def adam(gradient: Gradient, theta: Array, s: Memory, t: int, rate: float, f: Fields) -> Array:
    b1, b2 = number(f, "beta1", 0.9), number(f, "beta2", 0.999)
    g = decayed(gradient, theta, f)
    s["s"] = b1 * s["s"] + (1 - b1) * g
    s["r"] = b2 * s["r"] + (1 - b2) * g * g
    return theta - rate * (s["s"] / (1 - b1**t)) / (np.sqrt(s["r"] / (1 - b2**t)) + number(f, "eps", 1e-8))


def adamw(gradient: Gradient, theta: Array, s: Memory, t: int, rate: float, f: Fields) -> Array:
    shrunk = theta - rate * number(f, "weight_decay", 0.01) * theta
    return shrunk + adam(gradient, theta, s, t, rate, {**f, "weight_decay": 0.0}) - theta


def memory() -> Memory:
    return defaultdict(lambda: np.zeros(()))


CASES: list[tuple[str, Box, Fields]] = [
    ("sgd", sgd, {"lr": 0.05}),
    ("sgd", sgd, {"lr": 0.05, "momentum": 0.9}),
    ("sgd", sgd, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("sgd", sgd_notes, {"lr": 0.05, "form": "notes"}),
    ("sgd", sgd_notes, {"lr": 0.05, "momentum": 0.9, "form": "notes"}),
    ("sgd", sgd_notes, {"lr": 0.05, "momentum": 0.9, "form": "notes", "weight_decay": 0.1}),
    ("sgd", sgd_notes, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "form": "notes"}),
    ("sgd", sgd_notes, {"lr": 0.05, "momentum": 0.5, "nesterov": True, "form": "notes", "weight_decay": 0.1}),
    ("apg", apg, {"lr": 0.05}),
    ("apg", apg, {"lr": 0.05, "weight_decay": 0.1}),
    ("adagrad", adagrad, {"lr": 0.1}),
    ("adagrad", adagrad, {"lr": 0.1, "weight_decay": 0.1}),
    ("adagrad", adagrad, {"lr": 0.1, "form": "notes"}),
    ("adagrad", adagrad, {"lr": 0.1, "form": "notes", "eps": 0.01}),
    ("rmsprop", rmsprop, {"lr": 0.01}),
    ("rmsprop", rmsprop, {"lr": 0.01, "rho": 0.9, "momentum": 0.5, "weight_decay": 0.1}),
    ("rmsprop", rmsprop_notes, {"lr": 0.01, "form": "notes"}),
    ("rmsprop", rmsprop_notes, {"lr": 0.01, "form": "notes", "eps": 0.1, "weight_decay": 0.1}),
    ("rmsprop", rmsprop_notes, {"lr": 0.01, "rho": 0.9, "momentum": 0.5, "form": "notes"}),
    ("rmsprop", rmsprop_notes, {"rho": 0.9, "momentum": 0.5, "nesterov": True, "form": "notes", "weight_decay": 0.1}),
    ("adam", adam, {"lr": 0.05}),
    ("adam", adam, {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "weight_decay": 0.1}),
    ("adamw", adamw, {"lr": 0.05}),
    ("adamw", adamw, {"lr": 0.05, "weight_decay": 0.3}),
]
"""Kind, its box, and the fields of the component."""
IDS = [f"{kind}-{','.join(f'{k}={v}' for k, v in fields.items() if k != 'lr')}" for kind, _, fields in CASES]
