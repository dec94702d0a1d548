"""Attacks and adversarial training."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nnctl.data.split import Batch
from nnctl.kinds.losses.base import Pass
from nnctl.modules.adversarial import Attack, attacked, pgd
from tests.recipe.helpers import make
from tests.recipe.test_step import batch_of, net_of

BATCH = batch_of()
X, Y = BATCH.inputs["input"], BATCH.target


def value(net: nn.Module, batch: Batch = BATCH, **fields: Any) -> Tensor:
    found = make("losses", "adversarial", **fields).term()(Pass(net, batch, {}, {}))
    assert isinstance(found, Tensor)
    return found


def test_fgsm_is_one_step_along_the_sign_of_the_gradient() -> None:
    net, x = net_of(), X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(cross_entropy(net(x), Y), x)
    expected = cross_entropy(net(X + 0.2 * slope.sign()), Y)
    torch.testing.assert_close(value(net, epsilon=0.2), expected, rtol=1e-12, atol=0)
    assert expected > cross_entropy(net(X), Y)


def test_the_gradient_takes_the_change_for_a_constant() -> None:
    net = net_of()
    worst = attacked(Attack(0.2), net, BATCH.inputs, lambda inputs: cross_entropy(net(inputs["input"]), Y))["input"]
    own = torch.autograd.grad(cross_entropy(net(worst), Y), list(net.parameters()))
    found = torch.autograd.grad(value(net, epsilon=0.2), list(net.parameters()))
    for one, other in zip(own, found, strict=True):
        torch.testing.assert_close(one, other)


def test_pgd_on_a_linear_loss_ends_at_the_corner() -> None:
    w = torch.tensor([1.0, -2.0, 0.5, -0.1], dtype=torch.float64)
    torch.manual_seed(0)
    worst = pgd(0.3)(lambda x: (x @ w).sum(), X)
    torch.testing.assert_close(worst, X + 0.3 * w.sign())


def test_pgd_stays_within_epsilon_and_does_at_least_as_well_as_fgsm() -> None:
    net = net_of()

    def loss(x: Tensor) -> Tensor:
        return cross_entropy(3 * net(x), Y)

    torch.manual_seed(0)
    worst = pgd(0.5, steps=40)(loss, X)
    assert (worst - X).abs().max() <= 0.5 + 1e-12
    assert loss(worst) >= loss(Attack(0.5)(loss, X)) > loss(X)


def test_the_attacked_network_learns_nothing_and_keeps_its_mode() -> None:
    norm, dropout = nn.BatchNorm1d(4), nn.Dropout(0.5).eval()
    net = nn.Sequential(norm, nn.Linear(4, 3)).double().append(dropout)
    modes, before = [m.training for m in net.modules()], norm.state_dict()["running_mean"].clone()
    attacked(Attack(0.1), net, BATCH.inputs, lambda inputs: cross_entropy(net(inputs["input"]), Y))
    assert [m.training for m in net.modules()] == modes
    assert torch.equal(norm.state_dict()["running_mean"], before)
    assert all(p.grad is None for p in net.parameters())


def test_codes_stay_as_they_are() -> None:
    inputs = {"input": X, "word": torch.arange(7)}

    def loss(given: dict[str, Tensor]) -> Tensor:
        return (given["input"].sum(1) * given["word"]).mean()

    worst = attacked(Attack(0.1), nn.Identity(), inputs, loss)
    assert torch.equal(worst["word"], inputs["word"])
    torch.testing.assert_close(worst["input"][1:], X[1:] + 0.1)


def test_a_loss_written_out_with_its_defaults_is_the_same() -> None:
    plain = make("losses", "adversarial", epsilon=0.1)
    assert make("losses", "adversarial", epsilon=0.1, of=make("losses", "cross_entropy", weight=1.0)) == plain


@pytest.mark.parametrize(
    "fields",
    [
        {"epsilon": 0.1, "steps": 5},
        {"epsilon": 0.1, "of": make("losses", "output")},
        {"epsilon": 0.1, "of": make("losses", "triplet")},
        {"epsilon": 0.1, "of": make("losses", "cross_entropy", weight=0.5)},
        {"epsilon": 0.0},
        {},
    ],
)
def test_what_cannot_be_meant_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"[Aa]dversarial"):
        make("losses", "adversarial", **fields)
