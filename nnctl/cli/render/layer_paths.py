"""Paths of layers in little room, each still told from the others."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WAYS = ((3, False, False), (1, False, False), (1, True, False), (1, True, True))
"""Letters of a name, and whether the first and the last name are shortened too: the first way that fits is taken."""
_LAST = 4
"""Letters of the last name: it says most."""
_LEAST = 8
"""Width that a path always has."""


def short_paths(paths: Sequence[str], width: int) -> list[str]:
    """Return paths of at most `width` signs: stage1.repeat1.2.basic_block1.residual1.body.conv1 becomes
    stage1.rep1.2.bb1.res1.bod.conv1.

    Names in the middle are shortened first, those of all rows alike. What is still too long is cut in its middle; rows
    that would then read alike begin with their number.
    """
    width = max(width, _LEAST)
    if all(len(path) <= width for path in paths):
        return list(paths)
    for letters, first, last in _WAYS:
        short = [_shortened(path, letters, first, last) for path in paths]
        if all(len(path) <= width for path in short) and _distinct(short, paths):
            return short
    cut = [_cut(path, width) for path in short]
    if _distinct(cut, paths):
        return cut
    return [_cut(f"{number} {path}", width) for number, path in enumerate(short, 1)]


def _distinct(short: Sequence[str], paths: Sequence[str]) -> bool:
    return len(set(short)) == len(set(paths))


def _shortened(path: str, letters: int, first: bool, last: bool) -> str:
    names = path.split(".")
    *before, end = names
    shown = [name if place == 0 and not first else _initials(name, letters) for place, name in enumerate(before)]
    return ".".join([*shown, _initials(end, _LAST) if last else end])


def _initials(name: str, letters: int) -> str:
    """Return a name's first letters, of several words the first of each, and its ordinal."""
    found = re.fullmatch(r"(.*?)(\d*)", name)
    assert found is not None
    words, ordinal = found[1].split("_"), found[2]
    return (words[0][:letters] if len(words) == 1 else "".join(word[:1] for word in words)) + ordinal


def _cut(path: str, width: int) -> str:
    if len(path) <= width:
        return path
    room = width - 1
    return path[: room // 2] + "…" + path[len(path) - (room - room // 2) :]
