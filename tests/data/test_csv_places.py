"""A cell that is no number, or missing, is named with its line and column, and with what to write instead."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path
from typing import Literal

import pytest

from nnctl.data.csv_table import fresh_rows
from nnctl.data.progress import silent
from nnctl.errors import DataError, Problem, render_problem
from nnctl.kinds.datasets._csv_columns import Column, Table
from nnctl.kinds.datasets.base import Dataset
from tests.data.samples import dataset

TEXTS = ("plain", "", 'say "x"', "one\ntwo", "p;q|r\ts, t", "  wide", "naïve")


def table(file: Path, content: str, more: str = "") -> Dataset:
    file.write_text(content, encoding="utf-8", newline="")
    return dataset(f"csv: {{path: {file}, target: y{', ' + more if more else ''}}}")


def problem_of(component: Dataset) -> Problem:
    with pytest.raises(DataError) as caught:
        component.read(Path(), "train", 0, silent)
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
@pytest.mark.parametrize("seed", range(5))
def test_line_and_column_of_a_cell_are_where_the_file_has_it(
    delimiter: str, quoting: Literal[0, 1], seed: int, tmp_path: Path
) -> None:
    draw = random.Random(seed)
    rows = [[draw.choice(TEXTS), str(i), draw.choice(TEXTS), str(i % 2)] for i in range(9)]
    rows[draw.randrange(4, 9)][1] = "@@"
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=draw.choice(["\n", "\r\n"]))
    writer.writerows([["a", "b", "c", "y"], *rows])
    raw = text.getvalue()
    before = raw[: raw.index("@@") - (quoting == csv.QUOTE_ALL)]
    columns = "columns: {a: {text: {length: 3}}, b: number, c: {text: {length: 3}}}"
    found = problem_of(table(tmp_path / "t.csv", raw, columns))
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert (found.position.line, found.position.column) == (line, column)


def test_spaces_behind_a_delimiter_are_not_the_cell(tmp_path: Path) -> None:
    found = problem_of(table(tmp_path / "t.csv", "a, b, y\n1, 2, 0\n3,   x, 1\n5, 6, 0\n", "columns: {b: number}"))
    assert (found.position.line, found.position.column) == (3, 6)


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("3,5", "write a decimal point: 3.5"),
        ("-0,125", "write a decimal point: -0.125"),
        ("1,250", "write thousands without a comma, decimals with a point: 1250 or 1.250"),
        ("1,250.5", "write it without thousands marks: 1250.5"),
        ("12 000", "write it without thousands marks: 12000"),
        ("1'000'000", "write it without thousands marks: 1000000"),
        ("10%", "write the number alone in every row: 10"),
        ("2.5 %", "write the number alone in every row: 2.5"),
        ("1.2.3", "correct it"),
        ("12 00", "correct it"),
    ],
)
@pytest.mark.parametrize("number", ["x", "y"])
def test_numbers_written_in_another_way_say_how_to_write_them(
    cell: str, hint: str, number: str, tmp_path: Path
) -> None:
    rows = "".join(f"{i}.5;{i}.25\n" for i in range(3))
    bad = f"{cell};1.5\n" if number == "x" else f"1.5;{cell}\n"
    found = problem_of(table(tmp_path / "t.csv", f"x;y\n{rows}{bad}"))
    assert found.message == f'row 4: `{number}` is "{cell}", expected a number'
    assert (found.hint or "").startswith(f"{hint}, or ")
    assert (found.position.line, found.position.column) == (5, 1 if number == "x" else 5)


@pytest.mark.parametrize("form", ["{},5", "{}%", "{} 000"])
def test_a_whole_column_of_them_is_no_category(form: str, tmp_path: Path) -> None:
    rows = "".join(f"{form.format(i + 1)};{'ab'[i % 2]}\n" for i in range(6))
    found = problem_of(table(tmp_path / "t.csv", f"x;y\n{rows}"))
    assert found.message == f'row 1: `x` is "{form.format(1)}", expected a number'
    stated = table(tmp_path / "t.csv", f"x;y\n{rows}", "columns: {x: category}")
    assert stated.read(Path(), "train", 0, silent).fields["input"].tolist() == list(range(6))
    targets = "".join(f"{i};{form.format(i + 1)}\n" for i in range(6))
    assert "`y` is" in problem_of(table(tmp_path / "t.csv", f"x;y\n{targets}")).message
    classes = table(tmp_path / "t.csv", f"x;y\n{targets}", "task: classification")
    assert len(classes.read(Path(), "train", 0, silent).class_names or ()) == 6


def test_an_empty_cell_is_refused_filled_or_a_level_of_its_own(tmp_path: Path) -> None:
    content = "n,k,s,y\n1,a,hi,0\n,b,ho,1\n3,,he,0\n5,a,,1\n"
    columns = "columns: {{n: number, k: category, s: {{text: {{length: 2}}}}}}, missing: {}"
    refused = table(tmp_path / "t.csv", content, columns.format("refuse"))
    assert problem_of(refused).message == "row 2: `n` is empty"
    assert problem_of(table(tmp_path / "t.csv", content.replace("\n,b", "\n2,b"))).message == "row 3: `k` is empty"
    filled = table(tmp_path / "t.csv", content, columns.format("mean")).read(Path(), "train", 0, silent)
    assert filled.fields["k"].tolist() == [1, 2, 0, 1], "nothing, a, b"
    assert filled.fields["s"][3].tolist() == [0, 0]
    text = table(tmp_path / "t.csv", content, "columns: {s: {text: {length: 2}}}").read(Path(), "train", 0, silent)
    assert text.fields["input"][3].tolist() == [0, 0], "a text may be empty"


def fresh_problem(content: bytes, gaps: bool = False) -> Problem:
    columns = (Column("n", "number"), Column("k", "category", ("a", "b"), 2))
    return fresh_rows("-", content, Table(columns, "y", ("0", "1"), one_hot=False, gaps=gaps)).problems[0]


def test_a_new_row_cannot_be_told_to_change_the_training() -> None:
    assert fresh_problem(b"n,k\n,a\n").hint == "fill it, or remove the row"
    assert fresh_problem(b"n,k\n1,\n").hint == "fill it, or remove the row"
    assert fresh_problem(b"n,k\n1,\n", gaps=True).hint == "fill it, or remove the row"


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"", "the piped input is empty", "its first line names the columns"),
        (b"n,k\n", "the piped input has a heading, but no rows", "give rows to predict"),
        (b"m,k\n1,a\n", "the piped input has no column `n`", "columns: k, m"),
        (b"3,a\n4,b\n", "the piped input has no column `n`", "the first line names the columns: put such a line"),
        (b"n k\n3 a\n", "the piped input has no column `n`", "its only column is `n k`; columns are parted by"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\r", "the piped input is not text", "give a text file in UTF-8"),
        (b"\xff\xfen\0,\0k\0\n\0", "the piped input is UTF-16, expected UTF-8", "save it as UTF-8"),
    ],
)
def test_what_is_piped_in_is_called_so(content: bytes, message: str, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        fresh_problem(content)
    (found,) = caught.value.problems
    assert found.message == message
    assert (found.hint or "").startswith(hint)


def test_a_place_in_what_is_piped_in() -> None:
    found = fresh_problem(b"\xef\xbb\xbfn;k;more\r\n1;a;z\r\n4,5;a;z\r\n")
    assert (found.position.file, found.position.line, found.position.column) == ("-", 3, 1)
    assert "--> the piped input:3:1" in render_problem(found)
