"""Where decoded images are kept, and how large they are; told without torch."""

from __future__ import annotations

import json
import os
from pathlib import Path

RECORD = "record.json"
"""Written last into an entry: what it holds."""


def cache_root() -> Path:
    """Return $NNCTL_CACHE, else $XDG_CACHE_HOME/nnctl, else ~/.cache/nnctl."""
    if own := os.environ.get("NNCTL_CACHE"):
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "nnctl"


def decoded_root() -> Path:
    """Return the folder that has an entry for each set of decoded images."""
    return cache_root() / "datasets"


def decoded_sizes() -> dict[str, int]:
    """Return how many bytes of decoded images are kept, by the kind of data set."""
    sizes: dict[str, int] = {}
    for record in sorted(decoded_root().glob(f"*/{RECORD}")):
        try:
            kind = str(json.loads(record.read_text(encoding="utf-8"))["kind"])
            size = sum(file.stat().st_size for file in record.parent.iterdir())
        except (OSError, ValueError, KeyError, TypeError):
            continue  # damaged, or removed at this moment
        sizes[kind] = sizes.get(kind, 0) + size
    return sizes
