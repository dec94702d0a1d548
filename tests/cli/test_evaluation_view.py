"""What `nnctl eval` prints of its measures."""

from __future__ import annotations

import io

import pytest

from nnctl.cli.render.evaluation import print_evaluation
from nnctl.cli.terminal import terminal
from nnctl.evaluation.checkpoint import ClassResult, EvalResult


@pytest.mark.parametrize(("classes", "told"), [(2, False), (5, False), (6, True)])
def test_the_first_five_are_told_where_they_say_something(classes: int, told: bool) -> None:
    each = tuple(ClassResult(str(number), 3, 2, 2 / 3) for number in range(classes))
    result = EvalResult("test", 3 * classes, loss=0.5, accuracy=2 / 3, error=1 / 3, top5=1.0, per_class=each)
    stream = io.StringIO()
    print_evaluation(result, terminal(stream))
    assert ("top5" in stream.getvalue()) == told
    assert "accuracy" in stream.getvalue()
