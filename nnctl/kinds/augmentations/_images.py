"""What can be done to images alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from nnctl.component.types import Expected
from nnctl.kinds.layers.shape import Shape, ShapeError

if TYPE_CHECKING:
    import torch

Interpolation: TypeAlias = Annotated[Literal["bilinear", "nearest"], Expected("bilinear or nearest")]
"""How pixels between pixels are made."""


def check_image(kind: str, x: Shape) -> None:
    """Raise ShapeError where samples are not images (C, H, W)."""
    if x.tokens or x.vocabulary is not None or len(x.space) != 2:
        raise ShapeError(f"`{kind}` is for images", f"samples have the shape {x}", "remove it")


def check_colours(kind: str, x: Shape) -> None:
    """Raise ShapeError where samples are not images of one or three channels."""
    check_image(kind, x)
    if x.features not in (1, 3):
        raise ShapeError(f"`{kind}` is for grey and RGB images", f"samples have {x.features} channels", "remove it")


def uniform(generator: torch.Generator, n: int, low: float, high: float) -> torch.Tensor:
    """Return n numbers drawn uniformly from [low, high)."""
    import torch

    return low + (high - low) * torch.rand(n, generator=generator)


def spread(value: float | tuple[float, float]) -> tuple[float, float]:
    """Return the range that one number stands for: the same to both sides of 0."""
    return value if isinstance(value, tuple) else (-value, value)
