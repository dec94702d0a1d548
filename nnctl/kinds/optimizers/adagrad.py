"""AdaGrad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from nnctl.component.base import Example
from nnctl.component.types import Positive
from nnctl.kinds.optimizers._form import Form, with_default
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class Adagrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far.

    g ← ∇ + λθ, r ← r + g², θ ← θ − ε g/(δ + √r). torch and the notes differ in δ alone: 1e-10 and 1e-7. Under a
    constant gradient step t has length ε/√t.
    """

    kind = "adagrad"
    paper = "Duchi, Hazan and Singer, Adaptive subgradient methods, 2011"
    examples = (Example("adagrad"), Example("adagrad: {lr: 0.05}"), Example("adagrad: {form: notes}"))

    lr: Positive = 1e-2
    """Learning rate ε before the schedule's factor."""
    eps: Positive = 1e-10
    """δ, added to the root of the sum; with `form: notes` 1e-7 unless given."""
    form: Form = "torch"
    """Whose δ is the default."""

    @model_validator(mode="before")
    @classmethod
    def _fill_eps(cls, fields: Any) -> Any:
        return with_default(fields, "eps", 1e-7)

    def state_tensors(self) -> int:
        """Return 1: the sum of squares."""
        return 1

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return torch's Adagrad; its fused kernel exists on the CPU alone."""
        import torch

        on_cpu = all(p.device.type == "cpu" for group in groups for p in group["params"])
        return torch.optim.Adagrad(groups, lr=self.lr, eps=self.eps, fused=on_cpu)
