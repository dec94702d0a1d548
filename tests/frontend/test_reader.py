"""The strict YAML reader: what is read, what is refused, and where the mistake is said to be."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.document.node import Mapping, plain
from nnctl.document.reader import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_SCALAR, read_file, read_text, read_value
from nnctl.errors import Problem, SpecError
from nnctl.graph.build import build_text


def read(text: str) -> Any:
    """Return the plain value of a document without mistakes."""
    problems: list[Problem] = []
    node = read_text(text, "spec.yaml", problems)
    assert problems == []
    return plain(node)


def refused(text: str) -> list[Problem]:
    """Return what is wrong with a document, whether or not it could be read to its end."""
    problems: list[Problem] = []
    try:
        read_text(text, "spec.yaml", problems)
    except SpecError as error:
        return list(error.problems)
    return problems


def only(text: str) -> tuple[str, str, str | None]:
    """Return message, place and hint of a document's only mistake."""
    (problem,) = refused(text)
    return "; ".join((problem.message, *problem.details)), str(problem.position), problem.hint


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("12", 12),
        ("+12", 12),
        ("-3", -3),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("1e-3", 0.001),
        ("1.0e3", 1000.0),
        ("3e8", 3e8),
        ("5E+2", 500.0),
        ("5e-4", 0.0005),
        (".5", 0.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("0.1", 0.1),
        ("-0.0", -0.0),
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("false", False),
    ],
)
def test_numbers_and_words_follow_yaml_1_2(text: str, value: object) -> None:
    found = read(f"key: {text}")["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text", ["y", "n", "none", "None", "1e", "e5", "1.2.3", "3x3", "12 3", "a:b", "-", "infinity", "1-2", "$x", "$(a)"]
)
def test_other_words_are_text(text: str) -> None:
    assert read(f'key: {text}\nquoted: "{text}"' if text != "-" else 'key: "-"\nquoted: "-"') == {
        "key": text,
        "quoted": text,
    }


AMBIGUOUS = {
    "some YAML readers take it for true or false": "yes Yes YES no No NO on On ON off Off OFF oN",
    "it differs from": "True TRUE False FALSE tRue Null NULL",
    "a spec holds finite numbers only": ".nan .NaN .NAN nan NaN NAN inf Inf .inf .Inf -inf -.inf +.INF",
    "some YAML readers take a leading zero for base 8": "010 08 -07 00 007.5 01e5",
    "numbers are written in base 10": "0x1f 0X1F 0o17 0b101 -0x1f 0x_1f",
    "numbers are written without `_`": "1_000 -1_0 1_000.5 1__0 1_ 0.5_5 1_0e3",
    "some YAML readers take it for minutes and seconds": "1:30 190:20:30 -1:30 1:30.5 1:5",
    "some YAML readers take it for a date": '2024-01-01 2024-1-1 2024-01-01T00:00:00Z "2024-01-01 10:00:00"',
    "the number does not fit in 64 bits": f"9223372036854775808 -9223372036854775809 {'9' * 4000}",
    "the number is too large for a float": "1e400 -1e309",
}


@pytest.mark.parametrize(
    ("word", "reason"),
    [(word.strip('"'), reason) for reason, words in AMBIGUOUS.items() for word in re.findall(r'"[^"]*"|\S+', words)],
)
def test_ambiguous_words_are_refused_as_values_and_read_as_quoted_text(word: str, reason: str) -> None:
    (problem,) = refused(f"first: 1\nkey: {word}")
    assert problem.code == "ambiguous"
    assert reason in problem.message
    assert str(problem.position) == "spec.yaml:2:6"
    assert problem.hint is not None
    assert f'quote it: "{word}"' in problem.hint
    assert read(f'key: "{word}"') == {"key": word}
    assert read(f"key: '{word}'") == {"key": word}


