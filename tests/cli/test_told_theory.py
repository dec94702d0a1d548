"""The lines of `inspect` that hold what was measured against theory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nnctl.cli.render.theory import told_theory
from nnctl.diagnosis.signals import inspect
from tests.diagnosis.helpers import spec_of

LABS = Path(__file__).parents[2] / "specs" / "labs"
_LINE = re.compile(r"(.*) at (.*) over (.*): measured (.*), theory ([^ ]*)(?: \((.*) … (.*)\))?")


@pytest.mark.parametrize(
    ("spec", "published"), [("sigmoid30", 5.9e-19), ("tanh30", 0.158), ("relu30", 1.0), ("chain", 0.8**29)]
)
def test_the_error_of_the_textbook_networks(spec: str, published: float) -> None:
    result = inspect(LABS / f"{spec}.yaml", random=True)
    lines = [match for line in told_theory(result) if (match := _LINE.fullmatch(line))]
    assert [(line[1], line[2], line[3]) for line in lines] == [
        ("‖δ‖", "repeat1.1.linear1", "repeat1.30.linear1"),
        ("signal", "repeat1.30.linear1", "repeat1.1.linear1"),
    ]
    assert float(lines[0][5]) == pytest.approx(published, rel=0.02)
    assert float(lines[0][6]) < float(lines[0][4]) < float(lines[0][7])


def test_nothing_is_told_where_theory_begins_anew() -> None:
    images = [{"conv": 4}, "relu", {"max_pool": 2}, {"conv": 4}, "relu", "flatten", {"linear": 3}]
    result = inspect(spec_of(images, model={"input": [3, 8, 8]}, loss="cross_entropy"))
    assert list(told_theory(result)) == []
    assert list(told_theory(inspect(spec_of([{"linear": 3}], model={"input": [8]}, loss="cross_entropy")))) == []
