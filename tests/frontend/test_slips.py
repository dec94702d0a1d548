"""Slips in YAML are told where they were made, not where the parser stumbles."""

from __future__ import annotations

import pytest

from tests.frontend.helpers import problem_of, problems_of, spec


@pytest.mark.parametrize(
    ("text", "message", "line", "hint"),
    [
        ("train:\n  epochs 30\n  seed: 1\n", "line 2 has no `: `", 2, "write `epochs: 30`"),
        ("train:\n  epochs:30\n  seed: 1\n", "line 2 has no `: `", 2, "write `epochs: 30`"),
        ("train:\n  epochs:30  # all\n\n  # so\n  seed: 1\n", "line 2 has no `: `", 2, "write `epochs: 30`"),
        ("train:\n  seed: 1\n  epochs 30\n", "line 3 has no `: `", 3, "write `epochs: 30`"),
        ("a:\n  - relu\n  linear: 10\n", "line 3 is in a list and has no `- `", 3, "write `- linear: 10`"),
        ("a:\n  relu\n  - linear: 10\n", "line 2 is in a list and has no `- `", 2, "write `- relu`"),
        ("a: 1\nb: [1, 2\nc: 3\n", "the `[` of line 2 is not closed", 3, "write `]` at its end"),
        ("b: {c: 1\n\n", "the `{` of line 1 is not closed", 3, "write `}` at its end"),
    ],
)
def test_the_line_that_slipped_is_named(text: str, message: str, line: int, hint: str) -> None:
    problem = problem_of(text)
    assert problem.message == f"this is not valid YAML: {message}"
    assert problem.position.line == line
    assert (problem.hint or "").startswith(hint)


@pytest.mark.parametrize("entry", ["linear 10", "linear:10"])
def test_an_entry_without_a_space_behind_its_colon(entry: str) -> None:
    assert problem_of(spec(f"- {entry}")).hint == "`: ` is missing: write `linear: 10`"


def test_a_decimal_comma() -> None:
    recipe = "{epochs: 1, loss: cross_entropy, optimizer: {sgd: {lr: 0,01}}}"
    found = problems_of(f"name: a\ndata: {{dataset: digits}}\nmodel: {{layers: [relu]}}\ntrain: {recipe}\n")
    assert (4, "write a decimal point: 0.01") in [(problem.position.line, problem.hint) for problem in found]
