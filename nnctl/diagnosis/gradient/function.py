"""A network's loss as a function of tensors that can be moved: the same randomness and buffers at every point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nnctl.diagnosis.gradient.branches import Branches
from nnctl.diagnosis.gradient.directions import signs, unit
from nnctl.diagnosis.gradient.noise import POINTS, SPACING, noise_level
from nnctl.diagnosis.gradient.passes import Narrowed, Reads
from nnctl.errors import Problem, UsageError
from nnctl.step import generator_of

Gradients = Mapping[str, tuple[Tensor | None, ...]]
"""For each tensor the gradient of every term, None where autograd knows of no path."""


@dataclass(frozen=True, slots=True)
class Point:
    """What was found beside the point where gradients were taken."""

    values: Tensor
    """The terms, (K,)."""
    predicted: Tensor
    """⟨gradient, displacement⟩ of each term, (K,): with the displacement as it came out after rounding."""
    branch: bytes | None
    """The fingerprint of all decisions on the way, where it was asked for."""


class Function:
    """Terms, each a scalar, as functions of named tensors.

    `evaluate` computes the terms from the tensors' present values. Before every call the buffers of `module` and the
    random state are set to what they were, so that batch norm may run in training mode, and dropout.
    """

    def __init__(
        self,
        module: nn.Module,
        evaluate: Callable[[], Mapping[str, Tensor]],
        tensors: Mapping[str, Tensor],
        *,
        device: torch.device,
        seed: int,
    ) -> None:
        self.tensors = dict(tensors)
        self._evaluate, self._seed, self._generator = evaluate, seed, generator_of(device)
        self._buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
        self._needs_graph = True
        first = self.terms()
        with Narrowed() as narrowed:
            second = self.terms()
        self.dtype = narrowed.dtype
        """The shortest type that numbers of float64 pass through: it decides what differences can resolve."""
        self.names = tuple(first)
        _check_scalars(first)
        values = _stacked(first)
        if not torch.equal(values, _stacked(second)):
            raise _not_repeatable(values, _stacked(second))
        self.values = values
        """The terms at the point itself, (K,)."""
        self._needs_graph = not self._same_without_graph(values)

    def terms(self) -> Mapping[str, Tensor]:
        """Return the terms at the present point, with their graph."""
        self.restore()
        with torch.enable_grad():
            return self._evaluate()

    def gradients(self) -> Gradients:
        """Return what reverse mode says."""
        terms, tensors = self.terms(), list(self.tensors.values())
        rows = [
            torch.autograd.grad(term, tensors, retain_graph=True, allow_unused=True)
            if term.requires_grad
            else (None,) * len(tensors)
            for term in terms.values()
        ]
        by_tensor = zip(*rows, strict=True)
        return {
            name: tuple(None if g is None else g.detach().clone() for g in found)
            for name, found in zip(self.tensors, by_tensor, strict=True)
        }

    def at(self, steps: Mapping[str, Tensor], h: float, gradients: Gradients | None, look: bool = False) -> Point:
        """Return what is found at the point moved by `h` times `steps`; with `look` also which way it went."""
        predicted = torch.zeros(len(self.names), dtype=torch.float64)
        branches = Branches()
        with self.moved(steps, h) as displacements:
            if gradients is not None:
                for name, displacement in displacements.items():
                    predicted += _products(gradients[name], displacement)
            if look:
                with branches:
                    values = self.present()
            else:
                values = self.present()
        return Point(values, predicted, branches.digest if look else None)

    @contextmanager
    def moved(self, steps: Mapping[str, Tensor], h: float) -> Iterator[dict[str, Tensor]]:
        """Move tensors by `h` times `steps` for a while; yield by how much they really moved."""
        before = {name: self.tensors[name].detach().clone() for name in steps}
        try:
            with torch.no_grad():
                for name, step in steps.items():
                    self.tensors[name].add_(step, alpha=h)
            yield {name: self.tensors[name].detach() - start for name, start in before.items()}
        finally:
            with torch.no_grad():
                for name, start in before.items():
                    self.tensors[name].copy_(start)

    def noise(self) -> Tensor:
        """Return the standard deviation of the rounding in each term, measured around the point."""
        steps = {name: unit(tensor) * signs(tensor, self._seed, "noise", name) for name, tensor in self.tensors.items()}
        points = [self.at(steps, number * SPACING, None).values for number in range(POINTS)]
        noise = noise_level(torch.stack(points))
        if self.dtype == torch.float64:
            return noise
        return torch.maximum(noise, torch.finfo(self.dtype).eps * self.values.abs())

    def read(self) -> frozenset[str]:
        """Return the tensors that the terms are computed from at all."""
        with Reads() as reads:
            self.present()
        return frozenset(
            name for name, tensor in self.tensors.items() if tensor.untyped_storage().data_ptr() in reads.places
        )

    def present(self) -> Tensor:
        """Return the terms at the present point, (K,)."""
        self.restore()
        with torch.set_grad_enabled(self._needs_graph):
            return _stacked(self._evaluate())

    def restore(self) -> None:
        """Set buffers and the random state to what they are before every pass."""
        self._generator.manual_seed(self._seed)
        with torch.no_grad():
            for buffer, start in self._buffers:
                buffer.copy_(start)

    def _same_without_graph(self, values: Tensor) -> bool:
        """Return whether passes may go without recording gradients, which losses on gradients themselves may not."""
        self._needs_graph = False
        try:
            return torch.equal(self.present(), values)
        except RuntimeError:
            return False


def norms(gradients: tuple[Tensor | None, ...]) -> Tensor:
    """Return ‖g‖ of each term, (K,)."""
    return torch.tensor(
        [0.0 if g is None else float(torch.linalg.vector_norm(g)) for g in gradients], dtype=torch.float64
    )


def _products(gradients: tuple[Tensor | None, ...], displacement: Tensor) -> Tensor:
    return torch.tensor([0.0 if g is None else float((g * displacement).sum()) for g in gradients], dtype=torch.float64)


def _stacked(terms: Mapping[str, Tensor]) -> Tensor:
    return torch.stack([term.detach().double().reshape(()).cpu() for term in terms.values()])


def _check_scalars(terms: Mapping[str, Tensor]) -> None:
    for name, term in terms.items():
        if not isinstance(term, Tensor) or term.numel() != 1:
            found = f"a tensor of shape {tuple(term.shape)}" if isinstance(term, Tensor) else type(term).__name__
            message = f"the loss `{name}` is {found}, and a gradient is that of a single number"
            hint = "return a mean or a sum, such as `loss.mean()`"
            if isinstance(term, (float, int)):
                message = f"the loss `{name}` is a plain {found}: there is no way back from it to the weights"
                hint = "return the tensor itself, without `.item()` or `float()`"
            raise UsageError(Problem("not-scalar", message, hint=hint))
        if not bool(torch.isfinite(term)):
            message = f"the loss `{name}` is {float(term)} at the point to be checked: it has no gradient there"
            raise UsageError(Problem("nonfinite", message, hint="look for the layer with `nnctl inspect`"))


def _not_repeatable(first: Tensor, second: Tensor) -> UsageError:
    place = int((first != second).nonzero()[0])
    message = "two passes at the same point differ, so that differences say nothing of the gradient"
    details = (f"the loss was {float(first[place])!r}, then {float(second[place])!r}",)
    hint = "draw from torch's generator alone, which is reset before each pass, and keep no state outside of buffers"
    return UsageError(Problem("not-repeatable", message, details=details, hint=hint))
