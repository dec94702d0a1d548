"""What a syntax error of YAML's parser most likely comes from: it tells where it stumbled, often a line too late."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

_UNCLOSED = re.compile(r"expected ',' or '([\]}])', but got '(?![\]}])(.*)'")
_ENTRY = re.compile(r"\s*(?:- )?([A-Za-z_][A-Za-z0-9_]*)(?::|\s+)(\S.*)")

_WORDS = r"[A-Za-z_]\w*(?:\s+|:)[^\s:]+"


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
    unclosed = _UNCLOSED.match(problem)
    if unclosed and context is not None and (unclosed[2].startswith("<") or mark.line > context.line):
        opening = {"]": "[", "}": "{"}[unclosed[1]]
        where = f" of line {context.line + 1}" if len(lines) > 1 else ""
        message = f"the `{opening}`{where} is not closed"
        return Slip(message, mark.line, mark.column, f"write `{unclosed[1]}` at its end, or a comma that is missing")
    if "could not find expected ':'" in problem and context is not None:
        return _without_colon(lines, context.line)
    before = next((line for line in range(mark.line - 1, -1, -1) if line < len(lines) and _code(lines[line])), None)
    if "found '<block mapping start>'" in problem and before is not None and re.fullmatch(_WORDS, _code(lines[before])):
        return _without_colon(lines, before)  # a comment behind it ended the text
    if "mapping values are not allowed" in problem:
        own = lines[mark.line][: mark.column]
        if before is None or ": " in own or _code(lines[before]).endswith(":"):
            return None
        if own.lstrip().startswith("- ") and not _code(lines[before]).startswith("- "):
            return _without_dash(lines, before)
        return None if ": " in lines[before] else _without_colon(lines, before)
    if "expected <block end>" in problem and error.context == "while parsing a block collection":
        return None if _code(lines[mark.line]).startswith("- ") else _without_dash(lines, mark.line)
    return None


def _without_colon(lines: list[str], line: int) -> Slip:
    entry = _ENTRY.fullmatch(lines[line].split(" #")[0].rstrip())
    hint = f"write `{entry[1]}: {entry[2]}`" if entry else "write `key: value`"
    return Slip(f"line {line + 1} has no `: `", line, _indent(lines[line]), hint)


def _without_dash(lines: list[str], line: int) -> Slip:
    hint = f"write `- {_code(lines[line])}`, in the column of the list's other entries"
    return Slip(f"line {line + 1} is in a list and has no `- `", line, _indent(lines[line]), hint)


def _code(line: str) -> str:
    """Return a line without its indentation and its comment."""
    return re.split(r"(?:^|\s)#", line)[0].strip()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
