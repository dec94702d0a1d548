"""From what was seen at each layer to its statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import Tensor, nn

from nnctl.data.load import Batch
from nnctl.diagnosis.alike import Alike
from nnctl.diagnosis.noise import Noise, one_signed
from nnctl.diagnosis.norms import RootMeanSquare
from nnctl.diagnosis.probe import Probe
from nnctl.diagnosis.result import LayerSignals, Learning
from nnctl.diagnosis.theory.fields import Fields, Measured
from nnctl.diagnosis.theory.prediction import Prediction
from nnctl.diagnosis.theory.state import Signal
from nnctl.diagnosis.theory.variance import Source, variance_of
from nnctl.diagnosis.weights import Weights, ratio
from nnctl.graph.build import Graph
from nnctl.graph.costs import Row


def predictions(
    graph: Graph, net: nn.Module, probes: Mapping[str, Probe], batch: Batch, source: Source
) -> dict[str, Prediction]:
    """Return what theory expects at each layer, given what enters and what was measured where it has no rule."""
    variances = {leaf.path: variance_of(graph, leaf, net.get_submodule(leaf.path), source) for leaf in graph.leaves}
    measured = {}
    for leaf in graph.leaves:
        probe = probes[leaf.path]
        delta = None if probe.delta.value is None else batch.n * probe.delta.value
        error = None if delta is None else delta**2 * leaf.output.shape.size
        measured[leaf.path] = Measured(_signal(probe.forward.value, probe.alike.cosine), error)
    inputs = {name: _entering(x) for name, x in batch.inputs.items()}
    return Fields(net, graph.network, variances, measured, inputs, batch.n).predictions()


def signals_of(
    graph: Graph,
    probes: Mapping[str, Probe],
    n: int,
    weights: Mapping[str, Weights],
    still_zero: Collection[int] | None,
    *,
    stepped: bool,
    expected: Mapping[str, Prediction] | None = None,
    noise: NoiseByLayer | None = None,
) -> tuple[LayerSignals, ...]:
    """Return the statistics of all layers; the batch had `n` samples.

    `still_zero` holds the ids of the weights whose next gradient is 0 as well, None where there was no way back;
    `stepped` says whether the weights have changed since.
    """
    return tuple(
        _layer_signals(
            row,
            leaf.output.shape.size,
            probes[row.path],
            n,
            weights[row.path],
            None if still_zero is None else _learning(weights[row.path], row.path in graph.frozen, still_zero),
            expected.get(row.path) if expected else None,
            noise.of(row.path) if noise else None,
            stepped,
        )
        for row, leaf in zip(graph.rows, graph.leaves, strict=True)
    )


def _layer_signals(
    row: Row,
    units: int,
    probe: Probe,
    n: int,
    weights: Weights,
    learning: Learning | None,
    prediction: Prediction | None,
    noise: float | None,
    stepped: bool,
) -> LayerSignals:
    """Return the statistics of one layer; the batch had `n` samples."""
    size, gradient, delta, activity = weights.norm, weights.gradient, probe.delta.value, probe.activity
    signs = (one_signed(g) for g in weights.gradients if g is not None)
    return LayerSignals(
        path=row.path,
        kind=row.kind,
        line=row.line,
        file=row.file,
        units=units,
        input_rms=probe.input.value if probe.input else None,
        forward_rms=probe.forward.value,
        delta_rms=delta if delta is None else n * delta,  # the batch's loss is a mean over n samples
        grad_norm=gradient,
        weight_norm=size,
        grad_weight_ratio=ratio(gradient, size),
        update_ratio=ratio(weights.change, size) if stepped else None,
        learning=learning,
        one_signed=next((share for share in signs if share is not None), None),
        noise_scale=noise,
        dead=activity.dead if activity else None,
        zero=activity.zero if activity else None,
        saturated=activity.saturated if activity else None,
        cosine=probe.alike.cosine,
        nonfinite=probe.nonfinite.value,
        underflow=probe.underflow.value if probe.underflow else None,
        prediction=prediction,
    )


def _learning(weights: Weights, frozen: bool, still_zero: Collection[int]) -> Learning | None:
    """Return what a layer's weights got; `still_zero` holds the ids of those whose next gradient is 0 as well."""
    if not weights.live:
        return None
    if frozen or not any(w.requires_grad for w in weights.live):
        return "frozen"
    if all(g is None for g in weights.gradients):
        return "none"
    return "zero" if all(id(w) in still_zero for w in weights.live) else "learns"


def zero_gradients(weights: Mapping[str, Weights]) -> set[int]:
    """Return the ids of the weights whose gradient is exactly 0."""
    return {
        id(w)
        for own in weights.values()
        for w, g in zip(own.live, own.gradients, strict=True)
        if g is not None and not g.any()
    }


class NoiseByLayer:
    """The noise scale of each layer's weights, and of all."""

    def __init__(self, weights: Mapping[str, Weights]) -> None:
        self.tensors = [w for own in weights.values() for w in own.live if w.requires_grad]
        places = {id(w): place for place, w in enumerate(self.tensors)}
        self._places = {path: [places[id(w)] for w in own.live if id(w) in places] for path, own in weights.items()}
        self._noise = Noise()

    def add(self, gradients: list[Tensor | None], n: int) -> None:
        """Take in the gradients of a batch of `n` samples, in the order of `tensors`."""
        self._noise.add(gradients, n)

    def of(self, path: str) -> float | None:
        """Return the scale of a layer's weights."""
        places = self._places.get(path)
        return self._noise.scale(places) if places else None

    @property
    def total(self) -> float | None:
        """That of all weights together."""
        return self._noise.scale(range(len(self.tensors)))


def _signal(rms: float | None, cosine: float | None) -> Signal | None:
    return None if rms is None else Signal(rms**2, rms**2 * (cosine or 0.0))


def _entering(x: Tensor) -> Signal | None:
    if not x.is_floating_point():
        return None
    size, alike = RootMeanSquare(), Alike()
    size.add(x)
    alike.add(x)
    return _signal(size.value, alike.cosine)
