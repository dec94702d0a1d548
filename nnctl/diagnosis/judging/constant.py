"""Why what leaves a layer is the same for every input, or nearly: what its weights and its bias make of it."""

from __future__ import annotations

from math import sqrt

from nnctl.diagnosis.judging.line import Place
from nnctl.graph.build import Graph
from nnctl.graph.starts import rules_of
from nnctl.kinds.initializers.constant import Constant

_MAPS = frozenset({"linear", "conv"})
_DWARFED = 3.0
"""An output this many times the size that the weights give it is its bias."""


def constant(place: Place, drawn: bool) -> str | None:
    """Return what makes the output of a linear map or convolution the same for every input; None where inputs tell.

    `drawn` says whether its weights are as they were drawn: only then is known what size they give to its output.
    """
    layer, path = place.layer, place.leaf.path
    if place.leaf.layer.kind not in _MAPS or layer.input_rms is None or not layer.weight_norm:
        return (
            f"the weights of {path} are 0: its output is its bias, whatever arrives" if layer.weight_norm == 0 else None
        )
    if layer.input_rms == 0:
        return f"nothing but 0 arrives at {path}: its output is its bias"
    made = layer.input_rms * layer.weight_norm / sqrt(place.leaf.output.shape.features)
    if not drawn or layer.forward_rms is None or layer.forward_rms <= _DWARFED * made:
        return None
    return (
        f"the bias of {path} outweighs its weights: of an output of size {layer.forward_rms:.3g} they make {made:.3g}"
    )


def feeding(place: Place, line: tuple[Place, ...]) -> Place | None:
    """Return the layer written right before a place in the same list."""
    index = next(number for number, other in enumerate(line) if other.leaf is place.leaf)
    before = line[index - 1] if index else None
    same = before is not None and before.leaf.path.rpartition(".")[0] == place.leaf.path.rpartition(".")[0]
    return before if same else None


def has_one_bias(place: Place, graph: Graph) -> bool:
    """Return whether all units of a layer start with the same bias, which is not 0."""
    rules = rules_of(place.leaf, graph.spec.model.init, graph.activations.get(place.leaf.path))
    return any(slot.role == "bias" and isinstance(rule, Constant) and rule.value != 0 for slot, rule, _ in rules)