def test_an_ambiguous_word_is_a_fine_key() -> None:
    assert read("yes: 1\nNULL: 2\nnan: 3") == {"yes": 1, "NULL": 2, "nan": 3}


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("a: &x 1", "anchors (&x) are not part of a spec", "spec.yaml:1:4"),
        ("a: *x", "aliases (*x) are not part of a spec", "spec.yaml:1:4"),
        ("a: !!int 3", "tags (tag:yaml.org,2002:int) are not part of a spec", "spec.yaml:1:4"),
        ("a: !mine 3", "tags (!mine) are not part of a spec", "spec.yaml:1:4"),
        ("a: !!python/object/apply:os.system [ls]", "tags (tag:yaml.org,2002:python/object/apply:os.system)", "1:4"),
        ("a: !!bool maybe", "tags (tag:yaml.org,2002:bool)", "spec.yaml:1:4"),
        ("a: !!set {b, c}", "tags (tag:yaml.org,2002:set)", "spec.yaml:1:4"),
        ("a:\n  <<: {b: 1}", "merge keys (<<) are not part of a spec", "spec.yaml:2:3"),
        ("%YAML 1.2\n---\na: 1", "directives (%YAML, %TAG) are not part of a spec", "spec.yaml:1:1"),
        ("%TAG ! tag:x,2000:\n---\na: 1", "directives (%YAML, %TAG) are not part of a spec", "spec.yaml:1:1"),
        ("a: 1\n---\nb: 2", "a second document begins here", "spec.yaml:2:1"),
        ("a: 1\n\tb: 2", "this is not valid YAML", "spec.yaml:2:1"),
        ("a:\n\t- 1", "this is not valid YAML", "spec.yaml:2:1"),
        ("a: [1, 2", "this is not valid YAML", "spec.yaml:1:9"),
        ("a: b: c", "this is not valid YAML: the value holds another `: `", "spec.yaml:1:5"),
        ("a: 'b", "this is not valid YAML: the quote that opens here is not closed", "spec.yaml:1:4"),
        ("? [1, 2]\n: 3", "a key must be a single word", "spec.yaml:1:3"),
        ("1: 2", '"1" is not a key', "spec.yaml:1:1"),
        ("a b: 2", '"a b" is not a key', "spec.yaml:1:1"),
        ("a-b: 2", '"a-b" is not a key', "spec.yaml:1:1"),
        ("ключ: 2", '"ключ" is not a key', "spec.yaml:1:1"),
        ("- 1\n- 2", "a spec is a mapping of keys to values", "spec.yaml:1:1"),
        ("just text", "a spec is a mapping of keys to values", "spec.yaml:1:1"),
        ("", "the file is empty", "spec.yaml:1:1"),
        ("# a comment\n", "the file is empty", "spec.yaml:1:1"),
        ("a: \x01", "this is not valid YAML", "spec.yaml"),
    ],
)
def test_what_yaml_offers_beyond_plain_values_is_refused(text: str, message: str, place: str) -> None:
    (problem,) = refused(text)
    assert message in problem.message
    assert place in str(problem.position)


def test_a_tab_is_named_in_the_hint() -> None:
    assert only("model:\n\tlayers: [relu]")[2] == "indent with spaces, not tabs"


def test_an_alias_and_an_anchor_are_two_mistakes_and_nothing_more() -> None:
    found = refused("a: &x [1, 2]\nb: *x")
    assert [str(problem.position) for problem in found] == ["spec.yaml:1:4", "spec.yaml:2:4"]


def test_a_billion_laughs_ends_at_once() -> None:
    lines = ["a0: &a0 [lol, lol]"] + [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 60)]
    assert all("not part of a spec" in problem.message for problem in refused("\n".join(lines)))


def test_a_cycle_is_only_an_alias() -> None:
    assert [problem.code for problem in refused("a: &x [*x]")] == ["yaml", "yaml"]


def test_both_places_of_a_duplicate_key_are_told() -> None:
    found = only("model:\n  layers: [relu]\n  input: [3]\n  layers: [tanh]")
    assert found == (
        "the key `layers` is written twice; its first place is spec.yaml:2:3",
        "spec.yaml:4:3",
        "remove one of them",
    )


@pytest.mark.parametrize("first", ["a", '"a"', "'a'"])
def test_quotes_do_not_make_a_key_another(first: str) -> None:
    (problem,) = refused(f"{first}: 1\na: 2")
    assert problem.code == "duplicate-key"


