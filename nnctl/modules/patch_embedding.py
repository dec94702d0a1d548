"""Patches as tokens."""

from __future__ import annotations

from torch import Tensor, nn

_CONVS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


class PatchEmbedding(nn.Module):
    """A linear map of each patch: (N, C, space…) -> (N, patches, features), row by row."""

    def __init__(self, channels: int, features: int, patch: tuple[int, ...]) -> None:
        super().__init__()
        self.projection = _CONVS[len(patch) - 1](channels, features, patch, stride=patch)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens."""
        maps: Tensor = self.projection(x)
        return maps.flatten(2).transpose(1, 2)
