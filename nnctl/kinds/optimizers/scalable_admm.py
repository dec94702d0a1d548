"""Training without gradients, by ADMM."""

from __future__ import annotations

from typing import ClassVar

from nnctl.component.base import Example
from nnctl.component.types import Positive, WholeNumber
from nnctl.kinds.optimizers.base import Optimizer


class ScalableAdmm(Optimizer):
    """Trains multi-layer perceptrons without gradients: every step solves for each layer's unknowns exactly.

    min Σ ℓ(z_L, y) + u·z_L + β‖z_L − m_L‖² + Σ_{l<L} [γ‖a_l − h(z_l)‖² + β‖z_l − m_l‖²], m_l = W_l a_{l−1} + b_l. A
    step goes over the layers once: W and b by least squares, a by a linear system, z number by number; then
    u ← u + lr·β(z_L − m_L). For `linear` with `relu` or `hard_sigmoid` between (`flatten` first), the loss `mse` or
    `hinge`, and `batch_size: all`.
    """

    kind = "scalable_admm"
    paper = "Taylor, Burmeister, Xu, Singh, Patel and Goldstein, Training Neural Networks Without Gradients, 2016"
    examples = (Example("scalable_admm"), Example("scalable_admm: {beta: 1, gamma: 10, warm: 20}"))

    gradient_free = True
    activations: ClassVar[tuple[str, ...]] = ("relu", "hard_sigmoid")
    """Kinds whose z-step has a closed form."""
    losses: ClassVar[tuple[str, ...]] = ("mse", "hinge")
    """Losses whose z-step has one."""

    lr: Positive = 1.0
    """Length of the multiplier's step, as a share of β."""
    beta: Positive = 1.0
    """β: how firmly z is held to Wa + b."""
    gamma: Positive = 10.0
    """γ: how firmly a is held to h(z)."""
    warm: WholeNumber = 10
    """Steps before the multiplier begins to change."""

    def state_tensors(self) -> int:
        """Return 0: what is kept has a row for each sample, as the activations have."""
        return 0
