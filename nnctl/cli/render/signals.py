"""What `inspect` prints: one row of statistics for each layer."""

from __future__ import annotations

from typing import Any

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import measure
from nnctl.cli.terminal import Terminal

_COLUMNS = {
    "path": "layer",
    "kind": "kind",
    "forward_rms": "signal",
    "delta_rms": "δ",
    "weight_norm": "weight",
    "grad_norm": "gradient",
    "grad_weight_ratio": "gradient/weight",
    "update_ratio": "update/weight",
    "dead": "dead",
    "saturated": "saturated",
}
_SHARES = frozenset({"dead", "saturated"})


def print_signals(result: Any, to: Terminal) -> None:
    """Print the table and what its columns mean."""
    layers = result.as_json()["layers"]
    rows = [tuple(_COLUMNS.values()), *(tuple(_cell(layer, key) for key in _COLUMNS) for layer in layers)]
    heading, *lines = aligned(rows, right=range(2, len(_COLUMNS)))
    to.print(to.paint(heading, "dim"))
    for line in lines:
        to.print(line)
    to.print()
    to.print("signal: rms of what leaves the layer; δ: rms of the loss's derivative by it; weight, gradient: norms;")
    to.print(
        "update/weight: size of one step; dead: units that never fire; saturated: values at an activation's flat end"
    )


def _cell(layer: dict[str, Any], key: str) -> str:
    value = layer.get(key)
    if value is None:
        return ""
    if key in _SHARES:
        return f"{100 * value:.1f}%"
    return measure(value) if isinstance(value, float) else str(value)
