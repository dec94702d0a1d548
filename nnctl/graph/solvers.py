"""What an optimiser needs of the network and the rest of the recipe."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from nnctl.errors import Problem
from nnctl.graph.checks import position_of, subset_size
from nnctl.graph.nodes import Chain, Leaf, SetTag
from nnctl.kinds.datasets.base import count_of
from nnctl.kinds.layers.base import Weighted
from nnctl.spec.sections import Train

if TYPE_CHECKING:
    from nnctl.graph.build import Graph

NOISY = ("dropout", "spatial_dropout", "stochastic_depth", "noisy_relu")
"""Layers whose output changes from step to step."""
UNSOLVED = ("accumulate", "clip", "penalties", "precision", "sampling", "bagging", "pretrain", "inspect")
"""Fields of a recipe that say how gradients are taken, or what else they are taken of."""


def check_optimizer(graph: Graph) -> list[Problem]:
    """Return what keeps the recipe's optimiser from training this network."""
    train = graph.spec.train
    if train is None:
        return []
    if train.optimizer.gradient_free:
        return [*_solvable_recipe(graph, train), *_solvable_network(graph, train)]
    return [*_unclipped(graph, train), *_something_on_the_grid(graph, train)]


def _unclipped(graph: Graph, train: Train) -> Iterator[Problem]:
    if train.optimizer.needs_closure and train.clip is not None:
        message = f"`clip` changes the gradients that the line search of `{train.optimizer.kind}` reckons with"
        position = position_of(graph.spec, "train", "clip")
        hint = "remove `clip`: the line search bounds the step itself"
        yield Problem("clip", message, position, "train.clip", hint=hint)


def _something_on_the_grid(graph: Graph, train: Train) -> Iterator[Problem]:
    grid = getattr(train.optimizer, "grid", None)
    if grid is None:
        return
    weights = [leaf for leaf in graph.leaves if isinstance(leaf.layer, Weighted)]
    inputs = {leaf.path: prod(leaf.layer.weight_shape(leaf.input.shape)[1:]) for leaf in weights}  # type: ignore[attr-defined]
    if prod(grid) not in inputs.values():
        message = f"no layer's units have {prod(grid)} inputs, as `grid: {list(grid)}` asks for"
        details = tuple(f"{path}: {count} inputs" for path, count in inputs.items())
        position = position_of(graph.spec, "train", "optimizer")
        hint = "give the extents of the first layer's input, such as [8, 8] for digits"
        yield Problem("grid", message, position, "train.optimizer.grid", details, hint)


def _solvable_recipe(graph: Graph, train: Train) -> Iterator[Problem]:
    spec, kind = graph.spec, train.optimizer.kind
    if train.batch_size != "all":
        message = f"`{kind}` solves for all training samples at once"
        position = position_of(spec, "train", "batch_size")
        yield Problem("full-batch", message, position, "train.batch_size", hint="write `batch_size: all`")
    for name in UNSOLVED:
        field = Train.model_fields.get(name)
        if field is not None and getattr(train, name) != field.get_default(call_default_factory=True):
            message = f"`{name}` has no place in `{kind}`, which takes no gradients"
            yield Problem("solver", message, position_of(spec, "train", name), f"train.{name}", hint=f"remove `{name}`")
    if spec.data is not None and spec.data.augment:
        message = f"`{kind}` has unknowns for each sample, which must stay the same"
        yield Problem("solver", message, position_of(spec, "data", "augment"), "data.augment", hint="remove `augment`")
    losses: tuple[str, ...] = getattr(train.optimizer, "losses", ())
    only = train.loss[0]
    if len(train.loss) > 1 or only.kind not in losses or only.at is not None or only.target is not None:
        names = " or ".join(f"`{name}`" for name in losses)
        message = f"`{kind}` has no closed form for this loss"
        hint = f"use {names} alone, at the output and against the data's target"
        yield Problem("solver", message, position_of(spec, "train", "loss"), "train.loss", hint=hint)


