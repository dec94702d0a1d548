"""Slips in YAML are told where they were made, not where the parser stumbles."""

from __future__ import annotations

import pytest

from nnctl.graph.build import build_text
from nnctl.spec.resolved import dump
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
        ("a:\n  - linear: 2\n  relu\n  - relu\n", "line 3 is in a list and has no `- `", 3, "write `- relu`"),
        ("a:\n  - relu\n  linear: 2\nb: 1\n", "line 3 is in a list and has no `- `", 3, "write `- linear: 2`"),
        ("a:\n  linear: 2\n  - relu\n", "line 2 is in a list and has no `- `", 2, "write `- linear: 2`"),
        ("a: 1\nb: [1, 2\nc: 3\n", "the `[` of line 2 is not closed", 3, "write `]` at its end"),
        ("b: {c: 1\n\n", "the `{` of line 1 is not closed", 3, "write `}` at its end"),
        ("b: {c: 1]\n", "the `{` is closed with `]`", 1, "write `}` before it or in its place"),
        ("b: {c: 1}}\n", "there is no bracket that this `}` closes", 1, "remove it"),
        ("b: {c: 1};\n", "a value goes on behind its closing `}`", 1, "remove what follows"),
        ("a: 'it's'\nb: 1\n", "a value goes on behind its closing quote", 1, "quote all of it"),
        ('a: [1, "x" y]\n', "a value goes on behind its closing quote", 1, "quote all of it"),
        ('a: 1\nb: "x\nc: 1\n', "the quote that opens here is not closed", 2, 'write `"` at the end'),
        ("train:\n  epochs = 30\n  seed: 1\n", "line 2 has no `: `", 2, "write `epochs: 30`"),
        ("train:\n  epochs=30\n  seed: 1\n", "line 2 has no `: `", 2, "write `epochs: 30`"),
        ("train:\n  epochs -> 30\n  seed: 1\n", "line 2 has no `: `", 2, "write `epochs: 30`"),
        ("train:\n  epochs\uff1a30\n  seed: 1\n", "there is a full-width `\uff1a`", 2, "write `:`"),
        ("a: {b: {c: 1\uff0cd: 2}}\n", "there is a full-width `\uff0c`", 1, "write `,`"),
        ("a:\n  b:\u00a01\n  c: 1\n", "there is a no-break space", 2, "write a plain space"),
        ("a:\n\tb: 1\n", "the line is indented with a tab", 2, "indent with spaces, not tabs"),
        ("a:\n  - linear: 2\n  -\trelu\n", "there is a tab", 3, "write a space in its place"),
        ("a: 1\t\n", "the line ends with a tab", 1, "remove it"),
        ("a: %1\n", "a value cannot begin with %", 1, 'quote it: "%1"'),
        ("a:\n  - linear: 2\n  -relu\n", "line 3 has no space behind its `-`", 3, "write `- relu`"),
        ("a:\n  -relu\n  - linear: 2\n", "line 2 has no space behind its `-`", 2, "write `- relu`"),
        ("a:\n  - relu\n  -linear: 2\n", "line 3 has no space behind its `-`", 3, "write `- linear: 2`"),
        ("a:\n  - linear: 2\n  * relu\n", "line 3 begins with `*`", 3, "write `- relu`"),
        ("a:\n  - linear: 2\n  \u2013 relu\n", "line 3 begins with `\u2013`", 3, "write `- relu`"),
        ("a: sgd: 0.1\n", "the value holds another `: `", 1, "write `a: {sgd: 0.1}`, or"),
        ("a: deep net\n  lr: 1\n", "line 2 is below line 1, which has a value already", 2, "begin both in the same"),
        ("a:\n  b: sgd\n    lr: 1\n", "line 3 is below line 2, which has a value already", 3, "begin both in the same"),
        ("a:\n   b: 1\n  c: 1\n", "line 3 begins in column 3, where nothing above it does", 3, "the lines of one"),
        (
            "a:\n   b: 1\n  c: 1\n  d: 1\n",
            "line 2 begins in column 4, the lines after it in column 3",
            2,
            "begin it in",
        ),
        (
            "a:\n   - b: 1\n  - c\n  - d\n",
            "line 2 begins in column 4, the lines after it in column 3",
            2,
            "begin it in",
        ),
        ("a:\n - b: 1\n  - c\n  - d\n", "line 2 begins in column 2, the lines after it in column 3", 2, "begin it in"),
        (
            "a:\n   - b: 1\n   - c\n  - d\n  - e\n",
            "line 4 begins in column 3, where no entry of a list above it does",
            4,
            "the lines of one",
        ),
        (
            "a:\n  - b\n   - c: 1\n  - d\n",
            "line 3 begins in column 4, where no entry of a list above it does",
            3,
            "the lines of one list or mapping begin in the same column, here 3",
        ),
    ],
)
def test_the_line_that_slipped_is_named(text: str, message: str, line: int, hint: str) -> None:
    problem = problem_of(text)
    assert problem.message.removeprefix("this is not valid YAML: ") == message
    assert problem.position.line == line
    assert (problem.hint or "").startswith(hint)


