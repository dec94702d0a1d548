"""What a network costs: parameters, multiply-adds, memory, and one row for each layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any, TypeVar

from nnctl.graph.nodes import Chain, Leaf, leaves
from nnctl.spec.sections import Spec

Number = TypeVar("Number", int, float)

BYTES = 4  # weights, gradients, averages and activations are fp32; bf16 halves the activations


@dataclass(frozen=True)
class Row:
    """One layer as `check` shows it."""

    path: str
    kind: str
    line: int | None
    file: str | None
    """Only where it is not the spec's own file."""
    input: tuple[int, ...]
    output: tuple[int, ...]
    params: int
    macs: int
    receptive_field: int | tuple[int, ...] | None
    stride: float | tuple[float, ...] | None

    def as_json(self) -> dict[str, Any]:
        """Return the row without what does not apply."""
        row = dict(vars(self))
        if self.file is None:
            del row["file"]
        return row


@dataclass(frozen=True)
class Memory:
    """Bytes that training takes, for one batch."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    """The output of every layer, kept for the backward pass, times the batch size."""
    batch_size: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations

    @property
    def account(self) -> str:
        """The sum and its summands, as they are told."""
        parts = (
            ("weights", self.weights),
            ("gradients", self.gradients),
            ("optimiser state", self.optimizer),
            ("activations", self.activations),
        )
        summands = " + ".join(f"{byte_size(size)} {name}" for name, size in parts if size)
        return f"{byte_size(self.total)} = {summands}, for a batch of {self.batch_size}"

    def as_json(self) -> dict[str, int]:
        """Return bytes by purpose, with their sum."""
        return {**vars(self), "total": self.total}


def byte_size(number: float) -> str:
    """Return a size in binary units: 3.5 MiB."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} TiB"


def rows_of(network: Chain, file: str | None) -> tuple[Row, ...]:
    """Return a row for each layer, in the order of writing."""
    return tuple(_row(leaf, file) for leaf in leaves(network))


def _row(leaf: Leaf, file: str | None) -> Row:
    shape = leaf.input.shape
    return Row(
        leaf.path,
        leaf.layer.kind,
        leaf.position.line,
        leaf.position.file if leaf.position.file != file else None,
        shape.dims,
        leaf.output.shape.dims,
        leaf.layer.parameters(shape),
        leaf.layer.macs(shape),
        _one(tuple(ceil(extent) for extent in leaf.output.reach)),
        _one(tuple(int(step) if step == int(step) else float(step) for step in leaf.output.step)),
    )


def _one(axes: tuple[Number, ...]) -> Number | tuple[Number, ...] | None:
    if not axes:
        return None
    return axes[0] if len(set(axes)) == 1 else axes


def memory_of(rows: tuple[Row, ...], trainable: int, spec: Spec, samples: int | None) -> Memory:
    """Return the memory of training `trainable` of the parameters by the spec's recipe, or by plain SGD without one."""
    train = spec.train
    parameters = sum(row.params for row in rows)
    state = train.optimizer.state_numbers(trainable) if train else 0
    average = parameters if train and train.ema else 0
    size = train.batch_size if train else 128
    batch = (samples or 1) if size == "all" else size
    parts = train.accumulate if train else 1
    width = 2 if train and train.precision == "bf16" else BYTES
    outputs = sum(_size(row.output) for row in rows)
    members = train.bagging.members if train and train.bagging else 1
    return Memory(
        weights=members * BYTES * parameters,
        gradients=members * BYTES * trainable,
        optimizer=members * BYTES * (state + average),
        activations=members * width * outputs * -(-batch // parts),
        batch_size=batch,
    )


def _size(dims: tuple[int, ...]) -> int:
    size = 1
    for extent in dims:
        size *= extent
    return size
