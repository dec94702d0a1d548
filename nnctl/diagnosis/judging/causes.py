"""Why: a verdict's cause in words, from what was measured and what theory says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import erf, sqrt

import torch

from nnctl.diagnosis.judging.line import Place, slope
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.theory.gauss import silent
from nnctl.graph.build import Graph
from nnctl.graph.nodes import Chain, Residual, inner_chains
from nnctl.kinds.layers.base import Activation

TINY = float(torch.finfo(torch.float32).tiny) * 1e8
"""Sizes below this lie next to the smallest number that float32 holds with all its digits."""


def error(graph: Graph, line: Sequence[Place], errors: Sequence[float], does: str, underflow: bool) -> str:
    """Say by how much each layer changes the error, and what is behind it."""
    per_layer = 10 ** -slope(errors)[0] if len(errors) > 1 else 1.0
    text = f"on its way back through {len(line)} layers with weights the error {does}, by {per_layer:.3g} a layer"
    factor = _expected_factor(line)
    if factor is not None:
        text += f"; theory expects {factor:.3g} of this initialisation and {_activation(graph)}"
    text += _reason(graph, does, factor)
    if underflow:
        text += "; part of it underflows: it is smaller than the smallest float32 number, and is lost"
    return text


def signal(graph: Graph, line: Sequence[Place], ratios: Sequence[float]) -> str:
    """Say by how much each layer changes the signal."""
    per_layer = (ratios[len(line) - 1] / ratios[0]) ** (1 / max(len(line) - 1, 1))
    does = "shrinks" if per_layer < 1 else "grows"
    text = f"on its way forward the signal {does}, by {per_layer:.3g} a layer"
    expected = line[-1].layer.prediction
    if expected is not None and expected.input_rms is not None and line[0].layer.input_rms:
        predicted = (expected.input_rms / line[0].layer.input_rms) ** (1 / max(len(line) - 1, 1))
        text += f"; theory expects {predicted:.3g} of this initialisation and {_activation(graph)}"
    return text


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


def dead(place: Place, layers: int, result: InspectResult) -> str:
    """Say why units never fire."""
    others = f", and {layers - 1} more layers have dead units" if layers > 1 else ""
    when = (
        f"a step too large has pushed their pre-activations below 0 for every input, within {result.steps} steps"
        if result.steps
        else "their pre-activations are below 0 for every input: large negative weights or biases keep them there"
    )
    bound = f"95% sure: they fire for less than {100 * result.dead_bound:.2g}% of all inputs"
    return f"{when}{others}; no gradient reaches a unit that never fires ({bound})"


def expected_dead(place: Place, before: Place | None, result: InspectResult) -> float:
    """Return the share of units that theory expects to be below 0 for all inputs, as alike as those are.

    How alike is measured at the layer before, if weights are as they were drawn; else it is predicted, for what has
    killed a unit makes its inputs alike as well.
    """
    expected = place.layer.prediction
    cosine = None if expected is None else expected.input_cosine
    if result.variances == "initialiser" and before is not None:
        cosine = before.layer.cosine
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
    return (
        f"different inputs look the same there: each {_activation(graph)} layer before it brings their outputs nearer "
        "to each other, and nothing parts them again"
    )


def update(graph: Graph, result: InspectResult, how: str) -> str:
    """Say what the step is made of."""
    train = graph.spec.train
    assert train is not None
    rate = f"the learning rate {train.optimizer.lr:g} of `{train.optimizer.kind}`"
    if how == "small":
        return f"{rate} and these gradients hardly move the weights: at this pace they need 1e5 steps or more to change"
    return f"{rate} and these gradients change the weights by a tenth or more in one step"


def unused(places: Sequence[Place], learning: str) -> str:
    """Say why weights stay as they are."""
    names = ", ".join(place.leaf.path for place in places[:4]) + (", …" if len(places) > 4 else "")
    if learning == "none":
        return f"the loss does not depend on {names}: they are never trained"
    return f"the gradient of {names} is exactly 0 in two steps on end: it is multiplied by 0 on its way"


def _activation(graph: Graph) -> str:
    kinds = Counter(leaf.layer.kind for leaf in graph.leaves if isinstance(leaf.layer, Activation))
    return kinds.most_common(1)[0][0] if kinds else "linear"


def _reason(graph: Graph, does: str, factor: float | None) -> str:
    if does == "grows" and any(leaf.layer.is_batch_norm for leaf in graph.leaves):
        shortcuts = "; shortcuts would carry it past them" if _plain_residuals(graph.network) else ""
        return f". Batch norm divides by the deviation, which {_activation(graph)} has made smaller{shortcuts}"
    if does == "shrinks" and _activation(graph) == "sigmoid":
        return ". The slope of sigmoid is at most 1/4"
    if factor is not None and abs(factor - 1) > 0.05:
        return ". √χ, the mean slope times the deviation of the weights, should be 1"
    return ""


def _plain_residuals(chain: Chain) -> bool:
    return any(
        (isinstance(step, Residual) and step.shortcut is None) or any(_plain_residuals(c) for c in inner_chains(step))
        for step in chain.steps
    )


def _expected_factor(line: Sequence[Place]) -> float | None:
    """Return the mean predicted factor of ‖δ‖ from one layer with weights to the one before."""
    first, last = line[0].layer, line[-1].layer
    if first.prediction is None or last.prediction is None or len(line) < 2:
        return None
    bottom, top = first.prediction.delta_rms, last.prediction.delta_rms
    if not bottom or not top:
        return None
    return float((bottom * sqrt(first.units) / (top * sqrt(last.units))) ** (1 / (len(line) - 1)))
