"""From the data section of a spec to splits that hand out batches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from nnctl.data.gaps import filled, fillings
from nnctl.data.progress import Progress, silent
from nnctl.data.samples import Samples
from nnctl.data.split import Batch, Split, numeric_field
from nnctl.data.splits import Cut, cut, cut_test, with_label_noise
from nnctl.data.standardise import Standardisation, measure, transformed, unchanged
from nnctl.errors import DataError, Problem
from nnctl.kinds.augmentations.base import Augmentation, output_of
from nnctl.kinds.augmentations.transforms.standardise import Standardise
from nnctl.kinds.datasets.base import Dataset, Facts, count_of
from nnctl.kinds.layers.shape import Shape
from nnctl.randomness import derive
from nnctl.spec.roots import data_root
from nnctl.spec.sections import Data, Stream

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
    fill: tuple[float, ...] = ()
    """What stands for missing numbers, where some may be missing."""

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
    trained_on: str | None = None,
) -> Splits:
    """Return the data set with the splits asked for; `train` is always there, for it says what the data is.

    Inputs are standardised by `standardisation`, or as the training samples say, after every cut. With `trained_on`,
    the digest of the set that a network has learned from, a set of other content is new: all of it is for the test,
    but for one that has a test split of its own. Raises DataError where data is missing, damaged, or too little for
    its cuts.
    """
    dataset, root, place = data.dataset, data_root(data), torch.device(device)
    progress = progress or silent
    whole = dataset.read(root, "train", seed, progress)
    own_test = dataset.has_own_test(root)
    if trained_on not in (None, whole.digest) and not own_test:
        held = _everything(whole).flipped()
        rows = validation = held.left
    else:
        held = cut_test(whole.target) if dataset.test_exists and not own_test else _everything(whole)
        rows, validation = _training_cut(data, whole.target, held.left, seed)
    if standardisation is None:
        fill = _fillings(whole, rows)
        whole = _without_gaps(whole, fill)
        standardisation = replace(_statistics(data, whole, rows), fill=fill)
    else:
        whole = _without_gaps(whole, standardisation.fill)

    def split(name: str, samples: Samples, rows: Tensor) -> Split | None:
        if name not in splits or not len(rows):
            return None
        target = samples.target[rows]
        return Split(name, samples.fields, rows, target, standardisation, device=place, transforms=data.transform)

    test, test_rows = whole, held.taken
    if own_test and "test" in splits:
        test = dataset.read(root, "test", seed, progress)
        test_rows = torch.arange(len(test))
        _check_alike(whole, test)
    declared = dataset.facts(root)
    facts = _facts(declared, whole, data.transform)
    main = dataset.pinned(declared) if data.streams else dataset
    streams = data.streams.items() if "train" in splits else ()
    return Splits(
        train=Split(
            "train",
            whole.fields,
            rows,
            _train_target(data, whole, rows, seed),
            standardisation,
            device=place,
            transforms=data.transform,
            augment=data.augment,
            seed=seed,
            classes=facts.classes,
            streams={
                name: _stream(stream, main, root, derive(seed, "stream", name), standardisation, place, progress)
                for name, stream in streams
            },
        ),
        validation=split("validation", whole, validation),
        test=split("test", test, test_rows),
        facts=replace(facts, train=len(held.left), test=len(test_rows) or facts.test),
        mean=standardisation.mean,
        std=standardisation.std,
        digest=whole.digest,
        notes=whole.notes if test is whole else whole.notes + test.notes,
        fill=standardisation.fill,
    )


def _fillings(whole: Samples, rows: Tensor) -> tuple[float, ...]:
    """Return what stands for missing numbers, as the training samples say, where some may be missing."""
    name = numeric_field(whole.fields)
    return fillings(whole.fields[name], rows, whole.fill) if name is not None and whole.fill is not None else ()


def _without_gaps(whole: Samples, fill: tuple[float, ...]) -> Samples:
    name = numeric_field(whole.fields)
    if name is None or not fill:
        return whole
    return replace(whole, fields={**whole.fields, name: filled(whole.fields[name], fill)})


def _statistics(data: Data, whole: Samples, rows: Tensor) -> Standardisation:
    """Return the statistics of the training samples, as the set or a `standardise` transform wants them."""
    name = numeric_field(whole.fields)
    if name is None:
        return Standardisation((), ())
    raw, wanted = whole.fields[name], next((one for one in data.transform if isinstance(one, Standardise)), None)
    if wanted is None and not data.dataset.standardised:
        return unchanged(transformed(raw[:1], data.transform).shape[1])
    measured = measure(raw, rows, data.transform, wanted.per if wanted else "channel")
    return measured.except_at(whole.unscaled) if whole.unscaled else measured


def _stream(
    stream: Stream,
    main: Dataset,
    root: Path,
    seed: int,
    standardisation: Standardisation,
    device: torch.device,
    progress: Progress,
) -> Split:
    """Return all training samples of a further set, standardised as the data set itself is: the same network sees both.

    A set without a test split of its own gives all its samples.
    """
    dataset = stream.dataset.coded_as(main)
    whole = _without_gaps(dataset.read(root, "train", seed, progress), standardisation.fill)
    return Split(
        "stream",
        whole.fields,
        torch.arange(len(whole)),
        whole.target,
        standardisation,
        device=device,
        transforms=stream.transform,
        augment=stream.augment,
        seed=seed,
    )


def _everything(whole: Samples) -> Cut:
    """Return a cut that takes nothing."""
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


def _facts(declared: Facts, whole: Samples, transforms: Sequence[Augmentation]) -> Facts:
    """Return what was known before reading with what the samples say, after the transforms."""
    names = whole.class_names
    inputs = {name: declared.inputs.get(name, Shape(tuple(field.shape[1:]))) for name, field in whole.fields.items()}
    if (main := numeric_field(whole.fields)) is not None:
        inputs[main] = output_of(transforms, inputs[main])
    return replace(declared, inputs=inputs, classes=len(names) if names else None, class_names=names)


def _check_alike(train: Samples, test: Samples) -> None:
    """Raise DataError where photos for training and for the test differ in size."""
    shapes = [tuple(samples.fields["input"].shape[1:]) for samples in (train, test)]
    if shapes[0] != shapes[1]:
        details = (f"samples are {shapes[0]} for training and {shapes[1]} for the test",)
        raise DataError(Problem("size", "the photos differ in size", details=details, hint="give a common `size`"))
