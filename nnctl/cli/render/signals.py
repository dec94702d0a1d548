"""What `inspect` prints: one row of statistics for each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import measure, thousands

if TYPE_CHECKING:
    from nnctl.cli.terminal import Terminal
    from nnctl.diagnosis.result import InspectResult, LayerSignals

_MEASURES = {
    "forward_rms": "signal",
    "delta_rms": "δ",
    "weight_norm": "weight",
    "grad_norm": "gradient",
    "grad_weight_ratio": "gradient/weight",
    "update_ratio": "step/weight",
}
_SHARES = {"dead": "dead", "saturated": "saturated"}
_LEGEND = (
    "signal     root mean square of what leaves the layer",
    "δ          root mean square of the loss's gradient there",
    "weight     norms of weight and gradient, their ratio, and that of the optimiser's step to the weight",
    "dead       units that are zero for every input",
    "saturated  values where an activation's slope is below 5% of its largest",
)


def print_signals(result: InspectResult, to: Terminal) -> None:
    """Print the table and what its columns mean."""
    headings = ("layer", "kind", *_MEASURES.values(), *_SHARES.values())
    heading, *lines = aligned([headings, *(_row(layer) for layer in result.layers)], right=range(2, len(headings)))
    to.print(to.paint(heading, "dim"))
    for line in lines:
        to.print(line)
    to.print()
    to.print(
        f"loss {measure(result.loss)} on {thousands(result.batch)} samples of {result.data} "
        f"after {thousands(result.steps)} steps; dead and saturated from {thousands(result.samples)} samples"
    )
    to.print()
    for line in _LEGEND:
        to.print(to.paint(line, "dim"))


def _row(layer: LayerSignals) -> tuple[str, ...]:
    measures = (getattr(layer, name) for name in _MEASURES)
    shares = (getattr(layer, name) for name in _SHARES)
    return (
        layer.path,
        layer.kind,
        *("" if value is None else measure(value) for value in measures),
        *("" if value is None else f"{100 * value:.1f}%" for value in shares),
    )
