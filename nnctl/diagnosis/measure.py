"""One optimiser step under observation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import nan

import torch
from torch import Tensor, nn

from nnctl.data.load import Batch
from nnctl.diagnosis.batches import Batches
from nnctl.diagnosis.layers import NoiseByLayer, predictions, signals_of, zero_gradients
from nnctl.diagnosis.probe import watched
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.theory.variance import Source
from nnctl.diagnosis.weights import weights_of
from nnctl.graph.build import Graph
from nnctl.objective import in_fp32
from nnctl.randomness import derive
from nnctl.step import NotFinite, Stepper, autocast, generator_of

SAMPLES = 1024
"""Inputs over which activity is counted, at least, where the set has as many. A unit silent for all N of them
fires, with 95% confidence, for less than 3/N of all inputs."""
NOISE_BATCHES = 4
"""Batches whose gradients tell the noise scale."""
NOISE_PARAMETERS = 20_000_000
"""Weights up to which it is estimated: their gradients are added up in float64."""


def measure(
    stepper: Stepper,
    graph: Graph,
    batches: Batches,
    step: int,
    rate: float | None,
    rate_share: float | None = None,
    source: Source = "weights",
    noisy: bool = True,
) -> InspectResult:
    """Return the signals of step number `step`, which is really taken where there is a `rate` to take it at.

    Gradients are the loss's own, without penalties. `rate_share` is what the rate is of the recipe's largest;
    `source` says where predictions take the weights' variances from. Unless `noisy` the noise scale is left out.
    """
    net = stepper.net
    batch = _traced(in_type(batches.at(step), net))
    weights = {leaf.path: weights_of(net.get_submodule(leaf.path)) for leaf in graph.leaves}
    noise = NoiseByLayer(weights)
    loss = nan
    with watched(net, graph.leaves) as probes:
        try:
            value, _ = stepper.backward_of_loss(batch, step)
            loss = float(value)
            weights = {path: own.with_gradients() for path, own in weights.items()}
            noise.add([w.grad for w in noise.tensors], batch.n)
            stepper.add_penalties(value)
        except NotFinite:
            rate = None  # training would stop here: the signals on the way forward tell where it goes wrong
        for probe in probes.values():
            probe.listening = False
        affordable = noisy and loss == loss and stepper.accumulate == 1 and graph.parameters <= NOISE_PARAMETERS
        others = _others(
            stepper, graph.spec.seed, batches.others(step), SAMPLES - batch.n, noise if affordable else None
        )
    expected = predictions(graph, net, probes, batch, source) if loss == loss else {}
    loss_after = None
    if rate is not None:
        stepper.update(rate)
        loss_after = _loss_again(stepper, batch, step)
    zero = zero_gradients(weights) if loss == loss else None
    if zero and rate is not None:
        zero &= _zero_again(stepper, in_type(batches.at(step + 1), net), step + 1)
    layers = signals_of(graph, probes, batch.n, weights, zero, stepped=rate is not None, expected=expected, noise=noise)
    return InspectResult(
        layers, batches.name, loss, step, batch.n, batch.n + others, noise.total, rate_share, source,
        loss_after=loss_after,
    )  # fmt: skip


def observe(
    stepper: Stepper, graph: Graph, batch: Batch, step: int, rate: float
) -> tuple[Tensor, Tensor, InspectResult]:
    """Take an optimiser step of a training that is under way; return loss and output, and what was seen.

    Activity is that of the batch alone, and nothing is predicted: the weights are no longer what they were drawn as.
    """
    net = stepper.net
    weights = {leaf.path: weights_of(net.get_submodule(leaf.path)) for leaf in graph.leaves}
    with watched(net, graph.leaves, underflow=False) as probes:
        loss, output = stepper.backward_of_loss(batch, step)
    weights = {path: own.with_gradients() for path, own in weights.items()}
    stepper.add_penalties(loss)
    stepper.update(rate)
    layers = signals_of(graph, probes, batch.n, weights, (), stepped=True)
    result = InspectResult(layers, "train", float(loss), step, batch.n, batch.n, None, None, "weights")
    return loss, output, result


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


def _others(stepper: Stepper, seed: int, others: Iterator[Batch], wanted: int, noise: NoiseByLayer | None) -> int:
    """Send further batches forward until `wanted` samples have passed, or none is left; return how many did.

    The first of them also send their gradients to `noise`.
    """
    seen, left = 0, NOISE_BATCHES - 1 if noise else 0
    generator_of(stepper.device).manual_seed(derive(seed, "activity"))
    while (seen < wanted) and (batch := next(others, None)) is not None:
        batch = in_type(batch, stepper.net)
        with torch.set_grad_enabled(left > 0), autocast(stepper.device, stepper.precision):
            passed = stepper.objective.forward(stepper.net, batch)
        if noise is not None and left > 0:
            loss = stepper.objective(in_fp32(passed, stepper.precision))
            gradients = torch.autograd.grad(loss, noise.tensors, allow_unused=True)
            noise.add(list(gradients), batch.n)
            left -= 1
        seen += batch.n
    return seen


def _loss_again(stepper: Stepper, batch: Batch, step: int) -> float:
    """Return the loss of a step's batch with the weights as they are now, under the step's own masks."""
    generator_of(stepper.device).manual_seed(derive(stepper.seed, "dropout", step, 0))
    with autocast(stepper.device, stepper.precision):
        seen = stepper.objective.forward(stepper.net, batch)
    return float(stepper.objective(in_fp32(seen, stepper.precision)).detach())


def _zero_again(stepper: Stepper, batch: Batch, step: int) -> set[int]:
    """Return the ids of the weights whose gradient is exactly 0 in the next step as well.

    A layer that starts at 0 keeps the error from those before it, for one step.
    """
    try:
        stepper.backward_of_loss(batch, step)
    except NotFinite:
        return set()
    return {id(p) for p in stepper.parameters if p.grad is not None and not p.grad.any()}
