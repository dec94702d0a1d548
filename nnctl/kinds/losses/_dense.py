"""Targets of the output's shape, for losses that compare number by number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.errors import Problem, SpecError

if TYPE_CHECKING:
    from torch import Tensor


def dense(output: Tensor, target: Tensor) -> Tensor:
    """Return the target in the output's shape and type.

    Class labels become one-hot rows, or 0 and 1 where the output is a single number; so do shares of two classes,
    which mixed samples have. Raises SpecError where the shapes differ, because torch would stretch one over the
    other and train on nonsense.
    """
    if not target.is_floating_point() and target.dim() == 1 and output.dim() == 2:
        column = target.unsqueeze(1)
        if output.shape[1] == 1:
            return column.to(output.dtype)
        return output.new_zeros(output.shape).scatter_(1, column, 1.0)
    if target.is_floating_point() and target.shape[1:] == (2,) and output.shape[1:] == (1,):
        target = target[:, 1:]
    if output.shape != target.shape:
        found, wanted = tuple(output.shape[1:]), tuple(target.shape[1:])
        raise SpecError(
            Problem(
                "target-shape",
                f"the loss compares an output of shape {found} with a target of shape {wanted} per sample",
                hint="let the last layer have the target's shape, or give the loss another `target` or `at`",
            )
        )
    return target.to(output.dtype)
