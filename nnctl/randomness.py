"""Randomness as a function: every draw comes from a seed derived from the spec's seed and the draw's own place.

Nothing is replayed on resume, and no draw depends on how many came before it.
"""

from __future__ import annotations

import hashlib


def derive(seed: int, *place: str | int) -> int:
    """Return a 63-bit seed for one place, such as `derive(seed, "order", epoch)`."""
    text = "\x1f".join(str(part) for part in (seed, *place))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
