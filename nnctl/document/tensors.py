"""The header of a safetensors file: what its tensors are called and how large they are, without reading them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BEST = "best.safetensors"
"""What a run directory calls its weights."""
_LENGTH = 8
_LARGEST = 100_000_000


class HeaderError(Exception):
    """A file does not begin as a safetensors file does."""


@dataclass(frozen=True)
class Header:
    """Shapes of tensors by name, in the file's order, and metadata: texts by name."""

    shapes: dict[str, tuple[int, ...]]
    metadata: dict[str, str]


def weights_file(given: str | Path) -> Path:
    """Return the file that a path means: a run directory stands for its best weights."""
    path = Path(given)
    return path / BEST if path.is_dir() else path


def read_header(path: Path) -> Header:
    """Return the header of a file. Raises HeaderError where it has none, OSError where it cannot be read."""
    with path.open("rb") as file:
        start = file.read(_LENGTH)
        length = int.from_bytes(start, "little")
        rest = path.stat().st_size - _LENGTH
        return parse_header(start + (file.read(length) if 2 <= length <= min(_LARGEST, rest) else b""), rest)


def parse_header(data: bytes, rest: int) -> Header:
    """Return the header that `data` begins with; `rest` is how many bytes follow its first eight in the whole file.

    Raises HeaderError. Nothing is allocated before it is known to be there.
    """
    length = int.from_bytes(data[:_LENGTH], "little")
    if len(data) < _LENGTH or not 2 <= length <= min(_LARGEST, rest):
        raise HeaderError("it is not a whole safetensors file")
    try:
        header = json.loads(data[_LENGTH : _LENGTH + length], object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        header = None
    metadata = header.pop("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise HeaderError("its header is not that of a safetensors file")
    return Header({name: _shape(entry) for name, entry in header.items()}, metadata)


def _shape(entry: Any) -> tuple[int, ...]:
    shape = entry.get("shape") if isinstance(entry, dict) else None
    if not isinstance(shape, list) or not all(type(extent) is int and extent >= 0 for extent in shape):
        raise HeaderError("its header is not that of a safetensors file")
    return tuple(shape)


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a name occurs twice")
    return dict(pairs)