@pytest.mark.parametrize(
    "character",
    [
        "\u202e",
        "\u202a",
        "\u2066",
        "\u2069",
        "\u200e",
        "\u200f",
        "\u061c",
        "\u200b",
        "\u2060",
        "\u2028",
        "\u2029",
        "\x85",
        "\x00",
    ],
)
@pytest.mark.parametrize("form", ["plain", "comment", "escaped"])
def test_hidden_characters_are_refused_wherever_they_stand(character: str, form: str) -> None:
    line = {
        "plain": f"b: x{character}y",
        "comment": f"b: 1 # {character}",
        "escaped": f'b: "x\\u{ord(character):04x}y"',
    }[form]
    (problem,) = refused(f"a: 1\n{line}")
    assert problem.message == f"the text holds the hidden character U+{ord(character):04X}"
    column = 4 if form == "escaped" else line.index(character) + 1
    assert str(problem.position) == f"spec.yaml:2:{column}"


@pytest.mark.parametrize("text", ['a: "\\ud800"', "a: \ud800"])
def test_half_a_surrogate_pair_is_refused(text: str) -> None:
    assert refused(text)[0].message == "the text holds the hidden character U+D800"


def test_text_is_brought_to_one_form() -> None:
    assert read("a: e\u0301\nb: 'e\u0301'") == {"a": "é", "b": "é"}


def test_free_headings_are_allowed_under_columns_only() -> None:
    text = "csv:\n  columns:\n    Marital Status: number\n    Taxable Income (k$): number\n    2nd: number"
    assert list(read(text)["csv"]["columns"]) == ["Marital Status", "Taxable Income (k$)", "2nd"]
    assert refused("csv:\n  columns:\n    a:\n      b c: 1")[0].code == "key"


# limits


def nested(depth: int) -> str:
    """Return a document whose innermost value is `depth` deep; the document itself is the first level."""
    return "a: " + "[" * (depth - 2) + "1" + "]" * (depth - 2)


def test_values_are_nested_thirty_two_deep_and_no_deeper() -> None:
    assert refused(nested(MAX_DEPTH)) == []
    message, _, hint = only(nested(MAX_DEPTH + 1))
    assert (message, hint) == ("values are nested more than 32 deep", "use `blocks`")


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_very_deep_document_is_no_deep_recursion(opening: str) -> None:
    assert refused("a:\n  " + opening * 20_000)[0].code in ("limit", "yaml")


def test_fifty_thousand_values_and_no_more() -> None:
    values = MAX_NODES - 2  # the document and the list are values too
    assert refused("a: [" + "1," * values + "]") == []
    assert only("a: [" + "1," * (values + 1) + "]")[0] == "the document has more than 50,000 values"


def test_a_value_is_at_most_four_kibibytes() -> None:
    assert refused(f"a: {'x' * MAX_SCALAR}") == []
    assert only(f"a: {'x' * (MAX_SCALAR + 1)}")[0] == "a value is longer than 4096 bytes"
    assert only(f"a: {'é' * (MAX_SCALAR // 2 + 1)}")[0] == "a value is longer than 4096 bytes"


# files


def file_problems(path: Path) -> list[Problem]:
    problems: list[Problem] = []
    try:
        read_file(path, problems, "shown.yaml")
    except SpecError as error:
        return list(error.problems)
    return problems


def test_a_file_is_at_most_one_mebibyte(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 6))
    assert file_problems(path) == []
    path.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 5))
    assert file_problems(path)[0].message == "the file is larger than 1024 KiB"


def test_a_byte_order_mark_at_the_start_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    problems: list[Problem] = []
    assert plain(read_file(path, problems)) == {"a": 1}
    assert problems == []
    path.write_bytes(b"a: 1 # \xef\xbb\xbf\n")
    assert file_problems(path)[0].message == "the text holds the hidden character U+FEFF"


