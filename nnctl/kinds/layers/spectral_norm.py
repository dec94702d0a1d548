"""Spectral normalisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.layers._reparametrised import Reparametrised
from nnctl.kinds.layers.base import Shape

if TYPE_CHECKING:
    from torch import nn


class SpectralNorm(Reparametrised):
    """Divide a layer's weight by its largest singular value, so that it stretches nothing by more than 1.

    W / σ(W), a kernel taken as the matrix (channels, C·|kernel|). σ is exact at every step, not the running estimate
    of a power iteration: that costs singular values of the matrix at each pass.

    Shape: as the layer inside -> as the layer inside
    """

    kind = "spectral_norm"
    paper = "Miyato, Kataoka, Koyama & Yoshida, Spectral Normalization for Generative Adversarial Networks, 2018"
    examples = (
        Example("spectral_norm: {linear: 3}", input=(4,)),
        Example("spectral_norm: {conv: {channels: 2, stride: 2}}", input=(2, 4, 3)),
    )

    def build(self, x: Shape) -> nn.Module:
        """Return the module around torch's."""
        from nnctl.modules.spectral_norm import SpectralNorm as Module

        return Module(self.layer.build(x))
