"""What training minimises: the weighted sum of a spec's losses, each at its place and against its target."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from nnctl.kinds.losses.base import OUTPUT, Loss, LossTerm, Pass

if TYPE_CHECKING:
    from nnctl.data.load import Batch
    from nnctl.graph.build import Graph

__all__ = ["OUTPUT", "Objective", "Pass", "Term", "measured_objective", "outputs_of"]


@dataclass(frozen=True, slots=True)
class Term:
    """One loss, built."""

    loss: Loss
    function: LossTerm

    def __call__(self, seen: Pass) -> Tensor:
        """Return the loss times its weight."""
        value = self.function(seen)
        return value if self.loss.weight == 1.0 else value * self.loss.weight


class Objective:
    """The sum of loss terms as a function of a network's pass over a batch."""

    def __init__(self, losses: Sequence[Loss], missing: Collection[str] = ()) -> None:
        """Build the terms of `losses`, without those at a head in `missing`: heads that do not run."""
        self.terms = tuple(Term(loss, loss.term()) for loss in losses if loss.at not in missing)
        self.needs_all_outputs = any(term.loss.place != OUTPUT for term in self.terms)
        self.streams = tuple(dict.fromkeys(name for loss in losses for name in loss.streams()))

    def __call__(self, seen: Pass) -> Tensor:
        """Return the mean over the samples of the batch, a scalar."""
        total: Tensor | None = None
        for term in self.terms:
            value = term(seen)
            total = value if total is None else total + value
        if total is None:
            raise ValueError("an objective without terms has no value")
        return total

    def forward(self, net: nn.Module, batch: Batch, everything: bool = False) -> Pass:
        """Send a batch, and those of the streams that a term wants, through the network.

        With `everything` tags and heads are kept even where no term wants them.
        """
        outputs = outputs_of(net, batch, everything or self.needs_all_outputs)
        streams = {name: outputs_of(net, batch.streams[name], True) for name in self.streams}
        return Pass(net, batch, outputs, streams)


def measured_objective(graph: Graph, losses: Sequence[Loss]) -> Objective:
    """Return the objective as far as it can be measured in evaluation, where some heads and losses do not run."""
    lasting = [loss for loss in losses if not loss.training_only]
    return Objective(lasting, missing=[name for name, head in graph.heads.items() if not head.eval])


def outputs_of(net: nn.Module, batch: Batch, everything: bool) -> Mapping[str, Tensor]:
    """Return what the network makes of a batch: the output, with `everything` also the heads and tags."""
    x = batch.inputs["input"] if len(batch.inputs) == 1 else batch.inputs
    if not everything:
        return {OUTPUT: net(x)}
    outputs: Mapping[str, Tensor] = net.outputs(x)  # type: ignore[operator]  # nn.Module hides its subclass's methods
    return outputs


def in_fp32(seen: Pass, precision: Literal["fp32", "bf16"]) -> Pass:
    """Return a pass whose outputs have the precision that losses are computed in."""
    if precision != "bf16":
        return seen
    streams = {name: _floats(outputs) for name, outputs in seen.streams.items()}
    return replace(seen, outputs=_floats(seen.outputs), streams=streams)


def _floats(outputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    return {name: value.to(torch.float32) for name, value in outputs.items()}
