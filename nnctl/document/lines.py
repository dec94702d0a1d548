"""Lines of YAML as they are seen: what stands in them, where it begins, and which one is out of line."""

from __future__ import annotations

import re
from itertools import takewhile


def code_of(line: str) -> str:
    """Return a line without its indentation and its comment."""
    return re.split(r"(?:^|\s)#", line)[0].strip()


def indent_of(line: str) -> int:
    """Return the column, from 0, in which a line begins."""
    return len(line) - len(line.lstrip())


def is_entry(line: str) -> bool:
    """Return whether a line begins an entry of a list."""
    return code_of(line).startswith("- ")


def odd_one_before(lines: list[str], line: int) -> int | None:
    """Return the line before `line` that alone is out of line, where the parser stumbles over those that are not.

    It is the first of its list or mapping, and at least two after it begin in the column of `line`: they are right.
    """
    place, entry = indent_of(lines[line]), is_entry(lines[line])
    above = [number for number in range(line - 1, -1, -1) if code_of(lines[number])]
    deeper = list(takewhile(lambda number: indent_of(lines[number]) > place, above))
    first = deeper[-1] if deeper else above[0] if entry and above else None
    if first is None or is_entry(lines[first]) != entry:
        return None
    column = indent_of(lines[first])
    alike = [number for number in above[: above.index(first) + 2] if indent_of(lines[number]) == column]
    below = takewhile(lambda text: indent_of(text) >= place, filter(code_of, lines[line + 1 :]))
    agree = any(indent_of(text) == place and is_entry(text) == entry for text in below)
    return first if alike == [first] and agree else None
