"""Data sets and data sections made from a line of YAML."""

from __future__ import annotations

from typing import Any

from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.datasets.base import Dataset
from nnctl.spec.sections import Data
from tests.components import parse


def dataset(text: str) -> Dataset:
    component = parse("datasets", text)
    assert isinstance(component, Dataset)
    return component


def augmentation(text: str) -> Augmentation:
    component = parse("augmentations", text)
    assert isinstance(component, Augmentation)
    return component


def section(text: str, **fields: Any) -> Data:
    return Data(dataset=dataset(text), **fields)
