"""What training minimises: the weighted sum of a spec's losses, each at its place and against its target."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from nnctl.kinds.losses.base import Loss, LossFunction

if TYPE_CHECKING:
    from nnctl.data.load import Batch

OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Term:
    """One loss, built."""

    function: LossFunction
    weight: float
    at: str
    """The key in the network's outputs."""
    field: str | None
    """The input field that serves as the target; None for the data's own target."""


class Objective:
    """The sum of loss terms as a function of a network's outputs and a batch."""

    def __init__(self, losses: Sequence[Loss], missing: Collection[str] = ()) -> None:
        """Build the terms of `losses`, without those at a head in `missing`: heads that do not run."""
        self.terms = tuple(_term(loss) for loss in losses if loss.at not in missing)
        self.needs_all_outputs = any(term.at != OUTPUT for term in self.terms)

    def __call__(self, outputs: Mapping[str, Tensor], batch: Batch) -> Tensor:
        """Return the mean over the samples of the batch, a scalar."""
        total: Tensor | None = None
        for term in self.terms:
            target = batch.target if term.field is None else batch.inputs[term.field]
            value = term.function(outputs[term.at], target)
            if term.weight != 1.0:
                value = value * term.weight
            total = value if total is None else total + value
        if total is None:
            raise ValueError("an objective without terms has no value")
        return total


def outputs_of(net: nn.Module, batch: Batch, everything: bool) -> Mapping[str, Tensor]:
    """Return what the network makes of a batch: the output, with `everything` also the heads and tags."""
    x = batch.inputs["input"] if len(batch.inputs) == 1 else batch.inputs
    if not everything:
        return {OUTPUT: net(x)}
    outputs: Mapping[str, Tensor] = net.outputs(x)  # type: ignore[operator]  # nn.Module hides its subclass's methods
    return outputs


def _term(loss: Loss) -> Term:
    field = None if loss.target in (None, "data.target") else str(loss.target).removeprefix("data.")
    return Term(loss.build(), loss.weight, loss.at or OUTPUT, field)
