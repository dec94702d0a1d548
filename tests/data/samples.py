"""Data sets and data sections made from a line of YAML."""

from __future__ import annotations

from typing import Any

from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.datasets.base import Dataset
from nnctl.spec.sections import Data
from tests.components import component


def dataset(text: str) -> Dataset:
    return component(Dataset, text)


def augmentation(text: str) -> Augmentation:
    return component(Augmentation, text)


def section(text: str, **fields: Any) -> Data:
    return Data(dataset=dataset(text), **fields)
