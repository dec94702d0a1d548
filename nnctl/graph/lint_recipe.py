"""Rules of lint about the recipe: what it asks of the data, of its batches and of the time it has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnctl.errors import Problem
from nnctl.graph.bagging import COMPARING
from nnctl.graph.checks import position_of, subset_size
from nnctl.graph.runs import last_layer
from nnctl.graph.solvers import mini_batches_under_line_search, noise_under_line_search
from nnctl.kinds.datasets.base import count_of

if TYPE_CHECKING:
    from nnctl.graph.build import Graph

FEW = 8
"""Samples in a batch below which batch statistics are mostly noise."""


def _spare_outputs(graph: Graph) -> Iterator[Problem]:
    facts, last, shape = graph.facts, last_layer(graph.network), graph.output.shape
    if facts is None or facts.classes is None or last is None or graph.task != "classification" or len(shape.dims) != 1:
        return
    if last.layer.kind == "linear" and shape.features > max(facts.classes, 1) and facts.classes > 1:
        message = f"the last layer has {shape.features} outputs, the data has {facts.classes} classes"
        yield Problem("classes", message, last.position, last.path, hint="write `linear: $classes`")


def _long_schedule(graph: Graph) -> Iterator[Problem]:
    train = graph.spec.train
    if train is None or train.schedule is None:
        return
    last = train.schedule.longest_epoch()
    if last is not None and last >= train.epochs:
        message = f"the schedule changes the rate at epoch {last}, training ends after {train.epochs}"
        position = position_of(graph.spec, "train", "schedule")
        hint = "shorten the schedule, or train longer"
        yield Problem("long-schedule", message, position, "train.schedule", hint=hint)


def _tiny_batches(graph: Graph) -> Iterator[Problem]:
    train = graph.spec.train
    if train is None or train.batch_size == "all" or not graph.has_batch_norm:
        return
    size = train.batch_size // train.accumulate
    if size < FEW:
        what = f"batches of {size}" if train.accumulate == 1 else f"parts of {size} (batch_size / accumulate)"
        message = f"{what} with batch norm: its statistics are mostly noise"
        position = position_of(graph.spec, "train", "batch_size" if train.accumulate == 1 else "accumulate")
        yield Problem("tiny-batches", message, position, "train", hint=f"use {FEW} samples or more, or another norm")


def _large_batches(graph: Graph) -> Iterator[Problem]:
    train, data, facts = graph.spec.train, graph.spec.data, graph.facts
    if train is None or data is None or facts is None or facts.train is None or train.batch_size == "all":
        return
    samples = subset_size(data, facts.train)
    samples -= count_of(data.validation, samples)
    if 0 < samples < train.batch_size:
        message = f"`batch_size` is {train.batch_size}, there are about {samples} training samples: one step an epoch"
        position = position_of(graph.spec, "train", "batch_size")
        yield Problem(
            "large-batch", message, position, "train.batch_size", hint="write `batch_size: all` if it is meant"
        )


def _parts_of_batches(graph: Graph) -> Iterator[Problem]:
    """What a batch is cut into: parts of a sample at least, in which losses that compare samples find others."""
    train = graph.spec.train
    if train is None:
        return
    parts, whole = train.accumulate, train.batch_size
    place = position_of(graph.spec, "train", "accumulate" if parts > 1 else "batch_size")
    if whole != "all" and parts > whole:
        message = f"`accumulate` is {parts}: a batch of {whole} can be computed in {whole} parts at most"
        yield Problem("accumulate", message, place, "train.accumulate", hint=f"write {whole} or less")
    for loss in train.loss:
        if loss.kind not in COMPARING:
            continue
        if whole != "all" and whole // parts < 2:
            message = f"`{loss.kind}` compares samples of a batch, which has one" + (" in each part" * (parts > 1))
            yield Problem("nothing-to-compare", message, place, "train", hint="take larger batches")
        elif parts > 1:
            message = f"`{loss.kind}` compares samples within each of the {parts} parts of a batch alone"
            hint = "remove `accumulate`, or take it for batches of batch_size / accumulate samples"
            yield Problem("accumulate", message, place, "train.accumulate", hint=hint)


OF_RECIPE = (
    _spare_outputs,
    _long_schedule,
    _tiny_batches,
    _large_batches,
    _parts_of_batches,
    mini_batches_under_line_search,
    noise_under_line_search,
)
"""In the order in which their warnings are told."""
