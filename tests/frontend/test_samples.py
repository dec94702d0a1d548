"""What is wrong with the data section is told before any sample is read, in the place where it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.graph.build import build, build_text
from nnctl.spec.load import loads
from tests.frontend.helpers import problem_of

SPEC = """
name: test
data: {dataset: digits}
model:
  layers: [flatten, linear: $classes]
train: {epochs: 1, loss: cross_entropy, optimizer: {sgd: {lr: 0.1}}}
"""
NUMBERS = ["data.dataset=diabetes", "model.layers=[linear: 1]", "train.loss=mse"]
LETTERS = ["model.layers=[embedding: 2, flatten, linear: $classes]"]


def text_set(folder: Path) -> str:
    """Return the override that makes labelled lines the data set: samples that are codes alone."""
    file = folder / "lines.tsv"
    file.write_text("p\tabc\nq\tbcd\n" * 10, encoding="utf-8")
    return f"data.dataset={{text: {{path: {file}, length: 3}}}}"


@pytest.mark.parametrize(
    ("overrides", "message", "place", "hint"),
    [
        (
            ["data.transform=[invert, mixup]"],
            "`mixup` is random, and transforms are not",
            ("data.transform[1]", 25),
            "write it under `augment`",
        ),
        (
            ["data.streams={other: {dataset: digits, transform: [rotation: 5]}}"],
            "`rotation` is random, and transforms are not",
            ("data.streams.other.transform[0]", 52),
            "write it under `augment`",
        ),
        (
            ["data.streams={other: {dataset: digits, augment: [horizontal_flip, cutmix]}}"],
            "`cutmix` blends targets, and those of a stream are not used",
            ("data.streams.other.augment[1]", 67),
            "remove it",
        ),
        (
            ["data.streams={other: {dataset: digits, augment: [{cutout: 99}]}}"],
            "`cutout` would hide whole images",
            ("data.streams.other.augment[0]", 50),
            "give a smaller size",
        ),
        (
            [*NUMBERS, "data.label_noise=0.2"],
            "`label_noise` is for classes, and the data set's target is a number",
            ("data.label_noise", 18),
            "remove it",
        ),
    ],
)
def test_mistakes_are_found_where_they_are_written(
    overrides: list[str], message: str, place: tuple[str, int], hint: str
) -> None:
    problem = problem_of(SPEC, overrides)
    assert problem.message == message
    assert (problem.where, problem.position.column) == place
    assert problem.hint == hint


@pytest.mark.parametrize("override", ["data.transform=[invert]", "data.augment=[mixup]"])
def test_codes_cannot_be_changed_as_numbers(tmp_path: Path, override: str) -> None:
    problem = problem_of(SPEC, [text_set(tmp_path), *LETTERS, override])
    assert problem.message.endswith("is for numbers")
    assert problem.details == ("samples are codes, such as letters",)


@pytest.mark.parametrize(
    ("overrides", "where"),
    [
        (["data.validation=1.0"], "data.validation"),
        (["data.subset=20", "data.validation=20"], "data.validation"),
        (["data.subset=0.0001"], "data.subset"),
        (["data.subset=20", "data.validation=19"], None),
        (["data.subset=1"], None),
    ],
)
def test_cuts_leave_something_to_train_on(overrides: list[str], where: str | None) -> None:
    refusals = [refusal for refusal in build_text(SPEC, overrides).refusals if refusal.code == "no-samples"]
    assert [refusal.where for refusal in refusals] == ([where] if where else [])


def test_a_stream_that_is_not_there_is_named_unless_only_the_network_is_wanted(tmp_path: Path) -> None:
    gone = f"data.streams={{other: {{dataset: {{csv: {{path: {tmp_path / 'gone.csv'}, target: y}}}}}}}}"
    problem = problem_of(SPEC, [gone])
    assert problem.message == "the shape of `other` is not known before it is read"
    assert problem.details == (f"there is no file {tmp_path / 'gone.csv'}",)
    assert problem.where == "data.streams.other.dataset"
    assert build(loads(SPEC, [gone]), look=False).parameters == 650


def test_a_broken_data_set_is_told_once(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a,y\n1,p\n2,q\n", encoding="utf-8")
    layers = "model.layers=[from: data.b, linear: $classes]"
    columns = "{csv: {path: FILE, target: z, columns: {b: number}}}".replace("FILE", str(file))
    assert "has no target column `z`" in problem_of(SPEC, [f"data.dataset={columns}", layers]).message
