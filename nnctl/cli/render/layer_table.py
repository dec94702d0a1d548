"""Tables of `inspect` with a row for each layer; of very many layers those at the ends of each stage."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from nnctl.cli.render.columns import aligned
from nnctl.cli.render.layer_paths import short_paths

if TYPE_CHECKING:
    from nnctl.diagnosis.result import LayerSignals

Row: TypeAlias = "LayerSignals | int"
"""A layer, or how many were left out."""

_MANY = 48
"""Rows up to which none is left out."""
_LEAST = 4
"""Columns that are always shown."""
_ENDS = 4
"""Layers that stay at either end of a stage."""


def layer_table(
    layers: Sequence[LayerSignals],
    headings: Sequence[str],
    cells: Callable[[LayerSignals], Sequence[str]],
    width: int,
    named: Collection[str] = (),
) -> list[str]:
    """Return a heading and a line for each layer within the width; columns that are empty for all are left out.

    Of many layers only those with weights are shown, of very many of these the first and the last of each stage, and
    those whose path is in `named`. A last line says what is not there.
    """
    weighted = [layer for layer in layers if layer.weight_norm is not None] if len(layers) > _MANY else list(layers)
    rows = _folded(weighted, named) if len(weighted) > _MANY else weighted
    told = [[""] * len(headings) if isinstance(row, int) else cells(row) for row in rows]
    columns = [column for column in zip(headings, *told, strict=True) if any(column[1:])]
    shown = [row.path for row in rows if not isinstance(row, int)]
    dropped: list[str] = []
    while True:  # a name that can be read is worth more than the last columns
        room = width - sum(2 + max(map(len, column)) for column in columns)
        short = short_paths(shown, room)
        if len(columns) <= _LEAST or all(len(path) <= room and "…" not in path for path in short):
            break
        dropped.insert(0, columns.pop()[0])
    paths = iter(short)
    names = ["layer", *(f"  ... {row} more" if isinstance(row, int) else next(paths) for row in rows)]
    lines = aligned([list(row) for row in zip(names, *columns, strict=True)], right=range(1, len(columns) + 1))
    remarks = [f"{len(layers) - len(shown)} of {len(layers)} layers left out"] if len(shown) < len(layers) else []
    remarks += [f"columns {' and '.join(dropped)} left out"] if dropped else []
    remarks += ["names shortened"] if not set(shown) <= set(names) else []
    return [*lines, f"({', '.join(remarks)}; --json has all)"] if remarks else lines


def _folded(layers: Sequence[LayerSignals], named: Collection[str]) -> list[Row]:
    """Return the layers with a number for each stretch in the middle of a stage: an outermost entry of the spec."""
    rows: list[Row] = []
    for _, group in groupby(layers, lambda layer: layer.path.partition(".")[0]):
        stage = list(group)
        for place, layer in enumerate(stage):
            if min(place, len(stage) - 1 - place) < _ENDS or layer.path in named:
                rows.append(layer)
            elif rows and isinstance(last := rows[-1], int):
                rows[-1] = last + 1
            else:
                rows.append(1)
    return rows
