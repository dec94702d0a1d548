"""How inputs are brought to mean 0 and deviation 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected
from nnctl.kinds.augmentations.base import Transform
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Standardise(Transform):
    """Give inputs mean 0 and standard deviation 1, as the training samples alone say.

    Photos and tables are standardised without it, one mean and deviation for each channel or column; it says over what
    these are taken, or asks for them where a set made by a formula has none. The statistics are those after all other
    transforms, and inputs are standardised last, wherever in the list it stands.
    """

    kind = "standardise"
    paper = "Y. LeCun, L. Bottou, G. Orr, K.-R. Müller: Efficient BackProp, 1998"
    examples = (
        Example("standardise", input=(3, 8, 8)),
        Example("standardise: global", input=(3, 8, 8)),
        Example("standardise: feature", input=(1, 8, 8)),
    )

    per: Annotated[Literal["channel", "feature", "global"], Expected("channel, feature or global")] = "channel"
    """Over what a mean is taken: each channel (column of a table), each feature (every place of an image has its own),
    or everything."""

    def output(self, x: Shape) -> Shape:
        """Return the same shape."""
        return x

    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the batch as it is: the data's statistics are applied after all transforms."""
        return batch
