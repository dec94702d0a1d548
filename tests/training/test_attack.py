"""`eval --attack`: how attacks are written, and what a network's accuracy under one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.errors import UsageError
from nnctl.evaluation.attack import parse_attack
from nnctl.evaluation.checkpoint import evaluate
from nnctl.modules.adversarial import Attack
from nnctl.training.run import train
from tests.training.helpers import line, spec_of


def test_attacks_are_written_with_their_size() -> None:
    assert parse_attack("fgsm:0.1") == Attack(0.1)
    assert parse_attack("pgd:8/255") == Attack(8 / 255, 10, 2 / 255)
    assert parse_attack("pgd:0.1:5") == Attack(0.1, 5, 0.05)


@pytest.mark.parametrize(
    "text", ["", "fgsm", "fgsm:", "fgsm:0", "fgsm:-1", "fgsm:nan", "fgsm:1/0", "fgsm:0.1:3", "pgd:0.1:0", "pdg:0.1"]
)
def test_what_is_no_attack_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no attack"):
        parse_attack(text)


def test_accuracy_falls_as_the_attack_grows_and_a_weight_of_zero_changes_nothing(tmp_path: Path) -> None:
    for name, weight in (("one", 1.0), ("none", 0.0)):
        train(spec_of(epochs=2, loss={"cross_entropy": {"weight": weight}}), run=tmp_path / name)
    plain = evaluate(tmp_path / "one", split="train")
    found = [evaluate(tmp_path / "one", split="train", attack=f"fgsm:{size}") for size in (1e-9, 0.5, 2.0)]
    assert [one.accuracy for one in found] == [plain.accuracy] * 3
    robust = [one.robust_accuracy or 0.0 for one in found]
    assert robust[0] == plain.accuracy
    assert robust == sorted(robust, reverse=True)
    assert robust[2] < 0.5
    untouched, attacked = (evaluate(tmp_path / "none", split="train", attack=f"fgsm:{size}") for size in (1e-9, 0.1))
    assert (attacked.robust_loss or 0.0) > (untouched.robust_loss or 0.0) + 0.01
    assert evaluate(tmp_path / "one", split="train", attack="pgd:0.5") == evaluate(
        tmp_path / "one", split="train", attack="pgd:0.5"
    )


def test_numbers_that_are_predicted_have_no_robust_accuracy(tmp_path: Path) -> None:
    train(spec_of(epochs=1, data=line(), layers=[{"linear": 1}], loss="mse"), run=tmp_path)
    with pytest.raises(UsageError, match="names classes"):
        evaluate(tmp_path, split="train", attack="fgsm:0.1")
