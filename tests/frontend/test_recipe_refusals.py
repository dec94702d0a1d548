"""Losses and penalties that cannot work are refused before anything is read, with line and cure."""

from __future__ import annotations

import pytest

from tests.frontend.helpers import problem_of

SPEC = """\
name: bad
data:
  dataset: {dataset}
model:
  layers:
    - flatten
    - linear: {outputs}
train:
  epochs: 1
  loss: {loss}
  optimizer: {{sgd: 0.1}}
  penalties: {penalties}
"""


@pytest.mark.parametrize(
    ("loss", "message", "hint"),
    [
        (
            "{cross_entropy: {weights: [1, 2]}}",
            "`weights` of `cross_entropy` has 2 numbers, there are 10 classes",
            "write 10 numbers",
        ),
        (
            "{cross_entropy: {weights: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}}",
            "`weights` of `cross_entropy` is 0 for every class",
            "let some class count",
        ),
        ("{focal: {alpha: [1, 2, 3]}}", "`alpha` of `focal` has 3 numbers, there are 10 classes", "write 10 numbers"),
        ("{focal: {gamma: -1}}", "`gamma` is -1, expected a number of at least 0", None),
        ("[cross_entropy, {adversarial: {epsilon: 0}}]", "`epsilon` is 0, expected a number above 0", None),
        ("[cross_entropy, adversarial]", "`adversarial` needs `epsilon`", "write `epsilon: …`, a number above 0"),
        (
            "{adversarial: {epsilon: 0.1}}",
            "`adversarial` alone: in evaluation no loss is left",
            "add the loss that the network is for, such as `- cross_entropy`",
        ),
        ("[cross_entropy, mmd]", "`mmd` needs `against`", "write `mmd: …`, the name of a stream"),
        (
            "[cross_entropy, {mmd: other}]",
            "there is no stream `other`",
            "name it under `data`: `streams: {NAME: {dataset: …}}`",
        ),
        ("[cross_entropy, {triplet: {margin: 0}}]", "`margin` is 0, expected a number above 0", None),
    ],
)
def test_losses(loss: str, message: str, hint: str | None) -> None:
    found = problem_of(SPEC.format(dataset="digits", outputs="$classes", loss=loss, penalties="[]"))
    assert (found.message, found.hint, found.position.line) == (message, hint, 10)


def test_metric_losses_need_two_classes() -> None:
    dataset = "{points: {x: [[0, 1], [1, 0]], y: [0, 0]}}"
    found = problem_of(SPEC.format(dataset=dataset, outputs="3", loss="triplet", penalties="[]"))
    assert found.message == "`triplet` sets classes apart, and the data set has a single one"
    assert found.position.line == 10


@pytest.mark.parametrize(
    ("penalties", "message"),
    [
        ("[{l1: -1}]", "`strength` is -1, expected a number of at least 0"),
        ("[{l3: 1}]", "there is no penalty `l3`"),
        (
            "[{l1: {strength: 1, layers: [flatten1]}}]",
            "`flatten1` has no weights: biases, gains and shifts are not penalised",
        ),
        ("[{max_norm: 0}]", "`bound` is 0, expected a number above 0"),
        ("[{singular_value_bounding: {epsilon: 0}}]", "`epsilon` is 0, expected a number above 0"),
        ("[{singular_value_bounding: {every: 0}}]", "`every` is 0, expected a whole number of at least 1"),
        ("[{unit_norm: columns}]", '`of` is "columns", expected rows or spectral'),
    ],
)
def test_penalties(penalties: str, message: str) -> None:
    found = problem_of(SPEC.format(dataset="digits", outputs="$classes", loss="cross_entropy", penalties=penalties))
    assert (found.message, found.position.line) == (message, 12)


def test_a_single_output_cannot_weigh_class_0_below_zero() -> None:
    found = problem_of(SPEC.format(dataset="xor", outputs="1", loss="{focal: {alpha: 2}}", penalties="[]"))
    assert found.message == "`alpha` of `focal` is 2: class 0 would weigh 1 − α"
