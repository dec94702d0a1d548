"""What a surface is drawn of: a network as it is evaluated, and its loss on some of the training samples."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nnctl.checkpoint import digest
from nnctl.data.load import Batch, load
from nnctl.data.order import batch_slices
from nnctl.diagnosis.batches import losses_of
from nnctl.diagnosis.gradient.case import LossFunction, check_parameters
from nnctl.diagnosis.measure import in_type
from nnctl.diagnosis.subject import Subject, subject_of
from nnctl.diagnosis.surface.hessian import Loss, Part
from nnctl.errors import CheckpointError, Problem, SpecError, UsageError
from nnctl.graph.build import Graph
from nnctl.kinds.losses.cross_entropy import CrossEntropy
from nnctl.objective import Objective, measured_objective
from nnctl.randomness import derive
from nnctl.spec.resolved import to_yaml
from nnctl.spec.sections import Data, Spec

BATCH = 256
"""Samples at a time."""


@dataclass(frozen=True)
class Setting:
    """A network and the parts of its loss, for any copy of it."""

    net: nn.Module
    parts: Callable[[nn.Module], list[Part]]
    """The parts of the loss of a copy of the network, in the copy's type and on its device."""
    name: str
    data: str
    samples: int
    identity: str
    """A hash of all that the surface depends on, but for the slice."""
    graph: Graph | None = None

    def loss(self, device: torch.device, dtype: torch.dtype | None = None) -> Loss:
        """Return the loss of a copy of the network, in evaluation mode, of that type if it is given."""
        net = copy.deepcopy(self.net).to(device=device, dtype=dtype).eval()
        return Loss(net, self.parts(net))

    @property
    def chance(self) -> float | None:
        """Return the loss of a network that gives every class the same probability: ln C for cross-entropy alone."""
        losses = self.graph.spec.train.loss if self.graph and self.graph.spec.train else ()
        if self.graph is None or len(losses) != 1 or not isinstance(losses[0], CrossEntropy) or losses[0].weights:
            return None
        return losses[0].weight * log(self.graph.output.shape.features)

    @property
    def rate(self) -> float | None:
        """Return the learning rate of the recipe's gradient descent; other optimisers scale each weight's by itself."""
        recipe = self.graph.spec.train if self.graph else None
        return recipe.optimizer.lr if recipe is not None and recipe.optimizer.kind == "sgd" else None


def setting_of_spec(
    target: str | Path | Spec | nn.Module, spec: Any, samples: int, overrides: Sequence[str], device: torch.device
) -> Setting:
    """Return a checkpoint's network, or one beside its spec, with samples of its training set.

    Raises UsageError where nothing can be drawn, SpecError where the spec has no data, CheckpointError or DataError
    where they cannot be read.
    """
    subject = subject_of(target, spec, overrides)
    graph = subject.graph
    check_parameters(subject.net, graph)
    if graph.spec.data is None:
        message = "the spec has no `data`, and a loss is drawn as it is on samples"
        raise SpecError(Problem("missing", message, graph.spec.document.position, "data", hint="write `data:`"))
    if graph.refusals:
        raise SpecError(graph.refusals)
    objective = measured_objective(graph, losses_of(graph, random=False))
    if not objective.terms:
        raise UsageError(
            Problem("no-loss", "all losses of the spec are measured in training alone: there is no surface")
        )
    batches = _batches(subject, graph.spec.data, samples, device)

    def parts(net: nn.Module) -> list[Part]:
        home = next(net.parameters()).device
        return [_part(net, objective, in_type(_on(batch, home), net)) for batch in batches]

    name = str(target) if isinstance(target, str | Path) else graph.spec.name
    data, count = graph.spec.data.dataset.kind, sum(batch.n for batch in batches)
    identity = _hash(digest(subject.net.state_dict()), to_yaml(graph.spec), count)
    return Setting(subject.net, parts, name, data, count, identity, graph)


