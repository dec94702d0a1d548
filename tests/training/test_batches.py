"""Batches of every size against gradient descent on softmax regression written out in numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import nnctl
from nnctl.data.load import load
from nnctl.data.order import Sampling, epoch_order
from nnctl.spec.sections import Spec
from nnctl.training.run import train
from tests.training.helpers import history, last_tensors, points, spec_of

Array = NDArray[np.float64]
N = 23
RATE = 0.2


def samples(spec: Spec) -> tuple[Array, Array]:
    assert spec.data is not None
    batch = load(spec.data, spec.seed).train.batch(slice(0, N))
    return batch.inputs["input"].double().numpy(), np.eye(3)[batch.target.numpy()]


def start(spec: Spec) -> tuple[Array, Array]:
    state = nnctl.compile_model(spec).state_dict()
    return state["linear1.weight"].double().numpy(), state["linear1.bias"].double().numpy()


def descent(spec: Spec, size: int, epochs: int, sampling: Sampling) -> tuple[Array, Array, list[float]]:
    """Return the weights after steps along each batch's mean gradient, and each epoch's mean loss over its samples."""
    x, y = samples(spec)
    w, b = start(spec)
    losses = []
    for epoch in range(1, epochs + 1):
        order, total = epoch_order(N, spec.seed, epoch, sampling).numpy(), 0.0
        for begin in range(0, N, size):
            rows = order[begin : begin + size]
            z = x[rows] @ w.T + b
            log = z - np.log(np.exp(z).sum(1, keepdims=True))
            total -= float((y[rows] * log).sum())
            error = (np.exp(log) - y[rows]) / len(rows)
            w, b = w - RATE * error.T @ x[rows], b - RATE * error.sum(0)
        losses.append(total / N)
    return w, b, losses


@pytest.mark.parametrize("parts", [1, 3, 50])
@pytest.mark.parametrize("sampling", ["shuffle", "draw"])
@pytest.mark.parametrize("size", [1, 8, 22, 23, 100, "all"])  # 8: the last batch has 7; 22: it has 1
def test_steps_follow_each_batchs_mean(tmp_path: Path, size: int | str, sampling: Sampling, parts: int) -> None:
    spec = spec_of(
        data=points(N) | {"validation": 0},
        layers=[{"linear": 3}],
        batch_size=size,
        sampling=sampling,
        accumulate=parts,
        epochs=2,
        optimizer={"sgd": RATE},
    )
    result = train(spec, run=tmp_path / "run")
    many = N if size == "all" else int(size)
    w, b, losses = descent(spec, many, 2, sampling)
    found = last_tensors(tmp_path / "run")
    assert result.steps == 2 * -(-N // many)
    np.testing.assert_allclose(found["model:linear1.weight"].numpy(), w, atol=2e-6)
    np.testing.assert_allclose(found["model:linear1.bias"].numpy(), b, atol=2e-6)
    np.testing.assert_allclose([line["train_loss"] for line in history(tmp_path / "run")], losses, rtol=2e-6)


def test_drawn_samples_may_come_twice_and_orders_never() -> None:
    assert sorted(epoch_order(N, 0, 1).tolist()) == list(range(N))
    drawn = torch.cat([epoch_order(N, 0, epoch, "draw") for epoch in range(1, 401)])
    counts = np.bincount(drawn.numpy(), minlength=N)
    assert len(counts) == N
    expected = 400
    assert abs(counts - expected).max() < 5 * np.sqrt(expected * (1 - 1 / N)), "each sample as often as any other"
    assert len(set(epoch_order(N, 0, 1, "draw").tolist())) < N
