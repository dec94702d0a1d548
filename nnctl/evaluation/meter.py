"""Measures of a network over many batches: loss, accuracy, error, top5, or rmse, mae, r2."""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum, sqrt
from typing import Literal

import torch
from torch import Tensor

_FOLD_AT = 1 << 20  # numbers held before they are counted: counting many batches at once costs a tenth per batch


@dataclass(frozen=True, slots=True)
class Reading:
    """How a network's output is read."""

    task: Literal["classification", "regression"] | None
    """None where the output is no answer to the data's target, as an autoencoder's: then the loss alone is measured."""
    classes: int = 0
    threshold: float = 0.0
    """Above what a single output means class 1: 0 for logits, 0.5 for probabilities."""

    def labels(self, output: Tensor) -> Tensor:
        """Return the class that each row of the output names."""
        if output.shape[1] == 1:
            return (output[:, 0] > self.threshold).long()
        return output.argmax(1)

    def scores(self, output: Tensor) -> Tensor:
        """Return a row for each sample with a score for each class, the largest for the most likely one."""
        if output.shape[1] == 1:
            return torch.cat((self.threshold - output, output - self.threshold), 1)
        return output


class Meter:
    """Gathers losses and outputs batch by batch without waiting for the device; `result` reads them once.

    Sums do not depend on when batches are counted, so that an epoch in two pieces measures as one in a whole.
    """

    def __init__(self, reading: Reading, confusion: bool = False) -> None:
        self.reading = reading
        self._with_confusion = confusion
        self.clear()

    def clear(self) -> None:
        """Forget all batches."""
        self.losses: list[Tensor] = []
        self.sizes: list[int] = []
        self.confusion: Tensor | None = None
        """Samples by true class (rows) and class named (columns), where asked for."""
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._numbers = 0
        self._counts: Tensor | None = None

    @property
    def samples(self) -> int:
        """How many samples were gathered."""
        return sum(self.sizes)

    def add(self, loss: Tensor | None, output: Tensor, target: Tensor) -> None:
        """Take in a batch: its mean loss, if there is one, and its outputs, detached."""
        self.sizes.append(len(target))
        if loss is not None:
            self.losses.append(loss)
        if self.reading.task is None:
            return
        self._outputs.append(output)
        self._targets.append(target)
        self._numbers += output.numel()
        if self.reading.task == "classification" and self._numbers >= _FOLD_AT:
            self._fold()

    def result(self) -> dict[str, float]:
        """Return the measures of all samples so far, by name."""
        n, measures = self.samples, {}
        if self.losses:
            values = torch.stack(self.losses).tolist()
            measures["loss"] = fsum(value * size for value, size in zip(values, self.sizes, strict=True)) / n
        if self.reading.task == "classification":
            self._fold()
            correct, top5 = self._counts.tolist() if self._counts is not None else (0, 0)
            measures |= {"accuracy": correct / n, "error": (n - correct) / n, "top5": top5 / n}
        if self.reading.task == "regression":
            measures |= regression_measures(torch.cat(self._outputs), torch.cat(self._targets))
        return measures

    def state(self) -> dict[str, Tensor]:
        """Return all that was gathered as tensors, for a saved state."""
        state = {"sizes": torch.tensor(self.sizes, dtype=torch.int64)}
        if self.losses:
            state["losses"] = torch.stack(self.losses)
        if self.reading.task == "classification":
            self._fold()
        if self._counts is not None:
            state["counts"] = self._counts
        if self._outputs:
            state |= {"outputs": torch.cat(self._outputs), "targets": torch.cat(self._targets)}
        return state

    def restore(self, state: dict[str, Tensor]) -> None:
        """Go on from a saved state."""
        self.sizes = state["sizes"].tolist()
        self.losses = list(state["losses"].unbind()) if "losses" in state else []
        self._counts = state.get("counts")
        self._outputs = [state["outputs"]] if "outputs" in state else []
        self._targets = [state["targets"]] if "targets" in state else []

    def _fold(self) -> None:
        """Count what was gathered, on its device, and let go of it."""
        if not self._outputs:
            return
        output, target = torch.cat(self._outputs), torch.cat(self._targets)
        labels, scores = self.reading.labels(output), self.reading.scores(output)
        first = scores.topk(min(5, scores.shape[1]), 1).indices
        counts = torch.stack(((labels == target).sum(), (first == target.unsqueeze(1)).sum()))
        self._counts = counts if self._counts is None else self._counts + counts
        if self._with_confusion:
            width = max(self.reading.classes, scores.shape[1])
            table = torch.bincount(target * width + labels, minlength=width * width).reshape(width, width)
            self.confusion = table if self.confusion is None else self.confusion + table
        self._outputs, self._targets, self._numbers = [], [], 0


def regression_measures(output: Tensor, target: Tensor) -> dict[str, float]:
    """Return rmse, mae and r2 over all samples and numbers; r2 is the mean of the r2 of each number.

    Where a number never varies its r2 is 1 if it is predicted exactly, else 0.
    """
    y, difference = target.double(), output.double() - target.double()
    squares = difference.square()
    residual = squares.flatten(1).sum(0)
    total = (y - y.mean(0)).square().flatten(1).sum(0)
    exact = (residual == 0).double()
    r2 = torch.where(total > 0, 1 - residual / total, exact)
    return {
        "rmse": sqrt(squares.mean().item()),
        "mae": difference.abs().mean().item(),
        "r2": r2.mean().item(),
    }
