"""Whether a table holds the very labels that are to be learned from it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from nnctl.diagnosis.batches import TrainingBatches
from nnctl.diagnosis.result import Check
from nnctl.diagnosis.session import Session
from nnctl.randomness import derive

SAMPLES, EACH = 2048, 10
"""Samples looked at, at most, and those that every class needs among them: of one or two anything is the same."""


def labels_among_inputs(session: Session) -> Iterator[Check]:
    """Look for columns that are the same for all samples of a class, in every class, and together tell all classes.

    Such are the label itself, under whatever numbers or names, and its one-hot vector. Asked of tables alone: what
    words or photos have in common is theirs.
    """
    batches, shapes = session.batches, session.graph.inputs
    if not isinstance(batches, TrainingBatches) or session.graph.task != "classification":
        return
    samples = batches.samples
    generator = torch.Generator().manual_seed(derive(session.graph.spec.seed, "labels among inputs"))
    batch = samples.batch(torch.randperm(len(samples), generator=generator)[:SAMPLES])
    labels = batch.answer
    if labels.dim() != 1 or any(shape.tokens or shape.space for shape in shapes.values()):
        return
    counts = labels.bincount()
    classes = counts.nonzero().flatten()
    if len(classes) < 2 or int(counts[classes].min()) < EACH:
        return
    columns = {name: x.reshape(batch.n, -1).double() for name, x in batch.inputs.items()}
    telling = {name: kept for name, x in columns.items() if (kept := _same_within(x, labels, classes)).shape[1]}
    told = len(_rows(torch.cat(list(telling.values()), 1))) if telling else 0
    ok = told < len(classes)
    where = " and ".join(f"`data.{name}`" for name, x in telling.items() if len(_rows(x)) > 1)
    cause = f"{where} has columns that are the same for all samples of a class and another for each: the label is there"
    expected = f"fewer than the {len(classes)} classes told apart by one row"
    yield Check("labels are not among the inputs", ok, float(told), expected, None if ok else cause)


def _same_within(x: Tensor, labels: Tensor, classes: Tensor) -> Tensor:
    """Return what each class has in those columns that are the same within every class: (classes, columns)."""
    parts = [x[labels == one] for one in classes]
    same = torch.stack([(part == part[0]).all(0) for part in parts]).all(0)
    return torch.stack([part[0] for part in parts])[:, same]


def _rows(x: Tensor) -> set[tuple[float, ...]]:
    """Return the different rows of a matrix."""
    return {tuple(row) for row in x.tolist()}
