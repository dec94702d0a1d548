"""What a syntax error of YAML's parser most likely comes from: it tells where it stumbled, often a line too late."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from nnctl.document.lines import code_of, indent_of, is_entry, odd_one_before

_UNCLOSED = re.compile(r"expected ',' or '([\]}])', but got '(.*)'")
_ENTRY = re.compile(r"\s*(?:- )?([A-Za-z_][A-Za-z0-9_]*)(?:\s*(?::=|[-=]>|[=:])\s*|\s+)(\S.*)")
_WORDS = r"[A-Za-z_]\w*(?:\s+|:)[^\s:]+"
_BULLET = re.compile(r"[*+•–—]\s+(\S.*)")
_NO_SPACE = re.compile(r"-([^\s\d.-].*)")
# Signs that look like one of YAML's, behind plain text alone: elsewhere they belong to a text in another language.
_FOREIGN = re.compile("(?:(?! #)[ !#-&(-~])*([\uff1a\uff0c\uff5b\uff5d\uff3b\uff3d\u00a0\u3000])")
_NAMES = {"\u00a0": "a no-break space", "\u3000": "a full-width space"}
_SHIFT = 0xFEE0  # from a sign of ASCII to its full-width form


@dataclass(frozen=True)
class Slip:
    """A likelier mistake than the parser's, with the place it is made; lines and columns count from 0."""

    message: str
    line: int
    column: int
    hint: str


def slip_of(error: yaml.MarkedYAMLError, text: str) -> Slip | None:
    """Return what was probably meant, or None where the parser's own words are as good."""
    problem, mark, context = error.problem or "", error.problem_mark, error.context_mark
    if mark is None:
        return None
    lines = text.splitlines()
    own = lines[mark.line] if mark.line < len(lines) else ""
    before = _above(lines, min(mark.line, len(lines)))
    key = context.line if context is not None and "could not find expected ':'" in problem else None
    for line in (mark.line, key, before):
        if line is not None and line < len(lines) and (foreign := _FOREIGN.match(lines[line])):
            sign, column = foreign[1], foreign.start(1)
            plain = f"`{chr(ord(sign) - _SHIFT)}`" if sign not in _NAMES else "a plain space"
            return Slip(f"there is {_NAMES.get(sign, f'a full-width `{sign}`')}", line, column, f"write {plain}")
    if key is not None:
        return _without_colon(lines, key)
    if context is not None and "quoted scalar" in (error.context or "") and "unexpected end" in problem:
        hint = f"write `{lines[context.line][context.column]}` at the end of the value"
        return Slip("the quote that opens here is not closed", context.line, context.column, hint)
    if "cannot start any token" in problem:
        return _odd_sign(own, mark.line, mark.column)
    if "expected alphabetic or numeric" in problem and _BULLET.match(own.lstrip()):
        return _without_colon(lines, mark.line)
    if ("found '" in problem or "but got '<scalar>'" in problem) and own[: mark.column].rstrip()[-1:] in ('"', "'"):
        hint = "quote all of it; a quote inside is written \\\" within \"…\", and '' within '…'"
        return Slip("a value goes on behind its closing quote", mark.line, mark.column, hint)
    if (closed := _UNCLOSED.match(problem)) and context is not None:
        return _unclosed(closed[1], closed[2], context, mark, len(lines) > 1)
    if (
        "found '<block mapping start>'" in problem
        and before is not None
        and re.fullmatch(_WORDS, code_of(lines[before]))
    ):
        return _without_colon(lines, before)  # a comment behind it ended the text
    if "mapping values are not allowed" in problem:
        return _second_colon(lines, mark.line, mark.column, before)
    if "expected <block end>" in problem:
        return _block_end(lines, mark, error.context or "")
    return None


