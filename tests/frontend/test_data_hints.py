"""What an error says of `$classes` and of the first layer where the data is the cause."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frontend.helpers import problem_of

ROWS = "age,weight,kind,price\n1,2.5,a,10.5\n2,3.5,b,11.5\n3,1.5,a,12.5\n4,2.0,b,9.75\n5,1.0,a,8.5\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    file = tmp_path / "table.csv"
    file.write_text(ROWS, encoding="utf-8")
    return file


def text(dataset: str, layers: str) -> str:
    return f"name: test\ndata:\n  dataset: {{{dataset}}}\nmodel:\n  layers: [{layers}]\n"


@pytest.mark.parametrize("dataset", ["csv: {path: FILE, target: price}", "diabetes: {}"])
def test_a_number_to_predict_has_no_classes(table: Path, dataset: str) -> None:
    problem = problem_of(text(dataset.replace("FILE", str(table)), "{linear: $classes}"))
    assert problem.message == "`$classes` is not known here"
    assert problem.hint == "the target is a number and has no classes: write `linear: 1`"


def test_a_parameter_is_told_the_same() -> None:
    written = text("diabetes: {}", "{linear: $width}").replace("model:\n", "model:\n  params: {width: $classes}\n")
    assert problem_of(written).hint == "the target is a number and has no classes: write `linear: 1`"


def test_a_missing_file_is_one_error_where_it_is_named(tmp_path: Path) -> None:
    problem = problem_of(
        text(f"csv: {{path: {tmp_path}/none.csv, target: a}}", "{linear: $features}, {linear: $classes}")
    )
    assert problem.message == f"there is no file {tmp_path}/none.csv"
    assert (problem.position.line, problem.position.column) == (3, 25)
    assert problem.hint == "correct the `path`, or say what a sample is: `model: {input: [3, 32, 32]}`"


@pytest.mark.parametrize("layers", ["{linear: 1}", "{linear: $in}"])
def test_the_fields_of_a_table_are_listed(table: Path, layers: str) -> None:
    columns = "columns: {age: number, weight: number, kind: category}"
    problem = problem_of(text(f"csv: {{path: {table}, target: price, {columns}}}", layers))
    assert problem.hint is not None
    assert "begin with `from: data.numbers` or `from: data.kind`" in problem.hint
    assert problem.hint.endswith("or write `one_hot: true` in `csv` for one vector of all columns")


def test_a_text_cannot_be_part_of_one_vector(table: Path) -> None:
    columns = "columns: {age: number, kind: {text: {length: 3}}}"
    hint = problem_of(text(f"csv: {{path: {table}, target: price, {columns}}}", "relu")).hint
    assert hint is not None
    assert "one_hot" not in hint
