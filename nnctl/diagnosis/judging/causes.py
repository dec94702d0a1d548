"""Why: a verdict's cause in words, from what was measured and what theory says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import erf, prod, sqrt

import torch

from nnctl.diagnosis.judging.constant import constant, feeding, has_one_bias
from nnctl.diagnosis.judging.line import Place, places, slope
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.theory.gauss import silent
from nnctl.diagnosis.theory.rules import share_inside
from nnctl.graph.build import Graph
from nnctl.graph.nodes import Chain, Leaf, Residual, walk
from nnctl.kinds.layers.base import Activation

TINY = float(torch.finfo(torch.float32).tiny) * 1e8
"""Sizes below this lie next to the smallest number that float32 holds with all its digits."""
_ALIKE = 0.99
"""A predicted cosine from which on layers are known to bring inputs together."""
_HARDLY_APART = 0.9
"""A mean cosine from which on what inputs share decides which units fire."""


def error(
    graph: Graph, result: InspectResult, line: Sequence[Place], errors: Sequence[float], does: str, underflow: bool
) -> str:
    """Say by how much each layer changes the error, and what is behind it."""
    per_layer = 10 ** -slope(errors)[0] if len(errors) > 1 else 1.0
    text = f"on its way back through {len(line)} layers with weights the error {does}, by {per_layer:.3g} a layer"
    factor = _expected_factor(line)
    if factor is not None:
        text += f"; theory expects {factor:.3g} of {_weights(result)} and {_activation(graph)}"
    text += _reason(graph, does, factor) or _padding(line, per_layer)
    if underflow:
        text += "; part of it underflows: it is smaller than the smallest float32 number, and is lost"
    return text


def signal(graph: Graph, result: InspectResult, line: Sequence[Place], ratios: Sequence[float]) -> str:
    """Say by how much each layer changes the signal."""
    per_layer = (ratios[len(line) - 1] / ratios[0]) ** (1 / max(len(line) - 1, 1))
    does = "shrinks" if per_layer < 1 else "grows"
    text = f"on its way forward the signal {does}, by {per_layer:.3g} a layer"
    expected = line[-1].layer.prediction
    if expected is not None and expected.input_rms is not None and line[0].layer.input_rms:
        predicted = (expected.input_rms / line[0].layer.input_rms) ** (1 / max(len(line) - 1, 1))
        text += f"; theory expects {predicted:.3g} of {_weights(result)} and {_activation(graph)}"
    return text + _padding(line, per_layer)


def nonfinite(place: Place, result: InspectResult) -> str:
    """Say where the first number that is none comes from."""
    arriving = place.layer.input_rms
    if result.steps:
        return (
            f"after {result.steps} steps {place.leaf.path} is the first layer with infinities or NaN: training diverged"
        )
    if arriving is not None and arriving == arriving:
        return f"{place.leaf.path} makes them of finite inputs: its weights are not finite, or too large"
    return f"they are in the data already, or {place.leaf.path} makes them"


def nonfinite_gradient(place: Place) -> str:
    """Say where a gradient that is none arrives, although all values are finite."""
    return (
        f"every value is finite, the gradient that arrives at {place.leaf.path} is not: what comes after it has an "
        "infinite slope, such as a root or a norm at 0, or it overflows on its way back"
    )


def dead(place: Place, found: Sequence[Place], graph: Graph, result: InspectResult) -> str:
    """Say why units never fire; `found` are all layers with such units, in the order of writing."""
    line = places(graph, result)
    before = feeding(place, line)
    if before is not None and before.layer.forward_rms == 0:
        why = "their pre-activations are exactly 0 for every input"
        why += f": the weights and the bias of {before.leaf.path} are 0" if before.layer.weight_norm == 0 else ""
    else:
        why = "their pre-activations are below 0 for every input"
        held = constant(before, result.variances == "initialiser") if before is not None else None
        if held is None and before is not None and (before.layer.cosine or 0.0) > _HARDLY_APART:
            held = f"{before.leaf.path} sends nearly the same for all of them (mean cosine {before.layer.cosine:.4g})"
        why += f": {held}" if held else ""
    behind = [other for other in found[found.index(place) + 1 :] if _is_reached_by_nothing(feeding(other, line))]
    more = len(found) - 1 - len(behind)
    others = f"; {_named(behind)} dead in consequence of {place.leaf.path}" if behind else ""
    others += f"; {more} more {'layers have' if more > 1 else 'layer has'} dead units" if more else ""
    bound = f"95% sure: they fire for less than {100 * result.dead_bound:.2g}% of all inputs"
    return f"{why}{others}; no gradient reaches a unit that never fires ({bound})"


def expected_dead(place: Place, before: Place | None, result: InspectResult, graph: Graph | None = None) -> float:
    """Return the share of units that theory expects to be below 0 for all inputs, as alike as those are.

    How alike is measured at the layer before, if weights are as they were drawn; else it is predicted, for what has
    killed a unit makes its inputs alike as well. So does one bias for all units: then it is what arrives there that
    counts.
    """
    expected = place.layer.prediction
    cosine = None if expected is None else expected.input_cosine
    if result.variances == "initialiser" and before is not None:
        cosine = before.layer.cosine
        if graph is not None and has_one_bias(before, graph):
            own, behind = before.layer.prediction, feeding(before, places(graph, result))
            cosine = behind.layer.cosine if behind is not None else None if own is None else own.input_cosine
    return 0.0 if cosine is None else silent(cosine, result.samples)


def saturated(place: Place, layers: int) -> str:
    """Say why slopes are lost."""
    others = f", as are {layers - 1} more activations" if layers > 1 else ""
    return f"what arrives at {place.leaf.path} is too large for {place.leaf.layer.kind}: it is flat there{others}"


def expected_saturation(place: Place) -> float | None:
    """Return the share of N(0, q) that lies where the slope is below 5% of the largest, for sigmoid and tanh."""
    edge = {"sigmoid": 4.3567, "tanh": 2.1784}.get(place.leaf.layer.kind)
    expected = place.layer.prediction
    if edge is None or expected is None or not expected.input_rms:
        return None
    return 1 - erf(edge / expected.input_rms / sqrt(2))


def collapsed(graph: Graph, place: Place, result: InspectResult) -> str:
    """Say why different inputs look the same."""
    first = result.layers[0].cosine
    if first is not None and first > 0.9:
        return (
            f"the inputs themselves are alike (mean cosine {first:.3g} at the first layer): their mean was not removed"
        )
    why = constant(place, result.variances == "initialiser")
    expected = place.layer.prediction.cosine if place.layer.prediction else None
    if why is None and expected is not None and expected > _ALIKE:
        why = f"each {_activation(graph)} layer before it brings their outputs nearer to each other, and nothing parts "
        why += "them again"
    return f"different inputs look the same there: {why or 'what they share dwarfs what differs between them'}"


def small_update(graph: Graph, value: float) -> str:
    """Say what a step is made of that hardly changes anything."""
    pace = f"at this pace they need {1 / value:.0e} steps to change by their own size"
    return f"{_rate(graph)} and these gradients hardly move the weights: {pace}"


def large_update(graph: Graph, value: float, result: InspectResult) -> str:
    """Say what a step is made of that changes too much, and what it does to the loss."""
    rise = ""
    if result.loss_after is not None:
        rise = f", after which the loss of the same batch is {result.loss_after:.4g}, not {result.loss:.4g}"
    return f"{_rate(graph)} and these gradients change every other layer by {value:.3g} of its size or more{rise}"


def unused(places: Sequence[Place], learning: str) -> str:
    """Say why weights stay as they are."""
    names = ", ".join(place.leaf.path for place in places[:4]) + (", …" if len(places) > 4 else "")
    if learning == "none":
        return (
            f"the loss does not depend on {names}: what leaves them goes nowhere, and they are never trained. "
            "Join it by `from: {tag: …, merge: add}`, give a loss `at` it, or remove them"
        )
    return f"the gradient of {names} is exactly 0 in two steps on end: it is multiplied by 0 on its way"


def _rate(graph: Graph) -> str:
    train = graph.spec.train
    assert train is not None
    return f"the learning rate {train.optimizer.lr:g} of `{train.optimizer.kind}`"


def _weights(result: InspectResult) -> str:
    return "this initialisation" if result.variances == "initialiser" else "weights of these sizes"


def _is_reached_by_nothing(place: Place | None) -> bool:
    return place is not None and place.layer.input_rms == 0


def _named(several: Sequence[Place]) -> str:
    names = ", ".join(place.leaf.path for place in several[:4])
    if len(several) > 4:
        names += f" and {len(several) - 4} more layers"
    return f"{names} {'are' if len(several) > 1 else 'is'}"


def _padding(line: Sequence[Place], per_layer: float) -> str:
    """Say what zeros around images take from each layer, where that is most of what happens."""
    shares = [share for place in line if (share := _inside(place.leaf)) is not None]
    if len(shares) < len(line) / 2 or per_layer >= 1:
        return ""
    share = prod(shares) ** (1 / len(shares))
    if share > per_layer:  # √share is less than half of it, in decades
        return ""
    outside = f"{100 * (1 - share):.0f}% of what kernels look at lies outside the image"
    return f". Zero padding: {outside} and is 0, which alone makes {sqrt(share):.3g} a layer"


def _inside(leaf: Leaf) -> float | None:
    if leaf.layer.kind != "conv":
        return None
    with torch.device("meta"):
        return share_inside(leaf.layer.build(leaf.input.shape), leaf.input.shape.space)


def _activation(graph: Graph) -> str:
    kinds = Counter(leaf.layer.kind for leaf in graph.leaves if isinstance(leaf.layer, Activation))
    return kinds.most_common(1)[0][0] if kinds else "linear"


def _reason(graph: Graph, does: str, factor: float | None) -> str:
    if does == "grows" and any(leaf.layer.is_batch_norm for leaf in graph.leaves):
        shortcuts = "" if _has_shortcuts(graph.network) else "; shortcuts would carry it past them"
        return f". Batch norm divides by the deviation, which {_activation(graph)} has made smaller{shortcuts}"
    if does == "shrinks" and _activation(graph) == "sigmoid":
        return ". The slope of sigmoid is at most 1/4"
    if factor is not None and abs(factor - 1) > 0.05:
        return ". √χ, the mean slope times the deviation of the weights, should be 1"
    return ""


def _has_shortcuts(chain: Chain) -> bool:
    return any(isinstance(step, Residual) and step.shortcut is not None for step in walk(chain))


def _expected_factor(line: Sequence[Place]) -> float | None:
    """Return the mean predicted factor of ‖δ‖ from one layer with weights to the one before."""
    first, last = line[0].layer, line[-1].layer
    if first.prediction is None or last.prediction is None or len(line) < 2:
        return None
    bottom, top = first.prediction.delta_rms, last.prediction.delta_rms
    if not bottom or not top:
        return None
    return float((bottom * sqrt(first.units) / (top * sqrt(last.units))) ** (1 / (len(line) - 1)))
