"""Singular values, as `inspect --spectrum` prints them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nnctl.cli.render.layer_table import layer_table

if TYPE_CHECKING:
    from nnctl.diagnosis.result import InspectResult, LayerSignals
    from nnctl.diagnosis.spectrum import Jacobian

_FIRST = 6
"""Of many ranks outside, those that are named."""


def told_jacobian(found: Jacobian) -> str:
    """Return the whole network's singular values in a line."""
    own = found.own
    return (
        f"∂output/∂input: σ from {own.smallest:.3g} to {own.largest:.3g}, stable rank {own.stable_rank:.3g}; "
        f"Π‖W‖₂ = 10^{found.log10_product_of_norms:.2f}"
    )


def spectra_table(result: InspectResult, width: int) -> list[str]:
    """Return a row for each weight's singular values."""
    layers = [layer for layer in result.layers if layer.spectrum is not None]
    headings = ("σ max", "σ min", "condition", "stable rank", "eff. rank", "of")
    return ["", *layer_table(layers, headings, _singular_values, width)] if layers else []


def _singular_values(layer: LayerSignals) -> list[str]:
    assert layer.spectrum is not None
    own = layer.spectrum.own
    condition = "∞" if own.condition is None else f"{own.condition:.3g}"
    ranks = [f"{own.stable_rank:.1f}", f"{own.effective_rank:.1f}", f"{min(layer.spectrum.shape)}"]
    return [f"{own.largest:.3g}", f"{own.smallest:.3g}", condition, *ranks]


def ranks_beside_start(result: InspectResult) -> Iterable[str]:
    """Yield which ranks no longer are those of the layers' initialisers."""
    spectra = [(layer.path, layer.spectrum) for layer in result.layers if layer.spectrum is not None]
    drawn = [(path, found.own, found.start) for path, found in spectra if found.start is not None]
    if not drawn:
        return
    outside = [
        f"{name} rank of {path} is {value:.5g}, at its start {low:.5g} to {high:.5g}"
        for path, own, start in drawn
        for name, value, low, high in (
            ("stable", own.stable_rank, start.low.stable_rank, start.high.stable_rank),
            ("effective", own.effective_rank, start.low.effective_rank, start.high.effective_rank),
        )
        if not low <= value <= high
    ]
    many = f"{2 * len(drawn)} ranks of {len(drawn)} layers"
    yield f"outside what 99 in 100 fresh draws have: {len(outside)} of {many}" + (
        ", by chance 1 in 100" if outside else ""
    )
    yield from (f"  {line}" for line in outside[:_FIRST])
    if len(outside) > _FIRST:
        yield f"  and {len(outside) - _FIRST} more: --json has them"
