"""Layer normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._norm import Norm
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class LayerNorm(Norm):
    """Bring each sample to mean 0 and variance 1 over all its features, then scale and shift them.

    y = γ (x − mean) / √(var + eps) + β, the same in training and in evaluation. Of tokens each is a sample of its own.
    In images the statistics run over channels and space together, and a channel has one γ and one β.

    Shape: (F,) -> same; (T, F) tokens -> same; (C, space…) -> same
    """

    kind = "layer_norm"
    paper = "Ba, Kiros & Hinton, Layer Normalization, 2016"
    examples = (
        Example("layer_norm", input=(5,)),
        Example("layer_norm: {eps: 1e-6}", input=(3, 4), tokens=True),
        Example("layer_norm", input=(2, 3, 3)),
        Example("layer_norm: {affine: false}", input=(2, 5)),
    )

    def build(self, x: Shape) -> nn.Module:
        """Return torch's layer norm, or for images its group norm of a single group."""
        from torch import nn

        if x.space:
            return nn.GroupNorm(1, x.features, eps=self.eps, affine=self.affine)
        return nn.LayerNorm(x.features, eps=self.eps, elementwise_affine=self.affine)
