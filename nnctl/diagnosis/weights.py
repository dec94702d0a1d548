"""A layer's weights before and after a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from torch import Tensor, nn

from nnctl.diagnosis.norms import norm, wide


@dataclass(frozen=True, slots=True)
class Weights:
    """All that a layer learns but its biases, beside the values before the step."""

    live: tuple[nn.Parameter, ...]
    before: tuple[Tensor, ...]
    gradients: tuple[Tensor | None, ...] = ()
    """Those of the step's batch, once they are there."""

    @property
    def norm(self) -> float | None:
        """‖W‖ before the step, or None without weights."""
        return _joint_norm(self.before)

    @property
    def gradient(self) -> float | None:
        """‖∂L/∂W‖, or None where none has arrived."""
        return _joint_norm([g for g in self.gradients if g is not None])

    @property
    def change(self) -> float | None:
        """‖ΔW‖ since the step began."""
        return _joint_norm([wide(now) - wide(before) for now, before in zip(self.live, self.before, strict=True)])

    def with_gradients(self) -> Weights:
        """Return the same with copies of the gradients that are there now: the step may clip them."""
        gradients = tuple(None if w.grad is None else w.grad.detach().clone() for w in self.live)
        return Weights(self.live, self.before, gradients)


def weights_of(module: nn.Module) -> Weights:
    """Return the weights of a layer."""
    live = tuple(p for name, p in module.named_parameters() if "bias" not in name.rpartition(".")[2])
    return Weights(live, tuple(p.detach().clone() for p in live))


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return part / whole where both are there and whole is not 0."""
    return part / whole if part is not None and whole else None


def _joint_norm(tensors: Sequence[Tensor]) -> float | None:
    return hypot(*map(norm, tensors)) if tensors else None