@pytest.mark.parametrize(
    ("layers", "message", "line", "hint"),
    [
        (
            "- relu\n  tanh\n",
            "line 6 goes on with the value of line 5: `relu tanh`",
            6,
            "begin an entry of a list with `- `",
        ),
        ("- linear: 3\n    tanh\n", "line 6 goes on with the value of line 5: `3 tanh`", 6, "begin an entry of a list"),
        ("-relu\n-tanh\n", "line 5 has no space behind its `-`", 5, "write `- relu`"),
        ("- relu\n  -tanh\n", "line 6 has no space behind its `-`", 6, "write `- tanh`"),
    ],
)
def test_a_word_with_more_lines_below_it_is_refused(layers: str, message: str, line: int, hint: str) -> None:
    problem = problem_of(spec(layers))
    assert (problem.message, problem.position.line) == (message, line)
    assert (problem.hint or "").startswith(hint)


def test_a_value_before_a_list() -> None:
    problem = problem_of("name: a\nmodel:\n  input: [3]\n  layers: all\n    - relu\n")
    assert (problem.message, problem.position.line) == ("line 4 has a value, and a list below it", 4)


def test_long_texts_may_be_broken_in_lines() -> None:
    words = "a line that is broken where no slip would be, in the way that long texts are, by hand or by a program"
    built = build_text(f"name: a\ndescription: short\n  and broken, {words}\nmodel:\n  input: [3]\n  layers: [relu]\n")
    assert built.spec.description == f"short and broken, {words}"
    classes = [words, words.replace(" ", "_") + " with one space"]
    path = f"/{'folder_' * 20}/my rows.csv"
    text = dump({"name": "a", "data": {"dataset": {"csv": {"path": path, "target": "y", "classes": classes}}}})
    assert "/my\n" in text
    facts = build_text(text + "model: {input: [3], layers: [relu]}\n").facts
    assert facts is not None
    assert facts.class_names == tuple(classes)


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("$classes * 2", "write `$(classes * 2)`"),
        ("$(classes * 2", "write `$(classes * 2)`"),
        ("${classes}", "write `$classes`"),
        ("$a, $b", "write `$name` or `$(…)`"),
    ],
)
def test_what_a_dollar_was_meant_for(written: str, hint: str) -> None:
    assert problem_of(spec(f"- linear: {written}")).hint == hint


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("linear(10)", "write `linear: {…}`, with `name: value` for each field"),
        ("linear\uff1a10", "`: ` is missing: write `linear: 10`"),
    ],
)
def test_an_entry_written_as_elsewhere(entry: str, hint: str) -> None:
    assert problem_of(spec(f"- {entry}")).hint == hint


@pytest.mark.parametrize("entry", ["linear 10", "linear:10", "linear=10"])
def test_an_entry_without_a_space_behind_its_colon(entry: str) -> None:
    assert problem_of(spec(f"- {entry}")).hint == "`: ` is missing: write `linear: 10`"


def test_a_decimal_comma() -> None:
    recipe = "{epochs: 1, loss: cross_entropy, optimizer: {sgd: {lr: 0,01}}}"
    found = problems_of(f"name: a\ndata: {{dataset: digits}}\nmodel: {{layers: [relu]}}\ntrain: {recipe}\n")
    assert (4, "write a decimal point: 0.01") in [(problem.position.line, problem.hint) for problem in found]
