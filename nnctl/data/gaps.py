"""Numbers that are missing, NaN in a table, and what is put in their place."""

from __future__ import annotations

import torch
from torch import Tensor

from nnctl.kinds.datasets._csv_columns import Fill


def fillings(values: Tensor, rows: Tensor, rule: Fill) -> tuple[float, ...]:
    """Return for each column of `values[rows]`, (N, F), the mean, the median or the most frequent of what is there.

    Of an even number the median is the mean of the middle two; of equally frequent ones the smallest is taken. A
    column without numbers is filled with 0.
    """
    return tuple(_filling(column[~column.isnan()], rule) for column in values[rows].unbind(1))


def _filling(present: Tensor, rule: Fill) -> float:
    if not len(present):
        return 0.0
    if rule == "mean":
        return float(present.mean())
    if rule == "median":
        ordered = present.sort().values
        return float(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
    different, counts = torch.unique(present, return_counts=True)
    return float(different[counts.argmax()])


def filled(values: Tensor, fillings: tuple[float, ...]) -> Tensor:
    """Return the columns with their gaps filled."""
    return torch.where(values.isnan(), torch.tensor(fillings, dtype=values.dtype), values)