def folded(text: str, line: int, column: int, last: int) -> Slip | None:
    """Return the slip where an unquoted value, a single word or number, goes on in the lines below it."""
    lines = text.splitlines()
    first = code_of(lines[line][column:])
    if re.search(r"\s", first) or len(first) > _FOLDED or re.search(r"[\[{]", lines[line][:column]):
        return None
    below = next(number for number in range(line + 1, last + 1) if code_of(lines[number]))
    if loose := _loose(lines, line) or _loose(lines, below):
        return loose
    if not lines[line][:column].strip():  # the lines below a key: what is wrong with them is told later
        return None
    if code_of(lines[below]).startswith("- "):
        if not code_of(lines[line]).startswith("- "):
            return _value_and_list(lines, line)
        return _out_of_line(lines, below, {indent_of(lines[line])}, "no entry of a list")
    if re.search(r":(\s|$)", code_of(lines[below])):
        return _below_value(lines, below, line)
    hint = "begin an entry of a list with `- ` in the column of the others, a field with `key: `"
    message = f"line {below + 1} goes on with the value of line {line + 1}: `{first} {code_of(lines[below])}`"
    return Slip(message, below, indent_of(lines[below]), hint)


_FOLDED = 60  # characters; nnctl itself breaks texts in lines only beyond 110


def _odd_sign(own: str, line: int, column: int) -> Slip:
    sign = own[column]
    if sign != "\t":
        return Slip(f"a value cannot begin with {sign}", line, column, f'quote it: "{code_of(own[column:])}"')
    if not own[:column].strip():
        return Slip("the line is indented with a tab", line, column, "indent with spaces, not tabs")
    if not own[column:].strip():
        return Slip("the line ends with a tab", line, column, "remove it")
    return Slip("there is a tab", line, column, "write a space in its place")


def _unclosed(closing: str, found: str, context: yaml.Mark, mark: yaml.Mark, many: bool) -> Slip | None:
    opening = {"]": "[", "}": "{"}[closing]
    where = f" of line {context.line + 1}" if many else ""
    if found in ("]", "}"):
        hint = f"write `{closing}` before it or in its place"
        return Slip(f"the `{opening}`{where} is closed with `{found}`", mark.line, mark.column, hint)
    if found.startswith("<") or mark.line > context.line:
        hint = f"write `{closing}` at its end, or a comma that is missing"
        return Slip(f"the `{opening}`{where} is not closed", mark.line, mark.column, hint)
    return None


def _second_colon(lines: list[str], line: int, column: int, before: int | None) -> Slip | None:
    own = lines[line][:column]
    twice = re.fullmatch(r"\s*(?:- )?([A-Za-z_]\w*): +([^\s({\[].*)", own)
    if twice:
        rest = code_of(lines[line][column:])
        single = re.fullmatch(r"\w+", twice[2]) and twice[1] not in ("name", "description")
        nested = f"write `{twice[1]}: {{{twice[2]}{rest}}}`, or " if single else ""
        return Slip("the value holds another `: `", line, column, f"{nested}put the whole value in quotes")
    if before is None or ": " in own or code_of(lines[before]).endswith(":"):
        return None
    if own.lstrip().startswith("- ") and not code_of(lines[before]).startswith("- "):
        return _without_dash(lines, before)
    if ": " not in lines[before]:
        return _without_colon(lines, before)
    if indent_of(own) > indent_of(lines[before]):
        return _below_value(lines, line, before)
    return None


def _block_end(lines: list[str], mark: yaml.Mark, inside: str) -> Slip | None:
    own = lines[mark.line] if mark.line < len(lines) else ""
    if own[mark.column : mark.column + 1] in ("]", "}"):
        sign = own[mark.column]
        return Slip(f"there is no bracket that this `{sign}` closes", mark.line, mark.column, "remove it")
    if own[: mark.column].rstrip()[-1:] in ("]", "}"):
        sign = own[: mark.column].rstrip()[-1]
        return Slip(f"a value goes on behind its closing `{sign}`", mark.line, mark.column, "remove what follows")
    if is_entry(own):
        before = _above(lines, mark.line)
        if before is not None and not is_entry(lines[before]) and indent_of(lines[before]) == indent_of(own):
            return _without_dash(lines, before)
        entries = {indent_of(line) for line in lines[: mark.line] if is_entry(line)}
        return _out_of_line(lines, mark.line, entries, "no entry of a list")
    if inside == "while parsing a block collection":
        return _without_dash(lines, mark.line)
    return _loose(lines, mark.line) or _out_of_line(lines, mark.line, _open_columns(lines, mark.line), "nothing")


