"""One optimiser step under observation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import hypot, nan

import torch
from torch import Tensor, nn

from nnctl.data.load import Batch
from nnctl.diagnosis.batches import Batches
from nnctl.diagnosis.norms import norm, wide
from nnctl.diagnosis.probe import Probe, watched
from nnctl.diagnosis.result import InspectResult, LayerSignals
from nnctl.graph.build import Graph
from nnctl.graph.costs import Row
from nnctl.randomness import derive
from nnctl.step import NotFinite, Stepper, autocast, generator_of

SAMPLES = 1024
"""Inputs over which activity is counted, at least, where the set has as many. A unit silent for all N of them
fires, with 95% confidence, for less than 3/N of all inputs."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A layer's weights, without biases, beside their values before the step."""

    live: tuple[nn.Parameter, ...]
    before: tuple[Tensor, ...]
    gradient: float | None = None

    @property
    def norm(self) -> float | None:
        """‖W‖ before the step, or None without weights."""
        return _joint_norm(self.before)

    @property
    def change(self) -> float | None:
        """‖ΔW‖ since then."""
        return _joint_norm([wide(now) - wide(before) for now, before in zip(self.live, self.before, strict=True)])

    def with_gradient(self) -> Weights:
        """Return the same with the norm of the gradients that are there now."""
        return replace(self, gradient=_joint_norm([w.grad for w in self.live if w.grad is not None]))


def measure(stepper: Stepper, graph: Graph, batches: Batches, step: int, rate: float | None) -> InspectResult:
    """Return the signals of step number `step`, which is really taken where there is a `rate` to take it at."""
    net = stepper.net
    batch = _traced(in_type(batches.at(step), net))
    weights = {leaf.path: weights_of(net.get_submodule(leaf.path)) for leaf in graph.leaves}
    loss = nan
    with watched(net, graph.leaves) as probes:
        try:
            loss = float(stepper.backward(batch, step)[0])
            weights = {path: own.with_gradient() for path, own in weights.items()}
        except NotFinite:
            rate = None  # training would stop here: the signals on the way forward tell where it goes wrong
        samples = batch.n + _count_activity(stepper, graph.spec.seed, batches.others(step), SAMPLES - batch.n)
    if rate is not None:
        stepper.update(rate)
    layers = (_layer(row, probes[row.path], batch.n, weights[row.path], rate is not None) for row in graph.rows)
    return InspectResult(tuple(layers), batches.name, loss, step, batch.n, samples)


def weights_of(module: nn.Module) -> Weights:
    """Return all that a layer learns but its biases."""
    live = tuple(p for name, p in module.named_parameters() if "bias" not in name.rpartition(".")[2])
    return Weights(live, tuple(p.detach().clone() for p in live))


def in_type(batch: Batch, net: nn.Module) -> Batch:
    """Return the batch with inputs in the network's own type: it may be in float64."""
    dtype = next(net.parameters()).dtype
    inputs, clean = (
        {name: x.to(dtype) if x.is_floating_point() else x for name, x in fields.items()}
        for fields in (batch.inputs, batch.clean)
    )
    streams = {name: in_type(stream, net) for name, stream in batch.streams.items()}
    return replace(batch, inputs=inputs, clean=clean, streams=streams)


def _traced(batch: Batch) -> Batch:
    """Return the batch with inputs that take part in gradients, so that layers before the first weight have a δ."""
    inputs = {name: x.detach().requires_grad_(x.is_floating_point()) for name, x in batch.inputs.items()}
    return replace(batch, inputs=inputs)


def _count_activity(stepper: Stepper, seed: int, others: Iterator[Batch], wanted: int) -> int:
    """Send further batches forward until `wanted` samples have passed, or none is left; return how many did."""
    seen = 0
    generator_of(stepper.device).manual_seed(derive(seed, "activity"))
    with torch.no_grad(), autocast(stepper.device, stepper.precision):
        while seen < wanted and (batch := next(others, None)) is not None:
            stepper.objective.forward(stepper.net, in_type(batch, stepper.net))
            seen += batch.n
    return seen


def _layer(row: Row, probe: Probe, n: int, weights: Weights, stepped: bool) -> LayerSignals:
    size, delta = weights.norm, probe.delta.value
    return LayerSignals(
        path=row.path,
        kind=row.kind,
        line=row.line,
        file=row.file,
        forward_rms=probe.forward.value,
        delta_rms=delta if delta is None else n * delta,  # the batch's loss is a mean over n samples
        grad_norm=weights.gradient,
        weight_norm=size,
        grad_weight_ratio=_ratio(weights.gradient, size),
        update_ratio=_ratio(weights.change, size) if stepped else None,
        dead=probe.activity.dead if probe.activity else None,
        saturated=probe.activity.saturated if probe.activity else None,
    )


def _joint_norm(tensors: Sequence[Tensor]) -> float | None:
    return hypot(*map(norm, tensors)) if tensors else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
