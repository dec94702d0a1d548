"""Numbers written as elsewhere: the error says how a spec writes them."""

from __future__ import annotations

import pytest

from tests.frontend.helpers import problems_of

RECIPE = """\
name: a
data: {dataset: digits}
model: {layers: [flatten, linear: $classes]}
train:
  epochs: EPOCHS
  loss: cross_entropy
  optimizer:
    sgd:
      lr: RATE
"""


def hints(rate: str = "0.1", epochs: str = "1") -> list[tuple[int | None, str | None]]:
    text = RECIPE.replace("RATE", rate).replace("EPOCHS", epochs)
    return [(problem.position.line, problem.hint) for problem in problems_of(text)]


@pytest.mark.parametrize(
    ("rate", "hint"),
    [
        ("0,01", "write a decimal point: 0.01"),
        ("1,250", "write thousands without a comma, decimals with a point: 1250 or 1.250"),
        ("1 000", "write it without thousands marks: 1000"),
        ("10%", "write the share: 0.1"),
        ("2.5 %", "write the share: 0.025"),
        ("1/2", "write its value: 0.5"),
        ("0.1f", "write the number alone, without `f`"),
        ("1e-3s", "write the number alone, without `s`"),
        ("0.01,", "write the number alone, without `,`"),
        ("0.1 (default)", "write the number alone, without `(default)`"),
        ("2k", "write the number in full: 2000"),
        ('"0.1"', "write it without quotes: 0.1"),
        ("1e\u22123", "write it in plain characters: 1e-3"),
        ("1/0", None),
        ("0.1 // slow", "a comment begins with ` #`"),
        ("0.1# slow", "a comment begins with ` #`"),
        ("\uff10.1", "write it in plain characters: 0.1"),
        ("fast", None),
    ],
)
def test_a_number_written_as_elsewhere(rate: str, hint: str | None) -> None:
    assert hints(rate) == [(9, hint)]


@pytest.mark.parametrize(
    ("epochs", "hint"),
    [
        ("1 000", "write it without thousands marks: 1000"),
        ("10k", "write the number in full: 10000"),
        ("5 epochs", "write the number alone, without `epochs`"),
        ("4*8", "write its value: 32"),
        ("2,5", None),  # it would not be whole
        ("10%", None),
        ("1/2", None),
    ],
)
def test_a_whole_number_written_as_elsewhere(epochs: str, hint: str | None) -> None:
    assert hints(epochs=epochs) == [(5, hint)]


def test_on_the_command_line_and_for_the_seed() -> None:
    text = RECIPE.replace("RATE", "0.1").replace("EPOCHS", "1")
    found = problems_of(text, ["train.optimizer.sgd.lr=0,5", "seed=1k"])
    assert [problem.hint for problem in found] == ["write the number in full: 1000", "write a decimal point: 0.5"]