def _open_columns(lines: list[str], line: int) -> set[int]:
    """Return the columns of the lines that a line may belong to: those above it, each further left than the last."""
    columns: list[int] = []
    for above in reversed(lines[:line]):
        if code_of(above) and indent_of(above) < min(columns, default=indent_of(above) + 1):
            columns.append(indent_of(above))
    return set(columns)


def _out_of_line(lines: list[str], line: int, columns: set[int], none: str) -> Slip | None:
    """Return the slip where a line begins in none of some columns."""
    place = indent_of(lines[line])
    if not columns or place in columns:
        return None
    if (odd := odd_one_before(lines, line)) is not None:
        message = (
            f"line {odd + 1} begins in column {indent_of(lines[odd]) + 1}, the lines after it in column {place + 1}"
        )
        return Slip(message, odd, indent_of(lines[odd]), f"begin it in column {place + 1}")
    possible = " or ".join(str(column + 1) for column in sorted(columns, key=lambda column: abs(column - place))[:2])
    hint = f"the lines of one list or mapping begin in the same column, here {possible}"
    return Slip(f"line {line + 1} begins in column {place + 1}, where {none} above it does", line, place, hint)


def _loose(lines: list[str], line: int) -> Slip | None:
    """Return what is wrong with a line that was meant for an entry of a list."""
    code, place = code_of(lines[line]), indent_of(lines[line])
    if entry := _NO_SPACE.fullmatch(code):
        return Slip(f"line {line + 1} has no space behind its `-`", line, place, f"write `- {entry[1]}`")
    if entry := _BULLET.fullmatch(code):
        return Slip(f"line {line + 1} begins with `{code[0]}`", line, place, f"write `- {entry[1]}`")
    return None


def _without_colon(lines: list[str], line: int) -> Slip:
    if loose := _loose(lines, line):
        return loose
    code = code_of(lines[line])
    above = _above(lines, line)
    if above is not None and is_entry(lines[line]) and not is_entry(lines[above]):
        return _value_and_list(lines, above)
    if above is not None and is_entry(lines[above]) and indent_of(lines[line]) == indent_of(lines[above]):
        return _without_dash(lines, line)
    entry = _ENTRY.fullmatch(code)
    hint = f"write `{entry[1]}: {entry[2]}`" if entry else "write `key: value`, or `- …` for an entry of a list"
    return Slip(f"line {line + 1} has no `: `", line, indent_of(lines[line]), hint)


def _above(lines: list[str], line: int) -> int | None:
    """Return the nearest line above that holds more than a comment."""
    return next((number for number in range(line - 1, -1, -1) if code_of(lines[number])), None)


def _below_value(lines: list[str], line: int, above: int) -> Slip:
    message = f"line {line + 1} is below line {above + 1}, which has a value already"
    return Slip(message, line, indent_of(lines[line]), "begin both in the same column, or remove that value")


def _value_and_list(lines: list[str], line: int) -> Slip:
    message = f"line {line + 1} has a value, and a list below it"
    return Slip(message, line, indent_of(lines[line]), "remove one of them")


def _without_dash(lines: list[str], line: int) -> Slip:
    hint = f"write `- {code_of(lines[line])}`, in the column of the list's other entries"
    found = Slip(f"line {line + 1} is in a list and has no `- `", line, indent_of(lines[line]), hint)
    return _loose(lines, line) or found


def hint_of(problem: str) -> str | None:
    """Return what may be done about a syntax error that comes from none of these slips."""
    if "mapping values are not allowed" in problem:
        return "a value that holds `: ` must be quoted; or the line is indented too far"
    if "expected ',' or" in problem:
        return "a bracket is not closed, or a comma is missing"
    return None
