"""What `inspect` prints of theory: the course of signal and error as measured, beside what was to be expected."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite, sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnctl.diagnosis.result import InspectResult, LayerSignals

_MAPS = frozenset({"linear", "conv"})


def told_theory(result: InspectResult) -> Iterator[str]:
    """Yield ‖δ‖ and the signal between the first and the last hidden linear map or convolution, as far as theory has
    an expectation of the whole way between them: of weights that are as they were drawn."""
    line = [layer for layer in result.layers if layer.kind in _MAPS]
    hidden = line[:-1] if len(line) >= 3 else line
    if result.variances != "initialiser" or len(hidden) < 2:
        return
    first, last = hidden[0], hidden[-1]
    way = [layer.prediction for layer in result.layers[result.layers.index(first) + 1 : result.layers.index(last) + 1]]
    if all(known is not None and known.delta_rms is not None and known.factor is not None for known in way):
        yield from _compared("‖δ‖", "delta", first, last, sqrt(first.units / last.units))
    if all(known is not None and known.forward_rms is not None for known in way):
        yield from _compared("signal", "forward", last, first, 1.0)


def _compared(name: str, which: str, part: LayerSignals, whole: LayerSignals, scale: float) -> Iterator[str]:
    """Yield a ratio of two layers beside its expectation and two deviations of it, if it has one."""
    if part.prediction is None or whole.prediction is None:
        return
    sizes = [getattr(layer, f"{which}_rms") for layer in (part, whole, part.prediction, whole.prediction)]
    spreads = [getattr(layer.prediction, f"{which}_spread") for layer in (part, whole)]
    if not all(size and isfinite(size) for size in sizes) or None in spreads:
        return
    measured, expected = scale * sizes[0] / sizes[1], scale * sizes[2] / sizes[3]
    strayed = 10 ** (2 * sqrt(max(spreads[0] ** 2 - spreads[1] ** 2, 0.0)))
    band = f" ({expected / strayed:.3g} … {expected * strayed:.3g})" if strayed > 1 else ""
    yield f"{name} at {part.path} over {whole.path}: measured {measured:.3g}, theory {expected:.3g}{band}"
