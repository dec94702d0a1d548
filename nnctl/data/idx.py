"""The IDX format of MNIST: a header of big-endian sizes, then bytes."""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path

from nnctl.errors import DataError, Problem

_UNSIGNED_BYTES = 0x08
_LARGEST = 2**31 - 1


def read_idx(path: Path, axes: int) -> tuple[tuple[int, ...], bytes]:
    """Return sizes and content of an IDX file of bytes with `axes` axes, gzipped where its name says so.

    Raises DataError where the file is damaged or holds something else. No more is read than its header claims.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            magic = file.read(4)
            if magic != bytes((0, 0, _UNSIGNED_BYTES, axes)):
                found = f"the start {magic.hex(' ')}" if magic else "nothing"
                raise _damaged(path, f"expected an IDX file of bytes with {axes} axes, found {found}")
            header = file.read(4 * axes)
            sizes = tuple(int.from_bytes(header[4 * axis : 4 * axis + 4], "big") for axis in range(axes))
            if not 0 < prod(sizes) <= _LARGEST:
                raise _damaged(path, f"its header claims {prod(sizes):,} bytes")
            content = file.read(prod(sizes) + 1)
    except (EOFError, zlib.error, OSError) as error:
        raise _damaged(path, str(error)) from error
    if len(content) != prod(sizes):
        count = f"{len(content):,}" if len(content) < prod(sizes) else "more"
        raise _damaged(path, f"its header claims {prod(sizes):,} bytes, found {count}")
    return sizes, content


def _damaged(path: Path, reason: str) -> DataError:
    return DataError(Problem("data-damaged", f"{path} cannot be read: {reason}", hint="remove it and fetch it again"))
