"""The measures a run makes, by name, and which of them choose and stop."""

from __future__ import annotations

from collections.abc import Collection

_OF_TASK = {
    "classification": ("loss", "accuracy", "error", "top5"),
    "regression": ("loss", "rmse", "mae", "r2"),
    None: ("loss",),
}
_LOWER_IS_BETTER = ("loss", "error", "rmse", "mae")


def measured(task: str | None, has_validation: bool, heads: Collection[str] = ()) -> list[str]:
    """Return the names of all measures of a run; `task` is None where the output does not answer the target,
    `heads` are those that are measured in evaluation."""
    names = [f"train_{name}" for name in _OF_TASK[task]]
    if has_validation:
        names += [f"val_{name}" for name in _OF_TASK[task]]
        names += [f"val_{head}_accuracy" for head in heads]
    return names


def default_monitor(task: str | None, has_validation: bool) -> str:
    """Return the measure that chooses the best weights where the spec names none."""
    if not has_validation:
        return "train_loss"
    return "val_accuracy" if task == "classification" else "val_loss"


def lower_is_better(metric: str) -> bool:
    """Return whether a smaller value of the measure is better: losses, errors, rmse and mae."""
    return metric.rsplit("_", 1)[-1] in _LOWER_IS_BETTER
