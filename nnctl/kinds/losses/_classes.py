"""Numbers that a loss has for each class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from nnctl.component.types import Expected, NonNegative, as_tuple
from nnctl.kinds.layers.shape import ShapeError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

PerClass: TypeAlias = Annotated[
    tuple[NonNegative, ...],
    Field(min_length=1),
    BeforeValidator(as_tuple),
    Expected("a list with a number of at least 0 for each class"),
]


def check_per_class(kind: str, field: str, numbers: Sequence[float], outputs: int, classes: int | None) -> None:
    """Raise ShapeError where there is not a number for each class, and not all of them are 0."""
    wanted = outputs if classes is None else classes
    if len(numbers) != outputs or len(numbers) != wanted:
        what = f"{wanted} classes" if wanted == outputs else f"{wanted} classes and {outputs} outputs"
        hint = f"write {wanted} numbers" if wanted == outputs else "end with `linear: $classes`"
        raise ShapeError(f"`{field}` of `{kind}` has {len(numbers)} numbers, there are {what}", hint=hint)
    if not any(numbers):
        raise ShapeError(f"`{field}` of `{kind}` is 0 for every class", hint="let some class count")


def on_device(numbers: Sequence[float]) -> Callable[[Tensor], Tensor]:
    """Return the function that gives the numbers as a tensor of another's type and device, made once for each."""
    made: dict[tuple[torch.device, torch.dtype], Tensor] = {}

    def like(tensor: Tensor) -> Tensor:
        key = tensor.device, tensor.dtype
        if key not in made:
            made[key] = tensor.new_tensor(numbers)
        return made[key]

    return like


def shares(output: Tensor, target: Tensor) -> Tensor:
    """Return float targets as shares of as many classes as there are outputs: spare outputs have a share of 0."""
    from torch.nn.functional import pad

    missing = output.shape[1] - target.shape[1]
    return pad(target, (0, missing)).to(output.dtype) if missing > 0 else target.to(output.dtype)
