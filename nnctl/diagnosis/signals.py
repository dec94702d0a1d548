"""`inspect`: how large signals, gradients and steps are in every layer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from nnctl.data.load import load
from nnctl.device import reproducible, resolve_device
from nnctl.diagnosis.batches import DEFAULT_SIZE, Batches, RandomBatches, TrainingBatches
from nnctl.diagnosis.measure import in_type, measure
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.subject import Subject, subject_of
from nnctl.errors import DivergedError, Problem, SpecError, UsageError
from nnctl.graph.build import Graph
from nnctl.kinds.losses.base import Loss
from nnctl.kinds.losses.cross_entropy import CrossEntropy
from nnctl.kinds.schedules.constant import Constant
from nnctl.objective import Objective
from nnctl.spec.sections import Spec, Train
from nnctl.step import NotFinite, Stepper, stepper_of


def inspect(
    target: str | Path | Spec | nn.Module,
    spec: Spec | str | Path | None = None,
    *,
    steps: int = 0,
    random: bool = False,
    overrides: Sequence[str] = (),
    device: str = "auto",
) -> InspectResult:
    """Measure every layer of a network as its next optimiser step would see it.

    `target` is a spec (fresh weights), a checkpoint or run directory, or a compiled network beside its `spec`.
    Everything is measured in training mode, on a copy: batch norm takes its statistics from the batch, and
    dropout draws the masks of that step. With `steps` the copy first takes as many real steps of the recipe, its
    optimiser starting afresh. Without data, or with `random`, inputs are N(0, 1) and labels random; without a
    loss it is cross_entropy. The network given and torch's global random state are left as they were.

    Raises SpecError, CheckpointError, DataError or UsageError where one of them cannot be used, DivergedError
    where `steps` lead to a loss that is not finite.
    """
    if steps < 0:
        raise UsageError(Problem("usage", f"expected a number of steps of at least 0, found {steps}"))
    subject = subject_of(target, spec, overrides)
    graph, place = subject.graph, resolve_device(device)
    recipe = graph.spec.train
    if steps and recipe is None:
        raise _missing(graph, "the spec has no `train`: there is no recipe to take steps by", "inspect without steps")
    random = random or graph.spec.data is None
    losses = recipe.loss if recipe else (_default_loss(graph, random),)
    batches = _batches(subject, losses, random, place)
    stepper = _stepper(copy.deepcopy(subject.net).to(place).train(), graph, losses, place)
    with reproducible(place):
        for step in range(steps):
            assert recipe is not None
            try:
                stepper(in_type(batches.at(step), stepper.net), step, _rate(recipe, batches, step))
            except NotFinite as failure:
                hint = f"inspect with fewer steps than {failure.step}, or lower the learning rate"
                raise DivergedError(Problem("diverged", f"training diverged: {failure}", hint=hint)) from None
        return measure(stepper, graph, batches, steps, _rate(recipe, batches, steps) if recipe else None)


def _batches(subject: Subject, losses: Sequence[Loss], random: bool, device: torch.device) -> Batches:
    """Return random batches, or those of the spec's training set. Raises SpecError where these do not fit."""
    graph, data, recipe = subject.graph, subject.graph.spec.data, subject.graph.spec.train
    size = recipe.batch_size if recipe else DEFAULT_SIZE
    if random or data is None:
        return RandomBatches(graph, losses, DEFAULT_SIZE if size == "all" else size, device)
    if graph.refusals:
        raise SpecError(graph.refusals)
    splits = load(data, graph.spec.seed, device, splits=("train",), standardisation=subject.standardisation)
    n = len(splits.train)
    name = data.dataset.kind
    return TrainingBatches(name, splits.train, n if size == "all" else size, graph.has_batch_norm, graph.spec.seed)


def _default_loss(graph: Graph, random: bool) -> Loss:
    """Return the loss of a spec that names none. Raises SpecError where it cannot be computed."""
    shape, facts = graph.output.shape, graph.facts
    fits = random or facts is None or (facts.task == "classification" and shape.dims == (facts.classes,))
    if shape.tokens or not fits:
        message = f"without a loss it is cross_entropy, which does not fit an output of shape {shape}"
        raise _missing(graph, message, "write `train: {loss: …}`")
    return CrossEntropy()


def _stepper(net: nn.Module, graph: Graph, losses: Sequence[Loss], device: torch.device) -> Stepper:
    """Return what takes the recipe's steps; without a recipe it computes gradients alone."""
    recipe, seed = graph.spec.train, graph.spec.seed
    if not any(p.requires_grad for p in net.parameters()):
        raise UsageError(Problem("nothing-learned", "the network has no weights to learn: there is nothing to inspect"))
    if recipe is None:
        return Stepper(net, Objective(losses), torch.optim.SGD(net.parameters()), seed=seed, device=device)
    return stepper_of(graph, recipe, net, device)


def _rate(recipe: Train, batches: Batches, step: int) -> float:
    """Return the learning rate of a step; past the recipe's end, its last one."""
    steps = recipe.epochs * batches.per_epoch
    schedule = recipe.schedule or Constant()
    return recipe.optimizer.lr * schedule.factor_at(min(step, steps - 1), steps, batches.per_epoch)


def _missing(graph: Graph, message: str, hint: str) -> SpecError:
    return SpecError(Problem("missing", message, graph.spec.document.position, "train", hint=hint))
