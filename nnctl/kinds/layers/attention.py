"""Self-attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count
from nnctl.kinds.initializers.base import Fans
from nnctl.kinds.layers._windows import need_tokens
from nnctl.kinds.layers.base import Shape, ShapeError, Slot, Weighted

if TYPE_CHECKING:
    from torch import nn


class Attention(Weighted):
    """Let every token gather from all tokens what resembles it, in several heads at once.

    A head computes softmax(Q Kᵀ / √d) V, where queries, keys and values are linear maps of the tokens to d =
    features / heads numbers each; the heads' results, side by side, pass a last linear map. All maps have biases. The
    tensors are those of torch's nn.MultiheadAttention: queries, keys and values packed in one matrix, in this order.

    Shape: (T, F) tokens -> (T, F) tokens
    """

    kind = "attention"
    paper = "Vaswani et al., Attention Is All You Need, 2017"
    examples = (
        Example("attention: 2", input=(3, 4), tokens=True),
        Example("attention: {heads: 1}", input=(2, 3), tokens=True),
    )

    heads: Count
    """Number of heads; it divides the features."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape. Raises ShapeError where the features cannot be shared out among the heads."""
        _, features = need_tokens(self.kind, x)
        if features % self.heads:
            raise ShapeError(
                f"The features cannot be shared out among {self.heads} heads",
                f"`heads` is {self.heads}, input is {x}",
                f"choose `heads` among the divisors of {features}",
            )
        return x

    def parameters(self, x: Shape) -> int:
        """Return weights and biases of four maps of F features to F."""
        return 4 * (x.features + 1) * x.features

    def macs(self, x: Shape) -> int:
        """Return those of the four maps, of Q Kᵀ and of its product with V."""
        tokens, features = x.dims
        return 4 * tokens * features**2 + 2 * tokens**2 * features

    def slots(self, x: Shape) -> tuple[Slot, ...]:
        """Return the packed maps to queries, keys and values, then the last one."""
        f = x.features
        fans = Fans(into=f, out=f)
        return (
            Slot("in_proj_weight", "weight", fans, (3 * f, f), parts=3, inner=True),
            Slot("in_proj_bias", "bias", fans, (3 * f,), parts=3, inner=True),
            Slot("out_proj.weight", "weight", fans, (f, f)),
            Slot("out_proj.bias", "bias", fans, (f,)),
        )

    def build(self, x: Shape) -> nn.Module:
        """Return the module."""
        from nnctl.modules.attention import Attention as Module

        return Module(x.features, self.heads)
