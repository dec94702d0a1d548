"""One optimiser step, from a batch to changed weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from math import isfinite
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from nnctl.objective import OUTPUT, Objective, Pass, in_fp32
from nnctl.optim.averaging import Average
from nnctl.optim.clipping import clip_gradients
from nnctl.optim.closure import Closure
from nnctl.optim.groups import parameter_groups
from nnctl.optim.look_ahead import LookAhead
from nnctl.optim.penalties import Penalties
from nnctl.randomness import derive
from nnctl.spec.sections import Clip, Train

if TYPE_CHECKING:
    from nnctl.data.load import Batch
    from nnctl.graph.build import Graph


class NotFinite(Exception):
    """A number that must be finite is not. `step` counts from 1, `batch` is the one at hand, if any."""

    def __init__(self, what: str, step: int, batch: Batch | None = None) -> None:
        super().__init__(f"{what} in step {step}")
        self.step, self.batch = step, batch


@runtime_checkable
class Bounded(Protocol):
    """A module that keeps its weights within bounds."""

    def after_step(self) -> None:
        """Bring the weights back after each optimiser step."""


class Stepper:
    """Takes optimiser steps. Nothing in it waits for an accelerator.

    A batch is computed in `accumulate` parts, or in fewer where one would be smaller than `smallest_part`. With
    `closure` the optimiser may evaluate the batch's loss again at other weights. Penalties add to the gradient, and to
    what a closure returns, but not to the loss that is told.
    """

    def __init__(
        self,
        net: nn.Module,
        objective: Objective,
        optimizer: torch.optim.Optimizer,
        *,
        seed: int,
        device: torch.device,
        accumulate: int = 1,
        smallest_part: int = 1,
        clip: Clip | None = None,
        precision: Literal["fp32", "bf16"] = "fp32",
        average: Average | None = None,
        closure: bool = False,
        penalties: Penalties | None = None,
    ) -> None:
        self.net, self.objective, self.optimizer, self.average = net, objective, optimizer, average
        self.seed, self.device, self.clip, self.precision = seed, device, clip, precision
        self.accumulate, self.smallest_part = accumulate, smallest_part
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._penalties = penalties or Penalties((), net)
        self._generator = generator_of(device)
        self._ahead = optimizer if isinstance(optimizer, LookAhead) else None
        self._bounds = [module.after_step for module in net.modules() if isinstance(module, Bounded)]
        self._at_hand: tuple[Batch, int] | None = None
        self._closure = Closure(self._loss, self.parameters) if closure else None

    def __call__(self, batch: Batch, step: int, rate: float) -> tuple[Tensor, Tensor]:
        """Take step number `step` (from 0) at learning rate `rate`; return the loss and the output, detached.

        Raises NotFinite before the weights change, where the loss can be read without waiting: on the CPU.
        """
        loss, output = self.backward(batch, step)
        self.update(rate)
        return loss, output

    def backward(self, batch: Batch, step: int) -> tuple[Tensor, Tensor]:
        """Leave the batch's gradients in the parameters, as the first half of a step does."""
        loss, output = self.backward_of_loss(batch, step)
        self.add_penalties(loss)
        return loss, output

    def backward_of_loss(self, batch: Batch, step: int) -> tuple[Tensor, Tensor]:
        """Do the same without the penalties; `add_penalties` follows before the weights are changed."""
        for p in self.parameters:
            p.grad = None
        if self._ahead is not None:
            self._ahead.look_ahead()
        self._at_hand = batch, step
        losses, outputs = [], []
        for loss, seen, part in self._terms(batch, step):
            if self.device.type == "cpu" and not isfinite(value := loss.item()):
                self._look_back()
                raise NotFinite(f"the loss is {value}", step + 1, part)
            # The mean over all members' samples is a k-th of each member's own: k times it trains each as if alone.
            torch.autograd.backward(loss if batch.members == 1 else loss * batch.members)
            losses.append(loss.detach())
            outputs.append(seen.outputs[OUTPUT].detach())
        loss, output = losses[0], outputs[0]
        if len(losses) > 1:
            loss, output = torch.stack(losses).sum(), torch.cat(outputs)
        return loss, output

    def add_penalties(self, loss: Tensor) -> None:
        """Add the gradient of the penalties' terms, once for the whole batch, whose loss is given."""
        penalty = self._penalties.value()
        if penalty is not None:
            if self.device.type == "cpu" and not isfinite(value := penalty.item()):
                self._look_back()
                assert self._at_hand is not None
                raise NotFinite(f"the penalty is {value}", self._at_hand[1] + 1)
            torch.autograd.backward(penalty)
        if self._closure is not None:
            self._closure.known = loss if penalty is None else loss + penalty.detach()

    def _look_back(self) -> None:
        if self._ahead is not None:
            self._ahead.look_back()

    def update(self, rate: float) -> None:
        """Change the weights by the gradients that `backward` left."""
        clip_gradients(self.parameters, self.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step(self._closure)  # type: ignore[arg-type]  # torch's word is float, a tensor is meant
        assert self._at_hand is not None
        step = self._at_hand[1]
        self._penalties.constrain(step)
        for bound in self._bounds:
            bound()
        if self.average is not None:
            self.average.update(step)

    def _loss(self) -> Tensor:
        """Return the loss of the batch at hand once more, with its graph: the same masks, perhaps other weights."""
        assert self._at_hand is not None
        loss = torch.stack([loss for loss, _, _ in self._terms(*self._at_hand)]).sum()
        penalty = self._penalties.value()
        return loss if penalty is None else loss + penalty

    def _terms(self, batch: Batch, step: int) -> Iterator[tuple[Tensor, Pass, Batch]]:
        """Yield each part's share of the loss, with what was seen on the way."""
        for number, (part, share) in enumerate(self._parts(batch)):
            self._generator.manual_seed(derive(self.seed, "dropout", step, number))
            with autocast(self.device, self.precision):
                seen = self.objective.forward(self.net, part)
            loss = self.objective(in_fp32(seen, self.precision))
            yield loss if share == 1.0 else loss * share, seen, part

    def _parts(self, batch: Batch) -> Iterator[tuple[Batch, float]]:
        """Cut a batch into its parts, each with its share of the samples, so that the sum is the batch's mean."""
        n = batch.n
        parts = max(min(self.accumulate, n // self.smallest_part), 1)
        if parts == 1:
            yield batch, 1.0
            return
        for number in range(parts):
            piece = slice(n * number // parts, n * (number + 1) // parts)
            yield batch.part(piece), (piece.stop - piece.start) / n


def stepper_of(
    graph: Graph, recipe: Train, net: nn.Module, device: torch.device, average: Average | None = None
) -> Stepper:
    """Return what takes the steps of a recipe on its network."""
    penalties = Penalties(recipe.penalties, net, recipe.optimizer.proximal)
    return Stepper(
        net,
        Objective(recipe.loss),
        recipe.optimizer.build(parameter_groups(net, recipe.optimizer, penalties.prox)),
        seed=graph.spec.seed,
        device=device,
        accumulate=recipe.accumulate,
        smallest_part=2 if graph.has_batch_norm else 1,  # no statistics can be taken from a single sample
        clip=recipe.clip,
        precision=recipe.precision,
        average=average,
        closure=recipe.optimizer.needs_closure,
        penalties=penalties,
    )


def autocast(device: torch.device, precision: Literal["fp32", "bf16"]) -> AbstractContextManager[object]:
    """Return the context in which forward passes have the precision."""
    return torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()


def generator_of(device: torch.device) -> torch.Generator:
    """Return torch's own generator of a device: the one that dropout draws from."""
    if device.type == "cuda":
        return torch.cuda.default_generators[device.index or 0]
    if device.type == "mps":
        return torch.mps._get_default_mps_generator()
    return torch.default_generator
