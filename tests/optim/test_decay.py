"""Weight decay on a linear layer: W ← W − α(δaᵀ + λW), b ← b − αδ."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnctl.data.split import Batch
from nnctl.objective import Objective
from nnctl.optim.groups import parameter_groups
from nnctl.step import Stepper
from tests.recipe.helpers import make

ALPHA, DECAY = 0.1, 0.3


def layer_and_batch() -> tuple[nn.Linear, Batch]:
    generator = torch.Generator().manual_seed(0)
    layer = nn.Linear(3, 2).double()
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
    x = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    return layer, Batch({"input": x}, torch.randn(5, 2, generator=generator, dtype=torch.float64))


def after_one_step(kind: str, **fields: Any) -> tuple[Tensor, ...]:
    """Return W and b before a step, the gradients δaᵀ and δ as means over samples, W and b after it."""
    layer, batch = layer_and_batch()
    component = make("optimizers", kind, lr=ALPHA, **fields)
    optimizer = component.build(parameter_groups(layer, component))
    objective = Objective([make("losses", "mse", form="half_sum")])
    w, b = (p.detach().clone() for p in (layer.weight, layer.bias))
    a = batch.inputs["input"]
    delta = (a @ w.T + b - batch.target) / len(a)
    Stepper(layer, objective, optimizer, seed=0, device=torch.device("cpu"))(batch, 0, ALPHA)
    return w, b, delta.T @ a, delta.sum(0), layer.weight.detach(), layer.bias.detach()


RULES: list[tuple[str, dict[str, Any]]] = [
    ("sgd", {}),
    ("sgd", {"form": "notes"}),
    ("sgd", {"momentum": 0.9, "form": "notes"}),
    ("sgd", {"momentum": 0.9, "nesterov": True, "form": "notes"}),  # no velocity yet: ahead is here
    ("apg", {}),
]


@pytest.mark.parametrize(("kind", "fields"), RULES)
def test_weights_decay_and_biases_do_not(kind: str, fields: dict[str, Any]) -> None:
    w, b, dw, db, w_after, b_after = after_one_step(kind, weight_decay=DECAY, **fields)
    torch.testing.assert_close(w_after, w - ALPHA * (dw + DECAY * w), rtol=1e-12, atol=0)
    torch.testing.assert_close(b_after, b - ALPHA * db, rtol=1e-12, atol=0)


@pytest.mark.parametrize(("kind", "fields"), RULES)
def test_all_decay_where_asked(kind: str, fields: dict[str, Any]) -> None:
    _, b, _, db, _, b_after = after_one_step(kind, weight_decay=DECAY, decay_on="all", **fields)
    torch.testing.assert_close(b_after, b - ALPHA * (db + DECAY * b), rtol=1e-12, atol=0)


def test_adamw_decays_beside_the_moments_and_adam_through_them() -> None:
    w, b, dw, db, w_after, b_after = after_one_step("adamw", weight_decay=DECAY)
    # in the first step ŝ/√r̂ is the sign of the gradient
    torch.testing.assert_close(w_after, w - ALPHA * DECAY * w - ALPHA * dw.sign(), rtol=1e-6, atol=0)
    torch.testing.assert_close(b_after, b - ALPHA * db.sign(), rtol=1e-6, atol=0)
    w, _, dw, _, w_after, _ = after_one_step("adam", weight_decay=DECAY)
    torch.testing.assert_close(w_after, w - ALPHA * (dw + DECAY * w).sign(), rtol=1e-6, atol=0)
