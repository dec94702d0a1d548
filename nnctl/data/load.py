"""From the data section of a spec to splits that hand out batches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nnctl.data.progress import Progress, silent
from nnctl.data.samples import Samples
from nnctl.data.split import Batch, Split
from nnctl.data.splits import Cut, cut, cut_test, with_label_noise
from nnctl.data.standardise import Standardisation, measure, unchanged
from nnctl.errors import DataError, Problem
from nnctl.kinds.datasets.base import Facts, count_of
from nnctl.kinds.layers.shape import Shape
from nnctl.randomness import derive
from nnctl.spec.roots import data_root
from nnctl.spec.sections import Data

__all__ = ["Batch", "Split", "Splits", "Standardisation", "load"]


@dataclass(frozen=True)
class Splits:
    """A data set, read and cut. None is a split that does not exist or was not asked for."""

    train: Split
    validation: Split | None
    test: Split | None
    facts: Facts
    """What the data really is; `train` and `test` are counted before `subset` and `validation` are cut."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    digest: str
    """SHA-256 of the set that training samples come from."""
    notes: tuple[str, ...] = ()
    """What the user should know, such as images that were skipped."""

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Return the names of the classes; None for regression."""
        return self.facts.class_names


def load(
    data: Data,
    seed: int,
    device: torch.device | str = "cpu",
    splits: Collection[str] = ("train", "validation", "test"),
    progress: Progress | None = None,
    standardisation: Standardisation | None = None,
) -> Splits:
    """Return the data set with the splits asked for; `train` is always there, for it says what the data is.

    Inputs are standardised by `standardisation`, or as the training samples say, after every cut. Raises
    DataError where data is missing, damaged, or too little for its cuts.
    """
    dataset, root, place = data.dataset, data_root(data), torch.device(device)
    progress = progress or silent
    whole = dataset.read(root, "train", seed, progress)
    own_test = dataset.has_own_test(root)
    held = _test_cut(whole, dataset.test_exists and not own_test)
    rows, validation = _training_cut(data, whole.target, held.left, seed)
    raw = whole.fields["input"]
    if standardisation is None:
        standardisation = measure(raw, rows) if dataset.standardised else unchanged(raw.shape[1])

    def split(name: str, samples: Samples, rows: Tensor) -> Split | None:
        if name not in splits or not len(rows):
            return None
        target = samples.target[rows]
        return Split(name, samples.fields["input"], rows, target, standardisation, device=place)

    test, test_rows = whole, held.taken
    if own_test and "test" in splits:
        test = dataset.read(root, "test", seed, progress)
        test_rows = torch.arange(len(test))
        _check_alike(whole, test)
    facts = _facts(dataset.facts(root), whole)
    return Splits(
        train=Split(
            "train",
            raw,
            rows,
            _train_target(data, whole, rows, seed),
            standardisation,
            device=place,
            augment=data.augment,
            seed=seed,
        ),
        validation=split("validation", whole, validation),
        test=split("test", test, test_rows),
        facts=replace(facts, train=len(held.left), test=len(test_rows) or facts.test),
        mean=standardisation.mean,
        std=standardisation.std,
        digest=whole.digest,
        notes=whole.notes if test is whole else whole.notes + test.notes,
    )


def _test_cut(whole: Samples, wanted: bool) -> Cut:
    """Cut the fixed 20% for the test from a set that has no test split of its own."""
    if wanted:
        return cut_test(whole.target)
    everything = torch.arange(len(whole))
    return Cut(taken=everything[:0], left=everything)


def _training_cut(data: Data, target: Tensor, rows: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return the places of training and validation samples among `rows`, after `subset` is taken."""
    if data.subset is not None:
        size = count_of(data.subset, len(rows))
        rows = rows[cut(target[rows], size, derive(seed, "subset")).taken]
    held = cut(target[rows], count_of(data.validation, len(rows)), derive(seed, "validation"))
    if not len(held.left):
        details = (f"the training set has {len(rows):,} samples, and `validation` takes {len(held.taken):,} of them",)
        hint = "hold out fewer: `validation: 0.1`" if len(rows) else "let `subset` keep more"
        raise DataError(Problem("no-samples", "no samples are left to train on", details=details, hint=hint))
    return rows[held.left], rows[held.taken]


def _train_target(data: Data, whole: Samples, rows: Tensor, seed: int) -> Tensor:
    """Return the training targets, noisy where the spec wants that."""
    target = whole.target[rows]
    if not data.label_noise:
        return target
    if whole.class_names is None:
        message = "`label_noise` is for classes, and the data set's target is a number"
        raise DataError(Problem("label-noise", message, where="data", hint="remove `label_noise`"))
    return with_label_noise(target, data.label_noise, len(whole.class_names), derive(seed, "label_noise"))


def _facts(declared: Facts, whole: Samples) -> Facts:
    """Return what was known before reading with what the samples say."""
    names = whole.class_names
    inputs = {name: declared.inputs.get(name, Shape(tuple(field.shape[1:]))) for name, field in whole.fields.items()}
    return replace(declared, inputs=inputs, classes=len(names) if names else None, class_names=names)


def _check_alike(train: Samples, test: Samples) -> None:
    """Raise DataError where photos for training and for the test differ in size."""
    shapes = [tuple(samples.fields["input"].shape[1:]) for samples in (train, test)]
    if shapes[0] != shapes[1]:
        details = (f"samples are {shapes[0]} for training and {shapes[1]} for the test",)
        raise DataError(Problem("size", "the photos differ in size", details=details, hint="give a common `size`"))
