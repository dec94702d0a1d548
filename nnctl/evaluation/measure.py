"""One pass over a split without learning: what validation and `nnctl eval` share, to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn

from nnctl.evaluation.meter import Meter, Reading
from nnctl.kinds.losses.base import Loss
from nnctl.objective import OUTPUT, Objective, in_fp32
from nnctl.step import autocast

if TYPE_CHECKING:
    from nnctl.data.load import Split
    from nnctl.graph.build import Graph
    from nnctl.graph.heads import Answer
    from nnctl.kinds.datasets.base import Facts

BATCH = 512
"""Samples at a time. Rounding depends on it, so it is the same wherever a network is measured."""


def reading_of(graph: Graph, losses: Sequence[Loss], facts: Facts) -> Reading:
    """Return how the network's output answers the data's target, if it does."""
    at_output = [loss for loss in losses if loss.at in (None, OUTPUT)]
    answering = [loss for loss in at_output if loss.uses_target and loss.answers]
    answers = not at_output or any(loss.target in (None, "data.target") for loss in answering)
    shape = graph.output.shape
    if not answers or shape.tokens or len(shape.dims) != 1:
        return Reading(None)
    width = shape.features
    if facts.task == "regression":
        return Reading("regression" if width == facts.targets else None)
    classes = facts.classes or width
    if width == 1 and classes > 2:
        return Reading(None)
    logits = any(loss.expects == "logits" for loss in at_output)
    return Reading("classification", classes, 0.0 if logits else 0.5)


def measure(
    net: nn.Module,
    split: Split,
    objective: Objective,
    reading: Reading,
    *,
    heads: Mapping[str, Answer] | None = None,
    precision: Literal["fp32", "bf16"] = "fp32",
    confusion: bool = False,
) -> tuple[dict[str, float], Meter]:
    """Return the measures of `net` on all samples of `split`, with the meter that holds the confusion matrix.

    A head that runs in evaluation adds HEAD_accuracy. The network is in training mode again afterwards if it was.
    """
    device = split.target.device if (first := next(net.parameters(), None)) is None else first.device
    meter, heads = Meter(reading, confusion), heads or {}
    head_meters = {head: Meter(Reading("classification", answer.classes)) for head, answer in heads.items()}
    training = net.training
    net.eval()
    try:
        with torch.inference_mode():
            for begin in range(0, len(split), BATCH):
                batch = split.batch(slice(begin, min(begin + BATCH, len(split))))
                with autocast(device, precision):
                    seen = objective.forward(net, batch, everything=bool(heads))
                seen = in_fp32(seen, precision)
                meter.add(objective(seen) if objective.terms else None, seen.outputs[OUTPUT], batch.target)
                for head, head_meter in head_meters.items():
                    head_meter.add(None, seen.outputs[head], seen.target(heads[head].target))
            measures = meter.result()
            for head, head_meter in head_meters.items():
                measures |= {f"{head}_{key}": value for key, value in head_meter.result().items() if key == "accuracy"}
    finally:
        net.train(training)
    return measures, meter
