"""RMSProp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from nnctl.component.base import Example
from nnctl.component.types import Below1, Flag, Positive
from nnctl.kinds.optimizers._form import Form, with_default
from nnctl.kinds.optimizers._momentum import check_nesterov
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class RmsProp(Optimizer):
    """Steps divided by a running root mean square of the gradient.

    g ← ∇ + λθ, r ← ρr + (1 − ρ)g². torch: v ← μv + g/(√r + δ), θ ← θ − ε v. notes: v ← μv − ε g/√(δ + r), θ ← θ + v;
    with Nesterov's momentum g is taken at θ + μv. The notes have δ inside the root, and a velocity that does not
    follow a change of the rate ε at once.
    """

    kind = "rmsprop"
    paper = (
        "Tieleman and Hinton, Lecture 6.5 of Neural networks for machine learning, 2012; notes: Goodfellow, Bengio "
        "and Courville, Deep learning, 2016, algorithms 8.5 and 8.6"
    )
    examples = (
        Example("rmsprop"),
        Example("rmsprop: {lr: 1e-3, rho: 0.9, momentum: 0.9}"),
        Example("rmsprop: {lr: 1e-3, form: notes}"),
        Example("rmsprop: {lr: 1e-3, rho: 0.9, momentum: 0.9, form: notes}"),
        Example("rmsprop: {lr: 1e-3, rho: 0.9, momentum: 0.9, nesterov: true, form: notes}"),
    )

    lr: Positive = 1e-2
    """Learning rate ε before the schedule's factor."""
    rho: Below1 = 0.99
    """Decay ρ of the mean square; torch calls it alpha."""
    eps: Positive = 1e-8
    """δ, added to the root mean square; with `form: notes` to the mean square, and 1e-6 unless given."""
    momentum: Below1 = 0.0
    """Share μ of the velocity that is kept from step to step."""
    nesterov: Flag = False
    """Whether the gradient is taken ahead along the velocity; with `form: notes` alone."""
    form: Form = "torch"
    """Whether δ is outside the root and the rate outside the velocity (torch), or both are inside (notes)."""

    @model_validator(mode="before")
    @classmethod
    def _fill_eps(cls, fields: Any) -> Any:
        return with_default(fields, "eps", 1e-6)

    @model_validator(mode="after")
    def _check_nesterov(self) -> RmsProp:
        if self.nesterov and self.form == "torch":
            raise ValueError("torch's RMSProp has no Nesterov momentum; write `form: notes` beside `nesterov: true`")
        check_nesterov(self.nesterov, self.momentum)
        return self

    def state_tensors(self) -> int:
        """Return 1, or 2 with momentum; one more for the way back from the point ahead."""
        return 1 + int(self.momentum > 0) + int(self.nesterov)

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return torch's RMSprop or the twin in the notes' form."""
        from torch.optim import RMSprop

        from nnctl.optim import rmsprop

        if self.form == "notes":
            twin = rmsprop.NesterovRmsProp if self.nesterov else rmsprop.RmsProp
            return twin(groups, lr=self.lr, rho=self.rho, eps=self.eps, momentum=self.momentum)
        return RMSprop(groups, lr=self.lr, alpha=self.rho, eps=self.eps, momentum=self.momentum)
