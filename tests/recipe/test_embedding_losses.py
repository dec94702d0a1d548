"""Contrastive and triplet losses against loops over every pair and triplet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nnctl.data.split import Batch
from nnctl.kinds.losses.base import Pass
from tests.recipe.helpers import make

GENERATOR = torch.Generator().manual_seed(4)
X = torch.randn(11, 3, generator=GENERATOR, dtype=torch.float64)
Y = torch.tensor([0, 0, 1, 2, 1, 0, 0, 2, 2, 0, 1])


def loss(kind: str, x: Tensor = X, y: Tensor = Y, **fields: Any) -> float:
    return float(make("losses", kind, **fields).build()(x, y))


def distance(i: int, j: int) -> float:
    return float(np.linalg.norm(X[i].numpy() - X[j].numpy()))


def contrast(i: int, j: int, margin: float) -> float:
    d = distance(i, j)
    return 0.5 * d**2 if Y[i] == Y[j] else 0.5 * max(0.0, margin - d) ** 2


@pytest.mark.parametrize("margin", [0.7, 3.0])
def test_contrastive(margin: float) -> None:
    every = np.mean([contrast(i, j, margin) for i, j in combinations(range(11), 2)])
    assert loss("contrastive", margin=margin) == pytest.approx(every, rel=1e-10)
    pairs = np.mean([contrast(i, i + 1, margin) for i in range(0, 10, 2)])
    assert loss("contrastive", margin=margin, pairs="consecutive") == pytest.approx(pairs, rel=1e-12)


def hinge(triple: tuple[int, ...], margin: float) -> float:
    a, p, n = triple
    return max(0.0, distance(a, p) ** 2 - distance(a, n) ** 2 + margin)


def valid(triple: tuple[int, ...]) -> bool:
    a, p, n = triple
    return bool(Y[a] == Y[p] and Y[a] != Y[n])


def consecutive() -> Iterator[tuple[int, ...]]:
    for first in range(0, 9, 3):
        found = [t for t in permutations(range(first, first + 3)) if valid(t) and t[0] < t[1]]
        yield from found


@pytest.mark.parametrize("margin", [0.5, 2.0])
def test_triplet(margin: float) -> None:
    every = np.mean([hinge(t, margin) for t in permutations(range(11), 3) if valid(t)])
    assert loss("triplet", margin=margin) == pytest.approx(every, rel=1e-10)
    assert len(list(consecutive())) == 2
    some = np.mean([hinge(t, margin) for t in consecutive()])
    assert loss("triplet", margin=margin, triplets="consecutive") == pytest.approx(some, rel=1e-12)


@pytest.mark.parametrize("how", ["all", "consecutive"])
@pytest.mark.parametrize(("kind", "field"), [("contrastive", "pairs"), ("triplet", "triplets")])
def test_batches_without_any_have_no_loss_and_no_gradient(kind: str, field: str, how: str) -> None:
    x = torch.ones(1, 3, requires_grad=True)
    value = make("losses", kind, **{field: how}).build()(x, torch.tensor([1]))
    (slope,) = torch.autograd.grad(value, x)
    assert value == 0
    assert torch.equal(slope, torch.zeros(1, 3))


@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_gradients_are_finite_where_all_samples_are_one(kind: str) -> None:
    x = torch.full((6, 3), 1e4, requires_grad=True)
    (slope,) = torch.autograd.grad(make("losses", kind).build()(x, Y[:6]), x)
    assert torch.isfinite(slope).all()


def test_mixed_samples_count_as_their_own_class() -> None:
    shares = torch.nn.functional.one_hot(Y, 3).double() * 0.9
    seen = Pass(nn.Identity(), Batch({}, shares, labels=Y), {"output": X}, {})
    assert float(make("losses", "triplet").term()(seen)) == loss("triplet")
