"""CSV files: what is inferred, what is read, what is refused. References are Python's own csv and plain numpy."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import torch

from nnctl.data.load import load
from nnctl.data.progress import silent
from nnctl.data.samples import Samples
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets import _csv_survey
from nnctl.kinds.datasets.base import Dataset, Facts
from tests.data.samples import dataset, section

PEOPLE = """\
age,hours,work place,native-country,income
39,40,State,US,low
50,13,Self,US,low
38,40,Private,Cuba,high
53,40,Private,US,low
28,40,Private,Cuba,high
37,45,Self,India,high
"""


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write(tmp_path, PEOPLE)


def write(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def table(file: Path, target: str = "income", more: str = "") -> Dataset:
    return dataset(f"csv: {{path: {file}, target: {target}{', ' + more if more else ''}}}")


def read(component: Dataset) -> Samples:
    return component.read(Path(), "train", 0, silent)


def facts(component: Dataset) -> Facts:
    return component.facts(Path())


def problem(component: Dataset) -> Problem:
    """Return what reading refuses; where the first rows show it, looking at them says the same."""
    with pytest.raises(DataError) as reading:
        read(component)
    with pytest.raises(DataError) as looking:
        facts(component)
    assert looking.value.problems == reading.value.problems
    (found,) = reading.value.problems
    return found


def test_without_columns_one_vector_has_numbers_and_one_hot_levels(people: Path) -> None:
    found, rows = read(table(people)), list(csv.DictReader(io.StringIO(PEOPLE)))
    places, lands = ["Private", "Self", "State"], ["Cuba", "India", "US"]
    expected = [
        [float(row["age"]), float(row["hours"])]
        + [float(row["work place"] == place) for place in places]
        + [float(row["native-country"] == land) for land in lands]
        for row in rows
    ]
    assert found.fields["input"].tolist() == expected
    assert found.class_names == ("high", "low")
    assert found.target.tolist() == [1, 1, 0, 1, 0, 0]


def test_with_columns_every_category_is_a_field_of_codes(people: Path) -> None:
    columns = "columns: {hours: number, age: number, native-country: {category: 9}, work place: category}"
    component = table(people, more=columns)
    found, known = read(component), facts(component)
    assert found.fields["numbers"][:2].tolist() == [[40.0, 39.0], [13.0, 50.0]]
    assert found.fields["native_country"].tolist() == [2, 2, 0, 2, 0, 1]
    assert found.fields["work_place"].tolist() == [2, 1, 0, 0, 0, 1]
    assert {name: (shape.dims, shape.vocabulary) for name, shape in known.inputs.items()} == {
        "numbers": ((2,), None),
        "native_country": ((), 9),
        "work_place": ((), 3),
    }
    assert (known.classes, known.class_names, known.train, known.test) == (2, ("high", "low"), 5, 1)


def test_only_numbers_are_standardised_by_the_training_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(50, 9, 200)
    rows = "".join(f"{number},{'ab'[i % 2]},{i % 3}\n" for i, number in enumerate(numbers))
    splits = load(section(f"csv: {{path: {write(tmp_path, 'x,kind,y' + chr(10) + rows)}, target: y}}"), 0)
    train = numbers[splits.train.rows.numpy()]
    batch = splits.train.batch(slice(0, len(splits.train))).inputs["input"].numpy()
    assert np.allclose(batch[:, 0], (train - train.mean()) / train.std(), atol=1e-5)
    assert set(np.unique(batch[:, 1:])) == {0.0, 1.0}


def test_text_is_ascii_filled_up_on_the_left(tmp_path: Path) -> None:
    file = write(tmp_path, "name,land\nNoël,fr\nŚlusarski,pl\n東,jp\n")
    component = table(file, "land", "columns: {name: {text: {length: 6}}}")
    expected = [[0, 0, *b"Noel"], [*b"Slusar"], [0, 0, 0, 0, 0, ord("?")]]
    assert read(component).fields["input"].tolist() == expected
    known = facts(component)
    assert (known.inputs["input"].dims, known.inputs["input"].vocabulary, known.single) == ((6,), 128, "name")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_delimiter_line_ends_quotes_and_byte_order_mark(delimiter: str, end: str, tmp_path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    rows = [["a, b", 'say "x"', "y"], ["one\ntwo", "1.5", "n"], ["a, b", "2", "y"], ["p;q|r\ts", "-3e2", "n"]]
    writer.writerow(["first", "second", "answer"])
    writer.writerows(rows)
    file = write(tmp_path, b"\xef\xbb\xbf" + text.getvalue().encode())
    component = table(file, "answer", "columns: {first: category, second: category}")
    pinned = component.pinned(facts(component))
    levels = {name: role.levels for name, role in pinned.columns.items()}  # type: ignore[attr-defined]
    assert levels["first"] == tuple(sorted({row[0] for row in rows}))
    assert levels["second"] == tuple(sorted({row[1] for row in rows}))


@pytest.mark.parametrize(
    ("cells", "task", "classes"),
    [
        (["2", "10", "2.0", "10"], "classification", ("2", "10")),
        (["b", "a", "b", "a"], "classification", ("a", "b")),
        (["1.5", "2", "1.5", "2"], "regression", None),
        (["1", "2", "3", "4"], "regression", None),  # a different one in each row
        (["1", "2", "x", "y"], "classification", ("1", "2", "x", "y")),
    ],
)
def test_what_the_target_is_for_is_inferred(
    cells: list[str], task: str, classes: tuple[str, ...] | None, tmp_path: Path
) -> None:
    component = table(write(tmp_path, "x,y\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells))), "y")
    known = facts(component)
    assert (known.task, known.class_names) == (task, classes)
    assert known.notes[1].startswith("target, as 4 rows say: y is ")
    if task == "regression":
        assert read(component).target.flatten().tolist() == [float(cell) for cell in cells]
        assert read(component).class_names is None


def test_the_task_can_be_stated(tmp_path: Path) -> None:
    file = write(tmp_path, "x,y\n1,0\n2,1\n3,0\n4,1\n")
    assert facts(table(file, "y")).task == "classification"
    stated = table(file, "y", "task: regression")
    assert facts(stated).task == "regression"
    assert read(stated).target.tolist() == [[0.0], [1.0], [0.0], [1.0]]
    assert facts(stated).notes == ("columns, as 4 rows say: numbers x",)


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        ("", "{file} is empty", None),
        ("\n\n", "{file} is empty", None),
        ("age,income\n", "{file} has a heading, but no rows", None),
        ("age,age,income\n1,2,low\n", "two columns are called `age`", 1),
        ("age,,income\n1,2,low\n2,2,high\n", "column 2 has no name", 1),
        ("income\nlow\n", "there is no column beside the target", 1),
        ("age,wage\n1,2\n", "{file} has no target column `income`", 1),
        ("age,income\n1,low\n\n2,high,3\n", "row 2 has 3 values, the heading names 2 columns", 4),
        ("age,income\n1,low\n2\n", "row 2 has 1 value, the heading names 2 columns", 3),
        ('age,income\n1,low\n"2,high\n', "the row that begins here cannot be read: unexpected end of data", 3),
        ("age,income\n1,low\n2,high\n3,high\nx,low\n", 'row 4: `age` is "x", expected a number', 5),
        ("age,income\n1,low\n2,high\n3,high\n1_0,low\n", 'row 4: `age` is "1_0", expected a number', 5),
        ("age,income\n1,low\n2,high\n3,high\ninf,low\n", 'row 4: `age` is "inf", expected a number', 5),
        ("age,income\n1,low\n2,high\n3,high\n1e39,low\n", 'row 4: `age` is "1e39", expected a number', 5),
        ('age,income\n1,low\n2,high\n3,high\n"1,5",low\n', 'row 4: `age` is "1,5", expected a number', 5),
        ("age,income\n1,low\n,high\n", "row 2: `age` is empty", 3),
        ("age,income\n1,low\nNaN,high\n", 'row 2: `age` is "NaN"', 3),
        ("age,job,income\n1,a,low\n2,,high\n", "row 2: `job` is empty", 3),
        ("age,income\n1,low\n2,\n", "row 2: the target `income` is empty", 3),
        ("age,income\n?,low\nNA,high\n", "`age` has no values", 1),
        ("age,income\n1,low\n2,low\n", 'the target `income` is "low" in every row: there is nothing to tell apart', 1),
        ("age,income\n1,low\n2,hi\u200bgh\n", "row 2: `income` holds the hidden character U+200B", 3),
        (
            "name,income\n" + "".join(f"n{i},{'ab'[i % 2]}\n" for i in range(50)),
            "`name` has 50 different texts in 50 rows: is it a category?",
            1,
        ),
        (
            "age,income\n" + "".join(f"{i},n{i}\n" for i in range(50)),
            "the target `income` has 50 different texts in 50 rows: they are no classes",
            1,
        ),
    ],
)
def test_bad_files_are_refused_with_file_and_row(content: str, message: str, line: int | None, tmp_path: Path) -> None:
    file = write(tmp_path, content)
    found = problem(table(file))
    assert found.message == message.replace("{file}", str(file))
    assert found.hint
    if line is not None:
        assert (found.position.file, found.position.line) == (str(file), line)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("age,income\n1,low\n2,h\xe9\n".encode("latin-1"), "line 3 is not UTF-8 text: it holds the byte 0xe9"),
        ("age,income\n1,low\n".encode("utf-16"), "is UTF-16, expected UTF-8"),
        (b"\0\0\0\0", "is not text"),
    ],
)
def test_other_encodings_are_refused(raw: bytes, message: str, tmp_path: Path) -> None:
    assert message in problem(table(write(tmp_path, raw))).message


@pytest.mark.parametrize(
    ("more", "message", "hint"),
    [
        ("columns: {ages: number}", "{file} has no column `ages`", "did you mean `age`?"),
        ("columns: {work place: number}", 'row 1: `work place` is "State", expected a number', "category"),
        ("columns: {work place: {category: 2}}", "row 3: one level of `work place` more than the 2", "{category: 3}"),
        ("classes: 3", "`classes` is 3, but the target `income` has 2 of them", "leave it out"),
        ("classes: [low, mid]", 'row 3: the target `income` is "high", which training did not have', "known"),
        (
            "columns: {native-country: {category: 3, levels: [Cuba, US]}}",
            'row 6: `native-country` is "India", which training did not have',
            "known",
        ),
        ("task: regression", 'row 1: `income` is "low", expected a number', "task: classification"),
    ],
)
def test_what_the_spec_says_is_held_against_the_rows(more: str, message: str, hint: str, people: Path) -> None:
    found = problem(table(people, more=more))
    assert found.message.startswith(message.replace("{file}", str(people)))
    assert hint in (found.hint or "")


def test_two_columns_of_one_field_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "a b,a-b,input,y\n1,1,1,0\n2,2,2,1\n")
    for columns in ("{a b: category, a-b: category}", "{input: category}"):
        assert "would both be `data." in problem(table(file, "y", f"columns: {columns}")).message
    assert len(read(table(file, "y", "columns: {a b: number, a-b: number}")).fields) == 1, "numbers have no own field"


@pytest.mark.parametrize("rule", ["mean", "median", "most_frequent"])
def test_gaps_are_filled_with_what_the_training_rows_say(rule: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 6, 300).astype(float)
    cells = ["" if i % 7 == 0 else f"{value:g}" for i, value in enumerate(values)]
    text = "x,z,kind,y\n" + "".join(f"{cell},{i},{'' if i == 5 else 'k'},{i % 2}\n" for i, cell in enumerate(cells))
    data = section(f"csv: {{path: {write(tmp_path, text)}, target: y, missing: {rule}}}")
    splits = load(data, 0)
    rows = splits.train.rows.numpy()
    present = np.array([values[i] for i in rows if cells[i]])
    expected = {
        "mean": present.mean(),
        "median": np.median(present),
        "most_frequent": float(np.argmax(np.bincount(present.astype(int)))),
    }[rule]
    assert splits.fill[0] == pytest.approx(expected)
    full = np.where([not cell for cell in cells], expected, values)
    inputs = splits.train.batch(slice(0, len(rows))).inputs["input"].numpy()
    assert np.allclose(inputs[:, 0], (full[rows] - full[rows].mean()) / full[rows].std(), atol=1e-5)
    assert splits.test is not None
    gap = [i for i, row in enumerate(splits.test.rows.tolist()) if not cells[row]]
    shown = splits.test.batch(slice(0, len(splits.test))).inputs["input"].numpy()[gap, 0]
    assert np.allclose(shown, (expected - full[rows].mean()) / full[rows].std(), atol=1e-5)
    assert inputs.shape[1] == 4, "an empty category is a level of its own"


def test_a_missing_target_is_never_filled(tmp_path: Path) -> None:
    file = write(tmp_path, "x,y\n1,1.5\n2,2.5\n3,\n4,0.5\n")
    assert problem(table(file, "y", "missing: mean")).message == "row 3: the target `y` is empty"


def test_large_numbers_keep_their_digits(tmp_path: Path) -> None:
    times = [1_700_000_000_000 + i for i in range(40)]
    file = write(tmp_path, "t,y\n" + "".join(f"{time},{i % 2}\n" for i, time in enumerate(times)))
    splits = load(section(f"csv: {{path: {file}, target: y}}", validation=0), 0)
    found = splits.train.batch(slice(0, len(splits.train))).inputs["input"][:, 0].numpy()
    own = np.array(times, dtype=np.float64)[splits.train.rows.numpy()]
    assert np.allclose(found, (own - own.mean()) / own.std(), atol=1e-6)


def test_several_files_are_one_table(tmp_path: Path) -> None:
    first = write(tmp_path, "x,k,y\n1,a,u\n2,b,v\n", "1.csv")
    second = write(tmp_path, "x;k;y\n3;c;u\n4;a;v\n", "2.csv")
    found = read(dataset(f"csv: {{path: [{first}, {second}], target: y}}"))
    assert found.fields["input"].tolist() == [[1, 1, 0, 0], [2, 0, 1, 0], [3, 0, 0, 1], [4, 1, 0, 0]]
    write(tmp_path, "x,q,y\n3,c,u\n", "2.csv")
    with pytest.raises(DataError, match="the files name different columns"):
        read(dataset(f"csv: {{path: [{first}, {second}], target: y}}"))


def test_a_large_file_is_looked_at_in_its_first_rows_only(people: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{i % 80},{i % 60},{'Self' if i % 2 else 'State'},US,low\n" for i in range(3000))
    people.write_text(PEOPLE + rows + "1,1,Private,Peru,mid\n")
    monkeypatch.setattr(_csv_survey, "FIRST", 9000)
    component = table(people)
    known = facts(component)
    assert known.train is None
    assert known.notes[0].startswith("columns, as the first ")
    with pytest.raises(DataError) as caught:
        component.pinned(known)
    assert caught.value.problems[0].message == "`native-country` has 4 levels, but 3 in the first rows"
    declared = table(people, more="classes: 3, columns: {age: number, native-country: {category: 4}}")
    pinned = declared.pinned(facts(declared))
    assert pinned.columns["native-country"].levels == ("Cuba", "India", "Peru", "US")  # type: ignore[attr-defined]
    assert pinned.classes == ("high", "low", "mid")  # type: ignore[attr-defined]
    assert len(read(declared)) == 3007


def test_what_was_found_is_written_down_and_maps_other_rows_alike(people: Path, tmp_path: Path) -> None:
    component = table(people, more="missing: mean")
    pinned = component.pinned(facts(component))
    assert pinned.facts_unseen(Path()).inputs == facts(component).inputs
    assert torch.equal(read(pinned).fields["input"], read(component).fields["input"])
    other = write(tmp_path, "income,native-country,work place,hours,age,more\nlow,US,Self,13,50,x\n", "other.csv")
    moved = pinned.model_copy(update={"path": str(other)})
    assert read(moved).fields["input"].tolist() == [read(component).fields["input"][1].tolist()]
    assert read(moved).target.tolist() == [1]


def test_a_file_that_is_absent_is_described_by_the_spec(tmp_path: Path) -> None:
    known = facts(table(tmp_path / "no.csv", more="classes: 2, columns: {age: number, land: {category: 42}}"))
    assert (known.classes, known.class_names, known.train) == (2, None, None)
    assert known.inputs["land"].vocabulary == 42
    assert known.absent == f"there is no file {tmp_path / 'no.csv'}"
    with pytest.raises(DataError, match="there is no file"):
        read(table(tmp_path / "no.csv"))
