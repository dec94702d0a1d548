"""Readable names of ImageNet's classes, which are numbered by WordNet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nnctl.errors import DataError, Problem


def readable_names(words: Path, wnids: Sequence[str]) -> tuple[str, ...]:
    """Return the first word that a file of lines `WNID words, …` has for each class.

    Where two classes share it, both get all their words; where they share these too, or have none, the WNID stands
    for them. Without the file the names are the WNIDs.
    """
    if not words.is_file():
        return tuple(wnids)
    found = _lines_of(words, frozenset(wnids))
    short = [found.get(wnid, wnid).split(",")[0].strip() or wnid for wnid in wnids]
    shared = Counter(short)
    names = [found.get(wnid, wnid) if shared[name] > 1 else name for wnid, name in zip(wnids, short, strict=True)]
    shared = Counter(names)
    return tuple(wnid if shared[name] > 1 else name for wnid, name in zip(wnids, names, strict=True))


def _lines_of(words: Path, wnids: frozenset[str]) -> dict[str, str]:
    try:
        lines = words.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{words} cannot be read: {getattr(error, 'strerror', None) or error}"
        raise DataError(Problem("data-damaged", message, hint="replace or remove it")) from error
    pairs = (line.split(None, 1) for line in lines)
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2 and pair[0] in wnids}
