"""What an optimiser is: a rule for one step, with the tensors it keeps for each parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from nnctl.component.base import Component
from nnctl.component.types import Expected, NonNegative, Positive

if TYPE_CHECKING:
    import torch


class Optimizer(Component):
    """A component that updates parameters from their gradients."""

    family = "optimizers"

    needs_closure: ClassVar[bool] = False
    """Whether `step` is given a Closure: the optimiser evaluates the batch's loss more than once."""
    proximal: ClassVar[bool] = False
    """Whether groups may have proximal operators under `prox`, in place of the gradients of penalties."""
    gradient_free: ClassVar[bool] = False
    """Whether no gradient is taken at all: nnctl.admm_step then builds what takes the steps."""

    lr: Positive
    """Learning rate before the schedule's factor."""
    weight_decay: NonNegative = 0.0
    """λ of ½λ‖W‖² (decoupled in adamw)."""
    decay_on: Annotated[Literal["weights", "all"], Expected("weights or all")] = "weights"
    """What decays: `weights` (tensors of two or more axes: no biases, no gains of norms) or `all`."""

    def state_tensors(self) -> int:
        """Return how many tensors of a parameter's size the optimiser keeps for it: memory is told from this, but of
        those that have `state_numbers` of their own."""
        raise NotImplementedError(f"{self.kind} has `state_numbers` of its own")

    def state_numbers(self, parameters: int) -> int:
        """Return how many numbers the optimiser keeps for so many parameters."""
        return self.state_tensors() * parameters

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return the torch optimiser over parameter groups that already hold `params` and `weight_decay`; those that
        are `gradient_free` have none."""
        raise NotImplementedError(f"{self.kind} is `gradient_free`: torch has no such optimiser")
