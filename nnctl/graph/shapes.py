"""Shape inference for one layer, with the receptive field that its output has."""

from __future__ import annotations

from fractions import Fraction

from nnctl.errors import Position
from nnctl.graph.nodes import Leaf, Signal
from nnctl.kinds.layers._windows import need_numbers
from nnctl.kinds.layers.base import Layer


def behind(signal: Signal, layer: Layer, path: str, position: Position) -> Leaf:
    """Return the layer with what arrives at it and what leaves it. Raises ShapeError where the signal does not fit."""
    need_numbers(layer, signal.shape)
    shape, window = layer.output(signal.shape), layer.window(signal.shape)
    reach, step = signal.reach, signal.step
    if window.extent and len(window.extent) == len(reach):
        reach = tuple(r + (e - 1) * s for r, e, s in zip(reach, window.extent, step, strict=True))
        step = tuple(s * w for s, w in zip(step, window.stride, strict=True))
        step = tuple(s / Fraction(f) for s, f in zip(step, window.finer, strict=True)) if window.finer else step
    line = f" (line {position.line})" if position.line else ""
    return Leaf(path, layer, position, signal, Signal(shape, reach, step, f"`{path}`{line}"))
