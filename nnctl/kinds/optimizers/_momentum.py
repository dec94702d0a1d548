"""What the optimisers share whose velocity may be Nesterov's."""

from __future__ import annotations


def check_nesterov(nesterov: bool, momentum: float) -> None:
    """Raise ValueError where there is no velocity to look ahead along."""
    if nesterov and momentum == 0:
        raise ValueError(
            "`nesterov: true` needs a `momentum` above 0; write `momentum: 0.9` beside it, or leave it out"
        )
