"""A loss over many samples as a function of all weights: value, gradient and products with its Hessian."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from nnctl.data.load import Batch
from nnctl.objective import Objective


class Loss:
    """The mean loss over all samples of some batches, whatever their number and size.

    Every batch counts by its samples, so that the same samples in other batches, or all of them twice, change nothing.
    The network is used as it stands, in the mode and the type that it has.
    """

    def __init__(self, net: nn.Module, objective: Objective, batches: Iterable[Batch]) -> None:
        self.net, self._objective, self._batches = net, objective, tuple(batches)
        self.parameters = [p for p in net.parameters() if p.requires_grad]
        self.dimension = sum(p.numel() for p in self.parameters)
        self._samples = sum(batch.n for batch in self._batches)

    def value(self) -> float:
        """Return the loss at the present weights."""
        with torch.no_grad():
            parts = [self._objective(self._objective.forward(self.net, b)).double() * b.n for b in self._batches]
        return float(torch.stack(parts).sum() / self._samples)

    def gradient(self) -> Tensor:
        """Return the gradient with respect to all weights in a row, (n,) in float64."""
        total = torch.zeros(self.dimension, dtype=torch.float64)
        for batch in self._batches:
            loss = self._objective(self._objective.forward(self.net, batch))
            total += self._flat(torch.autograd.grad(loss, self.parameters, allow_unused=True)) * batch.n
        return total / self._samples

    def hessian_times(self, vector: Tensor) -> Tensor:
        """Return the Hessian times a vector (n,), both in float64: the gradient of ⟨∇L, v⟩ (Pearlmutter, 1994)."""
        pieces = [piece.view_as(p).to(p) for piece, p in zip(vector.split(self._sizes()), self.parameters, strict=True)]
        total = torch.zeros(self.dimension, dtype=torch.float64)
        for batch in self._batches:
            loss = self._objective(self._objective.forward(self.net, batch))
            first = torch.autograd.grad(loss, self.parameters, create_graph=True, allow_unused=True)
            terms = [(g * v).sum() for g, v in zip(first, pieces, strict=True) if g is not None and g.requires_grad]
            if terms:
                second = torch.autograd.grad(torch.stack(terms).sum(), self.parameters, allow_unused=True)
                total += self._flat(second) * batch.n
        return total / self._samples

    def _sizes(self) -> list[int]:
        return [p.numel() for p in self.parameters]

    def _flat(self, tensors: Iterable[Tensor | None]) -> Tensor:
        """Return tensors in a row; None, for a weight that the loss does not depend on, is 0."""
        parts = [
            torch.zeros(p.numel(), dtype=torch.float64) if t is None else t.detach().flatten().double().cpu()
            for t, p in zip(tensors, self.parameters, strict=True)
        ]
        return torch.cat(parts)
