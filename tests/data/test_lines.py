"""Labelled lines of text."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.data.line_table import fresh_lines
from nnctl.data.progress import silent
from nnctl.errors import DataError
from tests.data.samples import dataset

LINES = "pos\tGood film, very good!\nneg\tBad, bad film\n\npos\tÜber-good\nneg\tI don't know\n"


def write(folder: Path, content: str | bytes = LINES) -> Path:
    file = folder / "lines.tsv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def test_characters_are_ascii_codes(tmp_path: Path) -> None:
    component = dataset(f"text: {{path: {write(tmp_path)}, length: 10}}")
    found, facts = component.read(Path(), "train", 0, silent), component.facts(Path())
    expected = [b"Good film,", b"Bad, bad f", b"\0Uber-good", b"I don't kn"]
    assert found.fields["input"].tolist() == [list(line) for line in expected]
    assert (found.class_names, found.target.tolist()) == (("neg", "pos"), [1, 0, 1, 0])
    assert (facts.inputs["input"].dims, facts.inputs["input"].vocabulary) == ((10,), 128)
    assert (facts.train, facts.test, facts.notes) == (4, 0, ("classes, as 4 lines say: neg, pos",))


def test_words_have_codes_by_how_often_they_come(tmp_path: Path) -> None:
    component = dataset(f"text: {{path: {write(tmp_path)}, length: 4, words: 4}}")
    found = component.read(Path(), "train", 0, silent)
    # good 3, bad 2, film 2, don't 1; 1 is any other word
    assert found.fields["input"].tolist() == [[2, 4, 1, 2], [0, 3, 3, 4], [0, 0, 1, 2], [0, 1, 5, 1]]
    pinned = component.pinned(component.facts(Path()))
    assert pinned.words == ("good", "bad", "film", "don't")  # type: ignore[attr-defined]
    assert pinned.facts_unseen(Path()).inputs["input"].vocabulary == 6
    other = fresh_lines("-", b"film? GOOD film\nnew\n", 4, pinned.words)  # type: ignore[attr-defined]
    assert other.fields["input"].tolist() == [[0, 4, 2, 4], [0, 0, 0, 1]]
    assert other.places == (("-", 1), ("-", 2))


def test_fewer_words_than_codes_leave_codes_unused(tmp_path: Path) -> None:
    component = dataset(f"text: {{path: {write(tmp_path)}, length: 4, words: 50}}")
    pinned = component.pinned(component.facts(Path()))
    assert pinned.facts_unseen(Path()).inputs == component.facts(Path()).inputs
    assert component.read(Path(), "train", 0, silent).fields["input"].max() < 52


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        ("pos\tgood\nbad\n", "", "line 2 has no tab"),
        ("pos\tgood\n\tbad\n", "", "line 2 has nothing before its tab"),
        ("", "", "has no lines"),
        ("pos\tgood\npos\tfine\n", "", 'the target `label` is "pos" in every row'),
        ("pos\tgood\nneg\tbad\n", ", classes: 3", "`classes` is 3, but the target `label` has 2"),
        ("pos\tgood\nneg\tbad\n", ", classes: [neg, mid]", 'the target `label` is "pos", which training did not have'),
        ("pos\tgut\nneg\tübel\n".encode("latin-1"), "", "line 2 is not UTF-8 text"),
    ],
)
def test_bad_files_are_refused(content: str | bytes, more: str, message: str, tmp_path: Path) -> None:
    component = dataset(f"text: {{path: {write(tmp_path, content)}, length: 4{more}}}")
    for ask in (lambda: component.facts(Path()), lambda: component.read(Path(), "train", 0, silent)):
        with pytest.raises(DataError) as caught:
            ask()
        assert message in caught.value.problems[0].message