@pytest.mark.parametrize("raw", [b"a: caf\xe9\n", b"a: 1\nb: \xff\n", "a: 1\n".encode("utf-16")])
def test_only_utf_8_is_read(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(raw)
    (problem,) = file_problems(path)
    assert problem.message == "the file is not UTF-8 text"
    before = raw[: next(i for i in range(len(raw)) if raw[i] > 127)]
    assert problem.position.line == before.count(b"\n") + 1
    assert problem.position.column == len(before) - (before.rfind(b"\n") + 1) + 1


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    for name in ("lenet.yaml", "collapsed.yaml"):
        (tmp_path / name).write_text("name: x")
    (problem,) = file_problems(tmp_path / "lenett.yaml")
    assert problem.message == "there is no file shown.yaml"
    assert problem.hint == f"did you mean {tmp_path / 'lenet.yaml'}?"
    (problem,) = file_problems(tmp_path / "nofile.yaml")  # alike in its suffix alone
    assert problem.hint is None


@pytest.mark.parametrize("name", ["", "sub/spec.yaml", "nul\0.yaml"])
def test_what_is_no_file_is_said_so(tmp_path: Path, name: str) -> None:
    (problem,) = file_problems(tmp_path / name)
    assert problem.code == "file"


def test_lines_end_as_on_windows_too() -> None:
    assert read("a: 1\r\nb:\r\n  - 2\r\n") == {"a": 1, "b": [2]}
    assert str(refused("a: 1\r\nb: yes\r\n")[0].position) == "spec.yaml:2:4"


# several mistakes, arbitrary text


def test_all_mistakes_of_a_document_are_found_in_one_go() -> None:
    found = refused("a: yes\nb: 010\nc: &x 1\nd: !!str 2\na: 3\ne f: 4\ng: *x\nh: 1:30\n")
    assert [(problem.position.line, problem.code) for problem in found] == [
        (1, "ambiguous"),
        (2, "ambiguous"),
        (3, "yaml"),
        (4, "yaml"),
        (5, "duplicate-key"),
        (6, "key"),
        (7, "yaml"),
        (8, "ambiguous"),
    ]


def test_positions_count_from_one_and_point_at_the_value() -> None:
    problems: list[Problem] = []
    document = read_text("a:\n  - b: 1\n    c:   [2, 3]\n", "spec.yaml", problems)
    entry = document.entries["a"]
    assert str(entry.key) == "spec.yaml:1:1"
    item = entry.node.items[0]  # type: ignore[union-attr]
    assert isinstance(item, Mapping)
    assert str(item.entries["c"].key) == "spec.yaml:3:5"
    assert str(item.entries["c"].node.position) == "spec.yaml:3:10"
    assert str(item.entries["c"].node.items[1].position) == "spec.yaml:3:14"  # type: ignore[union-attr]


def test_a_value_from_the_command_line_counts_columns_within_its_argument() -> None:
    problems: list[Problem] = []
    node = read_value("[1, yes]", 14, problems)
    assert str(node.position) == "command line:14"
    assert (problems[0].position.line, problems[0].position.column) == (None, 18)


PIECES = st.sampled_from(
    [
        *"abc:-?[]{},#&*!|>'\"%@` \n\t\\$()0123456789_.~<=e\x00\x01\x85\u2028\ufeff\u202e\ud800é",
        "- ",
        ": ",
        "\n  ",
        "name: x\n",
        "model:\n",
        "  layers:\n",
        "    - conv: 3\n",
        "yes",
        "!!",
        "<<: ",
        "---\n",
        "...\n",
        "$in",
        "$(in",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60))
def test_arbitrary_text_raises_nothing_but_spec_errors(text: str) -> None:
    with suppress(SpecError):
        build_text(text)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_arbitrary_overrides_raise_nothing_but_spec_errors(text: str) -> None:
    spec = "name: x\nmodel: {input: [3, 8, 8], params: {w: 4}, layers: [{conv: $w}, relu]}\ntrain: {epochs: 1}"
    for override in (text, f"model.layers{text}", f"model.params.w={text}", f"model.layers[0].conv.{text}"):
        with suppress(SpecError):
            build_text(spec, [override])
