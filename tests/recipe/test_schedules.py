"""Schedules against closed forms and torch's schedulers."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytest
import torch
from pydantic import ValidationError
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    StepLR,
)

from nnctl.kinds.schedules.plateau import Plateau
from nnctl.training.choice import Drops
from tests.recipe.helpers import make

STEPS, PER_EPOCH = 60, 6


def factors(kind: str, **fields: Any) -> list[float]:
    schedule = make("schedules", kind, **fields)
    return [schedule.factor_at(step, STEPS, PER_EPOCH) for step in range(STEPS)]


def torchs(make_scheduler: Any, per: int = 1) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler: LRScheduler = make_scheduler(optimizer)
    found = []
    for step in range(STEPS):
        found.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if (step + 1) % per == 0 and step + 1 < STEPS:
            scheduler.step()
    return found


def test_constant() -> None:
    assert factors("constant") == [1.0] * STEPS


def test_step_is_torchs() -> None:
    expected = torchs(lambda o: StepLR(o, step_size=3, gamma=0.5), PER_EPOCH)
    assert factors("step", every=3, factor=0.5) == pytest.approx(expected, rel=1e-12)


def test_milestones_are_torchs() -> None:
    expected = torchs(lambda o: MultiStepLR(o, milestones=[2, 7], gamma=0.1), PER_EPOCH)
    assert factors("step", milestones=[2, 7]) == pytest.approx(expected, rel=1e-12)


def test_drops_come_at_epochs_counted_from_the_start_whatever_the_warm_up() -> None:
    warmed, plain = factors("step", every=3, factor=0.5, warmup=0.1), factors("step", every=3, factor=0.5)
    assert warmed[6:] == plain[6:]


def test_cosine_is_torchs() -> None:
    expected = torchs(lambda o: CosineAnnealingLR(o, T_max=STEPS, eta_min=0.2))
    assert factors("cosine", final=0.2) == pytest.approx(expected, rel=1e-9)


def test_cosine_after_warm_up() -> None:
    found = factors("cosine", warmup=0.25)
    assert found[:15] == pytest.approx([(t + 1) / 16 for t in range(15)])
    assert found[15:] == pytest.approx([(1 + math.cos(math.pi * t / 45)) / 2 for t in range(45)])


@pytest.mark.parametrize(("anneal", "torchs_name"), [("cosine", "cos"), ("linear", "linear")])
@pytest.mark.parametrize("warmup", [0.25, 0.3, 0.61])
def test_one_cycle_is_torchs(anneal: str, torchs_name: Literal["cos", "linear"], warmup: float) -> None:
    expected = torchs(
        lambda o: OneCycleLR(
            o, max_lr=1.0, total_steps=STEPS, pct_start=warmup, anneal_strategy=torchs_name, cycle_momentum=False
        )
    )
    assert factors("one_cycle", warmup=warmup, anneal=anneal) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("warmup", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_one_cycle_of_few_steps_stays_between_its_ends(steps: int, warmup: float) -> None:
    schedule = make("schedules", "one_cycle", warmup=warmup)
    assert all(0 < schedule.factor_at(step, steps, 1) <= 1 for step in range(steps))


@pytest.mark.parametrize("fields", [{}, {"every": 3, "milestones": [4]}])
def test_step_needs_one_of_two(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either `every` or `milestones`"):
        make("schedules", "step", **fields)


def test_the_last_change_is_known() -> None:
    assert make("schedules", "step", every=3).longest_epoch() == 3
    assert make("schedules", "step", milestones=[2, 9, 7]).longest_epoch() == 9
    assert make("schedules", "cosine").longest_epoch() is None


def test_exponential_is_torchs() -> None:
    expected = torchs(lambda o: ExponentialLR(o, gamma=0.7), PER_EPOCH)
    assert factors("exponential", gamma=0.7) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.5])
def test_polynomial_is_torchs(power: float) -> None:
    expected = torchs(lambda o: PolynomialLR(o, total_iters=STEPS, power=power))
    assert factors("polynomial", power=power) == pytest.approx(expected, rel=1e-9)
    assert factors("polynomial", power=power, final=0.2)[0] == 1.0
    assert factors("polynomial", power=power, final=0.2)[-1] == pytest.approx(0.2 + 0.8 * (1 / STEPS) ** power)


@pytest.mark.parametrize(("metric", "mode"), [("val_loss", "min"), ("val_accuracy", "max")])
@pytest.mark.parametrize(("patience", "cooldown", "min_delta"), [(1, 0, 0.0), (3, 0, 0.05), (2, 3, 0.0), (1, 1, 0.1)])
def test_plateaus_are_torchs(metric: str, mode: Any, patience: int, cooldown: int, min_delta: float) -> None:
    rule = make("schedules", "plateau", factor=0.5, patience=patience, cooldown=cooldown, min_delta=min_delta)
    assert isinstance(rule, Plateau)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = ReduceLROnPlateau(
        optimizer, mode, 0.5, patience - 1, min_delta, threshold_mode="abs", cooldown=cooldown, eps=0.0
    )
    drops, found, expected = Drops(), [], []
    for value in torch.rand(60, generator=torch.Generator().manual_seed(3)).tolist():
        drops = drops.after(rule, metric, value)
        theirs.step(value)
        found.append(drops.factor)
        expected.append(optimizer.param_groups[0]["lr"])
    assert found == pytest.approx([max(factor, 0.0) for factor in expected])
    assert len(set(found)) > 3


def test_a_plateau_does_not_go_below_its_least_factor() -> None:
    rule = make("schedules", "plateau", patience=1, least=0.05)
    assert isinstance(rule, Plateau)
    drops = Drops()
    for _ in range(9):
        drops = drops.after(rule, "val_loss", 1.0)
    assert drops.factor == 0.05


def test_the_rate_scales_with_the_batch() -> None:
    assert make("schedules", "constant", base_batch=256).scale(1024) == 4.0
    assert make("schedules", "constant").scale(1024) == 1.0
