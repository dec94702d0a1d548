"""Early stopping in both of its forms, against the rules written out by hand."""

from __future__ import annotations

from random import Random

import pytest

from nnctl.spec.sections import EarlyStopping
from nnctl.training.choice import Patience


def stops_by_hand(values: list[float], epsilon: float, patience: int) -> int | None:
    """Return the first epoch that ends `patience` epochs in a row not below the lowest value by more than ε."""
    lowest, wasted = float("inf"), 0
    for epoch, value in enumerate(values, 1):
        if value < lowest - epsilon:
            lowest, wasted = value, 0
        else:
            wasted += 1
        if wasted == patience:
            return epoch
    return None


@pytest.mark.parametrize(
    "rule",
    [
        EarlyStopping(monitor="val_error"),  # the back-propagation algorithm's: the first epoch that is no better
        EarlyStopping(monitor="val_error", min_delta=1 / 32),  # with ε: no better by more than that
        EarlyStopping(monitor="val_error", min_delta=1 / 32, patience=4),
    ],
)
def test_stops_at_the_epoch_of_the_rule(rule: EarlyStopping) -> None:
    draw = Random(7)
    for _ in range(300):
        values = [round(64 * 0.9**epoch + draw.uniform(-4, 4)) / 64 for epoch in range(25)]  # exact, with ties
        memory, stopped = Patience(), None
        for epoch, value in enumerate(values, 1):
            memory = memory.after("val_error", value, rule.min_delta)
            if memory.epochs >= rule.patience:
                stopped = epoch
                break
        assert stopped == stops_by_hand(values, rule.min_delta, rule.patience)


def test_the_defaults_are_the_algorithms_own_rule() -> None:
    rule = EarlyStopping(monitor="val_error")
    assert (rule.min_delta, rule.patience, rule.restore_best) == (0.0, 1, False)
