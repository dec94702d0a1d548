"""The delta-orthogonal initialiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.errors import Problem, SpecError
from nnctl.kinds.initializers.base import Gain, Initializer, Place

if TYPE_CHECKING:
    import torch


class DeltaOrthogonal(Initializer):
    """Make a convolution an orthogonal map: its kernel is 0 but for the centre, a matrix with orthonormal columns.

    With circular padding, stride 1 and one group ‖K ∗ x‖ = gain ‖x‖ for every x, however deep the network.
    """

    kind = "delta_orthogonal"
    paper = "Xiao et al., Dynamical Isometry and a Mean Field Theory of CNNs, 2018"
    examples = (Example("delta_orthogonal"), Example("delta_orthogonal: 1.0247"), Example("delta_orthogonal: auto"))

    gain: Gain = 1.0
    """Factor of the matrix: all its singular values; `auto` is that of the activation that follows."""

    def check(self, shape: tuple[int, ...], place: Place) -> None:
        """Raise SpecError for what is no kernel, and where the channels become fewer."""
        if len(shape) < 3:
            what = "a bias" if len(shape) < 2 else "the matrix of a linear layer"
            hint = "use `orthogonal` for it" if len(shape) == 2 else "give the bias another one, such as `zero`"
            raise SpecError(
                Problem("init", f"`delta_orthogonal` fills the kernel of a convolution, not {what}", hint=hint)
            )
        channels, entering = shape[:2]
        if channels < entering:
            message = f"`delta_orthogonal` cannot keep the norm of {entering} channels in {channels}"
            raise SpecError(
                Problem("init", message, hint=f"give the layer {entering} channels or more, or `orthogonal`")
            )

    def fill(self, tensor: torch.Tensor, place: Place, generator: torch.Generator) -> None:
        """Fill the centre with an orthogonal matrix, and the rest with 0."""
        import torch
        from torch import nn

        channels, entering = tensor.shape[:2]
        centre: list[slice | int] = [slice(None), slice(None), *((size - 1) // 2 for size in tensor.shape[2:])]
        with torch.no_grad():
            tensor.zero_()
            matrix = torch.empty(channels, entering)
            nn.init.orthogonal_(matrix, place.chosen(self.gain), generator=generator)
            tensor[tuple(centre)] = matrix
