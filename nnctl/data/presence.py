"""Which data sets are on this computer, and how large they are; told without torch and without opening a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnctl.component.family import find, names
from nnctl.data.stored import decoded_sizes
from nnctl.kinds.datasets.base import Dataset

_MOST_FILES = 200_000  # more take seconds to count


@dataclass(frozen=True)
class Presence:
    """One data set on this computer."""

    present: bool | None
    """Whether it lies under the root; None where only a spec says where it lies."""
    path: str | None
    """Where it was found."""
    bytes: int | None
    """How large it is; None where it was not found or has more files than are counted."""
    decoded: int
    """Bytes that were decoded from it and are kept."""


def presence(root: Path) -> dict[str, Presence]:
    """Return the sets that lie under the root when they are there, and others of which something is kept decoded."""
    decoded, found = decoded_sizes(), {}
    for kind in names("datasets"):
        cls = find("datasets", kind)
        assert cls is not None
        assert issubclass(cls, Dataset)
        if cls.places or kind in decoded:
            path = next((root / place for place in cls.places if _holds_something(root / place)), None)
            size = None if path is None else _size(path)
            present = path is not None if cls.places else None
            found[kind] = Presence(present, str(path) if path else None, size, decoded.get(kind, 0))
    return found


def _holds_something(path: Path) -> bool:
    return path.is_file() or next(_sizes(path), None) is not None


def _size(path: Path) -> int | None:
    if path.is_file():
        return path.stat().st_size
    total = 0
    for count, size in enumerate(_sizes(path)):
        if count == _MOST_FILES:
            return None
        total += size
    return total


def _sizes(folder: Path) -> Iterator[int]:
    """Yield the size of every file at any depth."""
    pending = [str(folder)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif entry.is_file():
                        yield entry.stat().st_size
        except OSError:
            continue  # removed at this moment, or not for us to see
