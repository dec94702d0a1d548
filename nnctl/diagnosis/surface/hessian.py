"""A loss over many samples as a function of all weights: value, gradient and products with its Hessian."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite

import torch
from torch import Tensor, nn

from nnctl.errors import Problem, UsageError


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the samples."""

    samples: int
    value: Callable[[], Tensor]
    """Their mean loss at the weights as they are, a scalar."""
    guess: Callable[[], Tensor] | None = None
    """The same where every sample gets the mean of their outputs; None where outputs have no mean."""


class Loss:
    """The mean loss over the samples of all parts, whatever their number and size.

    Every part counts by its samples, so that the same samples in other batches, or all of them twice, change nothing.
    The network is used as it stands, in the mode and the type that it has.
    """

    def __init__(self, net: nn.Module, parts: Iterable[Part]) -> None:
        self.net, self.parts = net, tuple(parts)
        self.parameters = [p for p in net.parameters() if p.requires_grad]
        self.dimension = sum(p.numel() for p in self.parameters)
        self.samples = sum(part.samples for part in self.parts)
        self._has_recurrence = any(isinstance(module, nn.RNNBase) for module in net.modules())

    def value(self) -> float:
        """Return the loss at the present weights."""
        with torch.no_grad():
            return (
                float(torch.stack([self._of(part).double() * part.samples for part in self.parts]).sum()) / self.samples
            )

    def guessing(self) -> float | None:
        """Return the loss of a network that tells no samples apart: each part gets the mean of its own outputs.

        Of regression it is about the variance of what is predicted, of classification about ln C. None where it has no
        finite value.
        """
        with torch.no_grad():
            found = [float(part.guess()) * part.samples for part in self.parts if part.guess is not None]
        loss = sum(found) / self.samples
        return loss if len(found) == len(self.parts) and isfinite(loss) else None

    def gradient(self) -> Tensor:
        """Return the gradient with respect to all weights in a row, (n,) in float64."""
        total = torch.zeros(self.dimension, dtype=torch.float64)
        for part in self.parts:
            total += self._flat(self._differentiated(self._of(part))) * part.samples
        return total / self.samples

    def hessian_times(self, vector: Tensor) -> Tensor:
        """Return the Hessian times a vector (n,), both in float64: the gradient of ⟨∇L, v⟩ (Pearlmutter, 1994)."""
        sizes = [p.numel() for p in self.parameters]
        pieces = [v.view_as(p).to(p) for v, p in zip(torch.split(vector, sizes), self.parameters, strict=True)]
        total = torch.zeros(self.dimension, dtype=torch.float64)
        for part in self.parts:
            with self._twice_differentiable():
                first = self._differentiated(self._of(part), create_graph=True)
                terms = [(g * v).sum() for g, v in zip(first, pieces, strict=True) if g is not None and g.requires_grad]
                if terms:
                    total += self._flat(self._differentiated(torch.stack(terms).sum())) * part.samples
        return total / self.samples

    def _of(self, part: Part) -> Tensor:
        loss = part.value()
        if loss.numel() != 1:
            message = f"the loss is a tensor of shape {tuple(loss.shape)}, and a surface is that of a single number"
            raise UsageError(Problem("not-scalar", message, hint="return a mean or a sum, such as `loss.mean()`"))
        return loss.reshape(())

    def _differentiated(self, loss: Tensor, create_graph: bool = False) -> tuple[Tensor | None, ...]:
        if not loss.requires_grad:  # it depends on no weight
            return (None,) * len(self.parameters)
        return torch.autograd.grad(loss, self.parameters, create_graph=create_graph, allow_unused=True)

    @contextmanager
    def _twice_differentiable(self) -> Iterator[None]:
        """Keep torch from fused kernels whose gradients have none: those of attention, and cuDNN's recurrent ones."""
        with (
            torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
            torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled and not self._has_recurrence),
        ):
            yield

    def _flat(self, tensors: Iterable[Tensor | None]) -> Tensor:
        """Return tensors in a row; None, for a weight that the loss does not depend on, is 0."""
        parts = [
            torch.zeros(p.numel(), dtype=torch.float64) if t is None else t.detach().flatten().double().cpu()
            for t, p in zip(tensors, self.parameters, strict=True)
        ]
        return torch.cat(parts)