def setting_of_module(module: nn.Module, x: Any, y: Any, loss: LossFunction) -> Setting:
    """Return any module with `loss(module(x), y)`; a tuple or mapping as x is given as arguments, or as the mapping."""
    check_parameters(module, None)

    def parts(net: nn.Module) -> list[Part]:
        own = next(net.parameters())
        inputs, target = _like(x, own), _like(y, own)
        arguments = inputs if isinstance(inputs, tuple) else (inputs,)

        def guess() -> Tensor:
            return loss(_mean(net(*arguments)), target)

        return [Part(samples, lambda: loss(net(*arguments), target), guess)]

    samples = len(y) if isinstance(y, Tensor) and y.dim() else 1
    identity = _hash(digest(module.state_dict()), *(digest({"": t}) for t in (x, y) if isinstance(t, Tensor)))
    return Setting(module, parts, type(module).__name__, "given", samples, identity)


def check_same(begin: Setting, end: Setting) -> None:
    """Raise CheckpointError where two networks are not of one architecture: there is no line between them."""
    first, second = begin.net.state_dict(), end.net.state_dict()
    shapes = [{name: tuple(tensor.shape) for name, tensor in state.items()} for state in (first, second)]
    details = [
        f"{name}: {shapes[0].get(name, 'not there')} in {begin.name}, {shapes[1].get(name, 'not there')} in {end.name}"
        for name in dict.fromkeys([*first, *second])
        if shapes[0].get(name) != shapes[1].get(name)
    ]
    if begin.graph is not None and end.graph is not None and not details:
        kinds = [{leaf.path: leaf.layer.kind for leaf in graph.leaves} for graph in (begin.graph, end.graph)]
        details = [
            f"{path}: {kinds[0].get(path, 'no layer')} in {begin.name}, {kinds[1].get(path, 'no layer')} in {end.name}"
            for path in dict.fromkeys([*kinds[0], *kinds[1]])
            if kinds[0].get(path) != kinds[1].get(path)
        ]
    if details:
        shown = (*details[:5], f"and {len(details) - 5} more") if len(details) > 6 else tuple(details)
        message = "the two networks differ: a line leads only between weights of one architecture"
        hint = "give two runs of one spec, with other seeds or recipes"
        raise CheckpointError(Problem("checkpoint-mismatch", message, details=shown, hint=hint))


def _batches(subject: Subject, data: Data, samples: int, device: torch.device) -> list[Batch]:
    """Return up to `samples` training samples, drawn by the spec's seed, as they are in evaluation."""
    graph = subject.graph
    train = load(data, graph.spec.seed, device, splits=("train",), standardisation=subject.standardisation).train
    generator = torch.Generator().manual_seed(derive(graph.spec.seed, "landscape"))
    chosen = torch.randperm(len(train), generator=generator)[:samples].sort().values
    return [train.batch(chosen[place]) for place in batch_slices(len(chosen), BATCH, join_single=True)]


def _part(net: nn.Module, objective: Objective, batch: Batch) -> Part:
    def guess() -> Tensor:
        seen = objective.forward(net, batch)
        return objective(replace(seen, outputs={name: _mean(value) for name, value in seen.outputs.items()}))

    return Part(batch.n, lambda: objective(objective.forward(net, batch)), guess)


def _mean(outputs: Any) -> Any:
    """Return outputs in which every sample has the mean of all; what is no tensor of numbers stays as it is."""
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point() or outputs.dim() == 0:
        return outputs
    return outputs.mean(0, keepdim=True).repeat(len(outputs), *[1] * (outputs.dim() - 1))


def _on(batch: Batch, device: torch.device) -> Batch:
    inputs, clean = ({name: x.to(device) for name, x in fields.items()} for fields in (batch.inputs, batch.clean))
    return Batch(inputs, batch.target.to(device), clean)


def _like(value: Any, own: Tensor) -> Any:
    """Return tensors, alone or in tuples and mappings, on a parameter's device, numbers in its type."""
    if isinstance(value, Tensor):
        return value.to(own) if value.is_floating_point() else value.to(own.device)
    if isinstance(value, tuple | list):
        return tuple(_like(one, own) for one in value)
    if isinstance(value, dict):
        return {name: _like(one, own) for name, one in value.items()}
    return value


def _hash(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()
