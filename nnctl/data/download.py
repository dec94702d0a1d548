"""Fetching the files of a known data set, checked against their SHA-256."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnctl.data.progress import Progress

_CHUNK = 1 << 18
_TIMEOUT = 20.0  # seconds without an answer


@dataclass(frozen=True)
class Source:
    """A file as its publisher has it."""

    name: str
    size: int
    sha256: str


class DownloadFailed(Exception):
    """No address gave the file; the text says why."""


def fetch(source: Source, addresses: Sequence[str], folder: Path, progress: Progress) -> Path:
    """Return the file in `folder`, fetched from the first address that has it.

    It appears under its name only when whole and checked. Raises DownloadFailed.
    """
    reasons = []
    for address in addresses:
        try:
            return _fetch(source, address, folder, progress)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise  # the next address would not help
            reasons.append(f"{address}{source.name}: {getattr(error, 'reason', None) or error}")
    raise DownloadFailed("; ".join(reasons))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(source: Source, address: str, folder: Path, progress: Progress) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{source.name}.{os.getpid()}.part"
    digest, done = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(address + source.name, timeout=_TIMEOUT) as answer, aside.open("wb") as file:
            while done <= source.size and (chunk := answer.read(_CHUNK)):
                file.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                progress(f"downloading {source.name}", done, source.size)
        if digest.hexdigest() != source.sha256:
            raise ValueError(f"what it gave is another file ({done:,} bytes, SHA-256 {digest.hexdigest()})")
        return aside.replace(folder / source.name)
    finally:
        aside.unlink(missing_ok=True)
