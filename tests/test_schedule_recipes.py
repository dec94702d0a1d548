"""The shipped recipes of schedules, averages and ensembles end where their first lines say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nnctl
from nnctl.graph.build import build
from nnctl.training.rate_range import find_rate

FOLDER = Path(__file__).parent.parent / "specs" / "recipes"
ON_DIGITS = ("plateau", "exponential", "polynomial", "swa", "large_batch", "rate_range")


def train(name: str, run: Path, *overrides: str) -> nnctl.RunResult:
    return nnctl.train(nnctl.load_spec(FOLDER / f"{name}.yaml", overrides=overrides), run=run)


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_DIGITS)
def test_tells_the_test_digits_apart(tmp_path: Path, name: str) -> None:
    promised = re.search(r"Expect: (\d+)% or more of the test digits", (FOLDER / f"{name}.yaml").read_text())
    assert promised is not None
    train(name, tmp_path / "run")
    accuracy = nnctl.evaluate(tmp_path / "run").accuracy
    assert accuracy is not None
    assert accuracy >= int(promised[1]) / 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "without", "measure", "share"),
    [
        ("plateau", "train.schedule=constant", "val_loss", 0.3),
        ("exponential", "train.schedule=constant", "val_loss", 0.3),
        ("polynomial", "train.schedule=constant", "val_loss", 0.3),
        ("swa", "train.ema=null", "val_loss", 0.5),
        ("large_batch", "train.schedule=constant", "train_loss", 0.3),
    ],
)
def test_ends_lower_than_without(tmp_path: Path, name: str, without: str, measure: str, share: float) -> None:
    last = train(name, tmp_path / "with").metrics[measure]
    assert last < share * train(name, tmp_path / "without", without).metrics[measure]


@pytest.mark.slow
def test_the_range_test_proposes_the_recipes_rate() -> None:
    spec = nnctl.load_spec(FOLDER / "rate_range.yaml")
    assert spec.train is not None
    proposed = find_rate(build(spec), "cpu").proposed
    assert spec.train.optimizer.lr / 1.5 < proposed < 1.5 * spec.train.optimizer.lr


@pytest.mark.slow
def test_an_ensemble_errs_as_theory_says(tmp_path: Path) -> None:
    train("bagging", tmp_path / "run")
    found = nnctl.evaluate(tmp_path / "run").ensemble
    assert found is not None
    assert found.measured == pytest.approx(found.predicted, rel=1e-12)
    assert found.measured == pytest.approx(4409, rel=0.05)
    assert found.measured < min(found.alone), "the mean is better than every member"
