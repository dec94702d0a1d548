"""What the batch norms share: which shapes they take, and what they tell of themselves."""

from __future__ import annotations

from nnctl.kinds.layers._windows import called
from nnctl.kinds.layers.base import Layer, Shape, ShapeError


class OverBatch(Layer):
    """A layer that brings each feature to mean 0 and variance 1 over the batch and, in feature maps, over space."""

    keeps_scale = True
    is_batch_norm = True

    def output(self, x: Shape) -> Shape:
        """Return the same shape. Raises ShapeError where the features are not on the first of at most four axes."""
        if x.tokens or len(x.space) > 3:
            raise ShapeError(
                f"`{self.kind}` takes a vector, a signal, an image or a volume, not {called(x)}",
                f"expected (features,) or (channels, space…), got {x}",
                "put `flatten` before it, or remove it",
            )
        return x
