"""Critical initialisation."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.errors import Problem, SpecError
from nnctl.kinds.initializers._moments import moments
from nnctl.kinds.initializers._scaled import draw
from nnctl.kinds.initializers.base import Initializer, Place

if TYPE_CHECKING:
    import torch

    from nnctl.kinds.layers.base import Activation

_ROUNDING = 1e-9


class Critical(Initializer):
    """Neither shrink nor blow up signal and gradient, with biases: W ~ N(0, σ_w²/fan_in), b ~ N(0, σ_b²).

    With f the activation that follows and z ~ N(0, 1): σ_w² = 1 / E[f′(z)²] lets gradients keep their size (χ = 1),
    σ_b² = 1 − σ_w² E[f(z)²] lets pre-activations keep their variance 1 (q* = 1). Given by its name alone it fills
    biases too.
    """

    kind = "critical"
    paper = "Schoenholz, Gilmer, Ganguli & Sohl-Dickstein, Deep Information Propagation, 2017"
    examples = (Example("critical"),)
    with_bias = True

    def check(self, shape: tuple[int, ...], place: Place) -> None:
        """Raise SpecError where no such pair of variances exists."""
        variances(place.activation)

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Draw every entry."""
        weight, bias = variances(place.activation)
        draw(tensor, sqrt(bias if tensor.dim() < 2 else weight / place.fans.into), "normal", generator)


def variances(activation: Activation | None) -> tuple[float, float]:
    """Return σ_w² and σ_b² before an activation. Raises SpecError where there are none."""
    hint = "use `kaiming`, or another activation such as tanh, elu, gelu or relu"
    if activation is not None and not activation.pointwise:
        message = f"`critical` needs an activation that takes any number, each by itself; `{activation.kind}` does not"
        raise SpecError(Problem("init", message, hint=hint))
    mean = moments(activation)
    weight = 1 / mean.derivative
    bias = 1 - weight * mean.value
    if bias < -_ROUNDING:
        assert activation is not None
        message = (
            f"no `critical` initialisation before `{activation.kind}`: its bias would need the variance {bias:.4g}"
        )
        details = (f"σ_w² = 1/E[f′(z)²] = {weight:.5g} and σ_b² = 1 − σ_w² E[f(z)²]",)
        raise SpecError(Problem("init", message, details=details, hint=hint))
    return weight, max(bias, 0.0)
