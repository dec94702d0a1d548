"""Did you mean …? The nearest of the known names."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` most likely stands for, or None where nothing is near."""
    from difflib import get_close_matches  # 5 ms to import, wanted only on an error

    names = list(known)
    folded = {candidate.replace("_", "").lower(): candidate for candidate in reversed(names)}
    key = name.replace("_", "").replace("-", "").lower()
    if key in folded:
        return folded[key]
    matches = get_close_matches(key, folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str], label: str = "known") -> str:
    """Return a hint: the nearest known name, or else the whole list of them."""
    names = sorted(known)
    nearest = suggest(name, names)
    if nearest is not None:
        return f"did you mean `{nearest}`?"
    return f"{label}: {', '.join(names)}" if names else f"there are no {label}"
