"""The batches that a network is inspected with: those that training would see, or random ones of the same shapes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Protocol

import torch
from torch import Tensor

from nnctl.data.load import Batch, Split, load
from nnctl.data.order import batch_slices, epoch_order
from nnctl.diagnosis.subject import Subject
from nnctl.errors import Problem, SpecError
from nnctl.graph.build import Graph
from nnctl.kinds.layers.shape import Shape
from nnctl.kinds.losses.base import Loss
from nnctl.kinds.losses.cross_entropy import CrossEntropy
from nnctl.randomness import derive

DEFAULT_SIZE = 128
"""Samples of a random batch where the spec does not say how many."""


class Batches(Protocol):
    """Where batches come from."""

    name: str
    """The data set's name, or "random"."""
    identity: str
    """Equal for batches of the same samples that are cut and changed alike."""
    per_epoch: int

    def at(self, step: int) -> Batch:
        """Return the batch of an optimiser step, counted from 0."""

    def others(self, step: int) -> Iterator[Batch]:
        """Yield further batches, none of whose samples is in that of `step`."""


class TrainingBatches:
    """What the training loop would see."""

    def __init__(self, name: str, samples: Split, size: int, join_single: bool, seed: int, identity: str = "") -> None:
        """Cut `samples` as the training loop does."""
        self.name, self.identity, self.samples, self._seed = name, identity, samples, seed
        self._slices = batch_slices(len(samples), size, join_single)
        self.per_epoch = len(self._slices)

    def at(self, step: int) -> Batch:
        """Return the batch of an optimiser step, counted from 0."""
        return self._part(step, 0)

    def others(self, step: int) -> Iterator[Batch]:
        """Yield the other batches of the step's epoch."""
        return (self._part(step, ahead) for ahead in range(1, self.per_epoch))

    def _part(self, step: int, ahead: int) -> Batch:
        epoch, number = divmod(step, self.per_epoch)
        order = epoch_order(len(self.samples), self._seed, epoch + 1)
        return self.samples.batch(order[self._slices[(number + ahead) % self.per_epoch]], step=step + ahead)


class RandomBatches:
    """N(0, 1) inputs and random targets, each batch a function of seed and step."""

    name = "random"
    identity = ""

    def __init__(self, graph: Graph, losses: Sequence[Loss], size: int, device: torch.device) -> None:
        """Draw what the graph's network takes, and targets that `losses` can be computed from."""
        self._graph, self._size, self._device = graph, size, device
        samples = graph.facts.train if graph.facts else None
        self.per_epoch = -(-samples // size) if samples else 1
        self._labels_only = any(loss.tasks == {"classification"} for loss in losses)

    def at(self, step: int) -> Batch:
        """Return the batch of an optimiser step, counted from 0."""
        generator = torch.Generator().manual_seed(derive(self._graph.spec.seed, "random batch", step))
        data = self._graph.spec.data
        batch = self._batch(generator)
        return replace(batch, streams={name: self._batch(generator) for name in (data.streams if data else ())})

    def _batch(self, generator: torch.Generator) -> Batch:
        inputs = {name: self._input(shape, generator).to(self._device) for name, shape in self._graph.inputs.items()}
        return Batch(inputs, self._target(generator).to(self._device))

    def others(self, step: int) -> Iterator[Batch]:
        """Yield fresh batches without end."""
        return (self.at(later) for later in count(step + 1))

    def _input(self, shape: Shape, generator: torch.Generator) -> Tensor:
        dims = (self._size, *shape.dims)
        if shape.vocabulary is not None:
            return torch.randint(shape.vocabulary, dims, generator=generator)
        return torch.randn(dims, generator=generator)

    def _target(self, generator: torch.Generator) -> Tensor:
        shape, facts = self._graph.output.shape, self._graph.facts
        regression = facts is not None and facts.task == "regression"
        if self._labels_only or (len(shape.dims) == 1 and not regression):
            classes = shape.features if self._labels_only else max(shape.features, 2)
            return torch.randint(classes, (self._size, *shape.space), generator=generator)
        return torch.randn((self._size, *shape.dims), generator=generator)


def losses_of(graph: Graph, random: bool) -> tuple[Loss, ...]:
    """Return the losses of the recipe; without one cross_entropy. Raises SpecError where that cannot be computed."""
    if graph.spec.train is not None:
        return graph.spec.train.loss
    shape, facts = graph.output.shape, graph.facts
    fits = random or facts is None or (facts.task == "classification" and shape.dims == (facts.classes,))
    if shape.tokens or not fits:
        message = f"without a loss it is cross_entropy, which does not fit an output of shape {shape}"
        raise missing(graph, message, "write `train: {loss: …}`")
    return (CrossEntropy(),)


def batches_of(
    subject: Subject, losses: Sequence[Loss], random: bool, device: torch.device, size: int | None = None
) -> Batches:
    """Return random batches, or those of the spec's training set, of `size` samples or as many as the recipe says.

    Raises SpecError where the data does not fit the network.
    """
    graph, data, recipe = subject.graph, subject.graph.spec.data, subject.graph.spec.train
    wanted = size or (recipe.batch_size if recipe else DEFAULT_SIZE)
    if random or data is None:
        return RandomBatches(graph, losses, DEFAULT_SIZE if wanted == "all" else wanted, device)
    if graph.refusals:
        raise SpecError(graph.refusals)
    splits = load(data, graph.spec.seed, device, splits=("train",), standardisation=subject.standardisation)
    size = len(splits.train) if wanted == "all" else wanted
    # The content, not the path: a run's own spec names the same samples in other words than the one it came from.
    identity = repr((splits.digest, data.validation, data.subset, data.label_noise, data.transform, data.augment))
    return TrainingBatches(data.dataset.kind, splits.train, size, graph.has_batch_norm, graph.spec.seed, identity)


def missing(graph: Graph, message: str, hint: str) -> SpecError:
    """Return the error for what a spec's recipe lacks."""
    return SpecError(Problem("missing", message, graph.spec.document.position, "train", hint=hint))
