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
    dataset, root, device = data.dataset, data_root(data), torch.device(device)
    progress = progress or silent
    whole = dataset.read(root, "train", seed, progress)
    everything = torch.arange(len(whole))
    own_test = dataset.has_own_test(root)
    first = cut_test(whole.target) if dataset.test_exists and not own_test else Cut(everything[:0], everything)
    rows, validation = _cut_validation(data, whole.target, first.left, seed)
    target = _train_target(data, whole, rows, seed)
    raw = whole.fields["input"]
    if standardisation is None:
        standardisation = measure(raw, rows) if dataset.standardised else unchanged(raw.shape[1])

    def split(name: str, samples: Samples, rows: Tensor) -> Split | None:
        if name not in splits or not len(rows):
            return None
        return Split(name, samples.fields["input"], rows, samples.target[rows], standardisation, device=device)

    test_samples = dataset.read(root, "test", seed, progress) if own_test and "test" in splits else whole
    test_rows = torch.arange(len(test_samples)) if own_test else first.taken
    notes = whole.notes if test_samples is whole else whole.notes + test_samples.notes
    return Splits(
        Split("train", raw, rows, target, standardisation, device=device, augment=data.augment, seed=seed),
        split("validation", whole, validation),
        split("test", test_samples, test_rows),
        _facts(dataset.facts(root), whole, len(first.left), len(test_rows) if test_samples is not whole or not own_test else None),
        standardisation.mean,
        standardisation.std,
        whole.digest,
        notes,
    )
