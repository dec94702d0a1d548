"""What an inspection works with: a network, the batches it sees, and the steps of its recipe."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property

import torch

from nnctl.data.progress import Progress, silent
from nnctl.diagnosis.batches import Batches, batches_of, losses_of, missing
from nnctl.diagnosis.measure import in_type
from nnctl.diagnosis.subject import Subject
from nnctl.errors import DivergedError, Problem, UsageError
from nnctl.graph.build import Graph
from nnctl.kinds.losses.base import Loss
from nnctl.kinds.schedules.constant import Constant
from nnctl.network.lsuv import scale_by_data
from nnctl.network.modules import Network
from nnctl.objective import Objective
from nnctl.spec.sections import Train
from nnctl.step import NotFinite, Stepper, stepper_of

_LOOKS = 100


@dataclass(frozen=True)
class Session:
    """A subject with its data and losses, on a device."""

    subject: Subject
    batches: Batches
    losses: tuple[Loss, ...]
    device: torch.device

    @property
    def graph(self) -> Graph:
        """The network's graph."""
        return self.subject.graph

    @property
    def recipe(self) -> Train | None:
        """The spec's recipe, if it has one that takes gradients."""
        train = self.subject.graph.spec.train
        return None if train is None or train.optimizer.gradient_free else train

    def stepper(self) -> Stepper:
        """Return what takes steps, on a copy of the network; without a recipe it computes gradients alone."""
        graph, net = self.graph, copy.deepcopy(self.subject.net)
        if self.subject.lsuv:
            assert isinstance(net, Network)
            scale_by_data(net, self.subject.lsuv, self.batches.at(0).inputs, graph.spec.seed)
        if not any(p.requires_grad for p in net.parameters()):
            message = "the network has no weights to learn: there is nothing to inspect"
            raise UsageError(Problem("nothing-learned", message))
        net = net.to(self.device).train()
        if self.recipe is None:
            plain = torch.optim.SGD(net.parameters())
            return Stepper(net, Objective(self.losses), plain, seed=graph.spec.seed, device=self.device)
        return stepper_of(graph, self.recipe, net, self.device)

    def take(self, stepper: Stepper, steps: int, progress: Progress = silent) -> None:
        """Take the recipe's first steps. Raises DivergedError where a loss is not finite."""
        for step in range(steps):
            progress("steps taken", step, steps)
            rate = self.rate(step)
            assert rate is not None
            try:
                stepper(in_type(self.batches.at(step), stepper.net), step, rate)
            except NotFinite as failure:
                hint = f"inspect with fewer steps than {failure.step}, or lower the learning rate"
                raise DivergedError(Problem("diverged", f"training diverged: {failure}", hint=hint)) from None

    def rate(self, step: int) -> float | None:
        """Return the learning rate of a step; past the recipe's end, its last one; None without a recipe."""
        return None if self.recipe is None else self.recipe.optimizer.lr * self._factor(self.recipe, step)

    def rate_share(self, step: int) -> float | None:
        """Return what share a step's rate is of the recipe's largest, looked for at a hundred steps; None without."""
        if self.recipe is None:
            return None
        steps = self.recipe.epochs * self.batches.per_epoch
        largest = max(self._factor(self.recipe, number) for number in range(0, steps, max(steps // _LOOKS, 1)))
        return self._factor(self.recipe, step) / largest if largest else None

    def _factor(self, recipe: Train, step: int) -> float:
        steps = recipe.epochs * self.batches.per_epoch
        schedule = recipe.schedule or Constant()
        return schedule.scale(self._size) * schedule.factor_at(min(step, steps - 1), steps, self.batches.per_epoch)

    @cached_property
    def _size(self) -> int:
        return self.batches.at(0).n


def session_of(subject: Subject, device: torch.device, random: bool, batches: Batches | None = None) -> Session:
    """Return the session of a subject, with `batches` in place of its own where they are given."""
    graph = subject.graph
    random = random or graph.spec.data is None
    losses = losses_of(graph, random)
    return Session(subject, batches or batches_of(subject, losses, random, device), losses, device)


def check_steps(graph: Graph, steps: int) -> None:
    """Raise UsageError for a number of steps that is none, SpecError where there is no recipe to take them by."""
    if steps < 0:
        raise UsageError(Problem("usage", f"expected a number of steps of at least 0, found {steps}"))
    if steps and graph.spec.train is None:
        raise missing(graph, "the spec has no `train`: there is no recipe to take steps by", "inspect without steps")
    if steps and graph.spec.train is not None and graph.spec.train.optimizer.gradient_free:
        message = f"`{graph.spec.train.optimizer.kind}` takes no gradient steps"
        raise UsageError(Problem("usage", message, hint="inspect without steps, or a run that it has trained"))
