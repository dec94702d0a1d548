"""Contrastive loss on pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from nnctl.component.base import Example
from nnctl.component.types import Expected, Positive
from nnctl.kinds.losses._pairs import Formed, OfEmbeddings, mean_of, squared_distances
from nnctl.kinds.losses.base import LossFunction

if TYPE_CHECKING:
    from torch import Tensor


class Contrastive(OfEmbeddings):
    """Draw pairs of one class together and push pairs of two classes apart, up to a margin.

    ℓ = ½d² for two samples of one class, ½ max(0, m − d)² for two of different classes, with their Euclidean
    distance d: the mean over the pairs. all: each two samples of the batch; consecutive: the first with the second,
    the third with the fourth and so on. A batch computed in parts (`accumulate`) has pairs within its parts.
    """

    kind = "contrastive"
    paper = "Hadsell et al., Dimensionality Reduction by Learning an Invariant Mapping, 2006"
    examples = (
        Example("contrastive", input=(2,)),
        Example("contrastive: {margin: 2, pairs: consecutive, at: embedding}", input=(2,)),
    )

    margin: Positive = 1.0
    """The distance m from which on different classes are far enough apart."""
    pairs: Annotated[Formed, Expected("all or consecutive")] = "all"
    """Which pairs of the batch count."""

    def build(self) -> LossFunction:
        """Return the function of (embeddings, labels)."""
        import torch

        margin = self.margin

        def of_pairs(squares: Tensor, same: Tensor) -> Tensor:
            # at d = 0 the root has no slope, and a pair of different classes no direction to go apart in
            apart = torch.where(squares > 0, squares, 1.0).sqrt() * (squares > 0)
            return 0.5 * torch.where(same, squares, (margin - apart).clamp(min=0).square())

        def all_pairs(output: Tensor, labels: Tensor) -> Tensor:
            losses = of_pairs(squared_distances(output), labels.unsqueeze(1) == labels)
            return mean_of(losses, torch.ones_like(losses).triu(1))

        def consecutive(output: Tensor, labels: Tensor) -> Tensor:
            n = len(output) // 2 * 2
            x, y = output[:n].flatten(1), labels[:n]
            losses = of_pairs((x[0::2] - x[1::2]).square().sum(1), y[0::2] == y[1::2])
            return mean_of(losses, torch.ones_like(losses))

        return all_pairs if self.pairs == "all" else consecutive
