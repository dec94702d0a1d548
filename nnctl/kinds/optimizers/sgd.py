"""Stochastic gradient descent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from nnctl.component.base import Example
from nnctl.component.types import Below1, Flag
from nnctl.kinds.optimizers._form import Form
from nnctl.kinds.optimizers._fused import fused
from nnctl.kinds.optimizers._momentum import check_nesterov
from nnctl.kinds.optimizers.base import Optimizer

if TYPE_CHECKING:
    import torch


class Sgd(Optimizer):
    """Gradient descent on batches, with momentum if asked for.

    g ← ∇ + λθ. torch: v ← μv + g, θ ← θ − ε v; with Nesterov's momentum θ ← θ − ε (g + μv). notes: v ← μv − ε g,
    θ ← θ + v; with Nesterov's momentum g is taken at θ + μv. As long as the rate ε stays the same, the plain forms
    agree, and torch's Nesterov holds and evaluates the point θ + μv where that of the notes does θ. Once ε changes,
    torch's whole velocity follows at once, that of the notes with coming gradients.
    """

    kind = "sgd"
    paper = (
        "Robbins and Monro, 1951; momentum: Polyak, 1964; Nesterov, 1983, in the form of Sutskever et al., "
        "On the importance of initialization and momentum in deep learning, 2013"
    )
    examples = (
        Example("sgd: 0.1"),
        Example("sgd: {lr: 0.1, momentum: 0.9, nesterov: true, weight_decay: 5e-4}"),
        Example("sgd: {lr: 0.1, momentum: 0.9, form: notes}"),
        Example("sgd: {lr: 0.1, momentum: 0.9, nesterov: true, form: notes}"),
    )

    momentum: Below1 = 0.0
    """Share μ of the velocity that is kept from step to step."""
    nesterov: Flag = False
    """Whether the step looks ahead along the velocity."""
    form: Form = "torch"
    """Whether the rate multiplies the velocity (torch) or the gradients that enter it (notes)."""

    @model_validator(mode="after")
    def _check_nesterov(self) -> Sgd:
        check_nesterov(self.nesterov, self.momentum)
        return self

    def state_tensors(self) -> int:
        """Return 1 with momentum, else 0; one more for the way back from the point ahead."""
        return int(self.momentum > 0) + int(self.nesterov and self.form == "notes")

    def build(self, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        """Return torch's SGD, or the twin whose velocity holds the rate; without momentum they are the same."""
        from torch.optim import SGD

        from nnctl.optim.momentum import Momentum, Nesterov

        if self.form == "notes" and self.momentum > 0:
            return (Nesterov if self.nesterov else Momentum)(groups, lr=self.lr, momentum=self.momentum)
        kernel = fused(groups) if self.momentum > 0 else None  # without momentum torch's own choice is quicker
        return SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov, fused=kernel)