def _solvable_network(graph: Graph, train: Train) -> Iterator[Problem]:
    """Yield what differs from: flatten, then linear layers with one activation between two."""
    kind, activations = train.optimizer.kind, getattr(train.optimizer, "activations", ())
    names = " or ".join(f"`{name}`" for name in activations)
    expected: tuple[str, ...] = ("linear",)
    last: Leaf | None = None
    for step in _in_line(graph.network):
        if not isinstance(step, Leaf):
            position = step.position if hasattr(step, "position") else position_of(graph.spec, "model", "layers")
            message = f"`{kind}` trains layers one behind the other, not what stands side by side"
            yield Problem("solver", message, position, getattr(step, "path", "model.layers"), hint="use a plain list")
            return
        if step.layer.kind == "flatten" and last is None:
            continue
        if step.layer.kind not in expected or step.path in graph.frozen:
            what = "a `linear` that learns" if expected == ("linear",) else names
            message = f"`{kind}` expects {what} here, not `{step.layer.kind}`"
            details = ("each of its steps is solved exactly, which this layer does not allow",)
            hint = f"use `linear` layers with {names} between, or an optimiser that takes gradients"
            yield Problem("solver", message, step.position, step.path, details, hint)
            return
        expected = activations if expected == ("linear",) else ("linear",)
        last = step
    if last is not None and last.layer.kind != "linear":
        message = f"the last layer is `{last.layer.kind}`; `{kind}` ends with a `linear` layer"
        yield Problem("solver", message, last.position, last.path, hint="remove it, or add `linear: $classes`")
    if last is None or len(graph.inputs) != 1 or len(graph.output.shape.dims) != 1:
        position = position_of(graph.spec, "model", "layers")
        yield Problem("solver", f"`{kind}` maps one vector to another", position, "model.layers", hint="use `flatten`")


def _in_line(chain: Chain) -> Iterator[object]:
    for step in chain.steps:
        if isinstance(step, Chain):
            yield from _in_line(step)
        elif not isinstance(step, SetTag):
            yield step


def mini_batches_under_line_search(graph: Graph) -> Iterator[Problem]:
    """Warn where a method that compares losses sees other samples at each step."""
    train, data, facts = graph.spec.train, graph.spec.data, graph.facts
    if train is None or not train.optimizer.needs_closure or train.batch_size == "all":
        return
    if data is not None and facts is not None and facts.train is not None:
        samples = subset_size(data, facts.train)
        if train.batch_size >= samples - count_of(data.validation, samples):
            return
    message = f"`{train.optimizer.kind}` with mini-batches: curvature is learned from other samples than it is used on"
    position = position_of(graph.spec, "train", "batch_size")
    yield Problem("full-batch", message, position, "train.batch_size", hint="write `batch_size: all`")


def noise_under_line_search(graph: Graph) -> Iterator[Problem]:
    """Warn where the loss itself changes from step to step."""
    train, data = graph.spec.train, graph.spec.data
    if train is None or not train.optimizer.needs_closure:
        return
    message = f"`{train.optimizer.kind}` minimises one function, and {{}} makes another one of it at each step"
    hint = "remove it, or use sgd or adam"
    for leaf in graph.leaves:
        if leaf.layer.kind in NOISY:
            what = f"`{leaf.layer.kind}`"
            yield Problem("noisy-objective", message.format(what), leaf.position, leaf.path, hint=hint)
    if data is not None and data.augment:
        position = position_of(graph.spec, "data", "augment")
        yield Problem("noisy-objective", message.format("`augment`"), position, "data.augment", hint=hint)
    if train.sampling == "draw":
        position = position_of(graph.spec, "train", "sampling")
        yield Problem("noisy-objective", message.format("`sampling: draw`"), position, "train.sampling", hint=hint)
    for loss in train.loss:
        if loss.kind == "contrastive_divergence":  # what it samples is held fixed in the gradient alone
            position = position_of(graph.spec, "train", "loss")
            yield Problem("noisy-objective", message.format(f"`{loss.kind}`"), position, "train.loss", hint=hint)
