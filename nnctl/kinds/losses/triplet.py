"""Triplet loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from nnctl.component.base import Example
from nnctl.component.types import Expected, Positive
from nnctl.kinds.losses._pairs import Formed, OfEmbeddings, mean_of, squared_distances
from nnctl.kinds.losses.base import LossFunction

if TYPE_CHECKING:
    from torch import Tensor


class Triplet(OfEmbeddings):
    """Let a sample be nearer to those of its own class than to those of others, by a margin.

    ℓ = max(0, ‖a − p‖² − ‖a − n‖² + m) for an anchor a, a positive p of its class and a negative n of another: the
    mean over the triplets. all: every triplet of the batch, N³ numbers at most for N samples; consecutive: the first
    three samples, the next three and so on, where two are of one class, the earlier one the anchor, and the third is
    not. A batch computed in parts (`accumulate`) has triplets within its parts; without any its loss is 0.
    """

    kind = "triplet"
    paper = "Schroff et al., FaceNet: A Unified Embedding for Face Recognition and Clustering, 2015"
    examples = (
        Example("triplet", input=(2,)),
        Example("triplet: {margin: 0.5, triplets: consecutive, at: embedding}", input=(2,)),
    )

    margin: Positive = 1.0
    """By how much the squared distance to the negative shall be larger."""
    triplets: Annotated[Formed, Expected("all or consecutive")] = "all"
    """Which triplets of the batch count."""

    def build(self) -> LossFunction:
        """Return the function of (embeddings, labels)."""
        import torch

        margin = self.margin

        def all_triplets(output: Tensor, labels: Tensor) -> Tensor:
            distances, same = squared_distances(output), labels.unsqueeze(1) == labels
            positive = same & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
            losses = (distances.unsqueeze(2) - distances.unsqueeze(1) + margin).clamp(min=0)
            return mean_of(losses, positive.unsqueeze(2) & ~same.unsqueeze(1))

        def consecutive(output: Tensor, labels: Tensor) -> Tensor:
            n = len(output) // 3
            x, y = output[: 3 * n].reshape(n, 3, output[:1].numel()), labels[: 3 * n].reshape(n, 3)
            losses, chosen = [], []
            for a, p, other in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
                near, far = ((x[:, a] - x[:, i]).square().sum(1) for i in (p, other))
                losses.append((near - far + margin).clamp(min=0))
                chosen.append((y[:, a] == y[:, p]) & (y[:, a] != y[:, other]))
            return mean_of(torch.stack(losses), torch.stack(chosen))

        return all_triplets if self.triplets == "all" else consecutive
