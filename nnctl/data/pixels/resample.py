"""Cutting parts out of images and bringing them to one size."""

from __future__ import annotations

import torch
from torch import Tensor


def crop_and_resize(images: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the part of each image (N, C, H, W) that its box (top, left, height, width) names, brought to `size`.

    Bilinear, and smoothed where it shrinks. Each axis is a product with a matrix of its own for each sample. The dtype,
    uint8 or float, is kept.
    """
    values = images if images.is_floating_point() else images.float()
    boxes = boxes.to(images.device)
    rows = _weights(boxes[:, 0], boxes[:, 2], images.shape[2], size[0]).to(values.dtype)
    columns = _weights(boxes[:, 1], boxes[:, 3], images.shape[3], size[1]).to(values.dtype)
    found = rows[:, None] @ values @ columns[:, None].transpose(2, 3)
    return found if images.is_floating_point() else found.round_().clamp_(0, 255).to(images.dtype)


def _weights(start: Tensor, length: Tensor, extent: int, out: int) -> Tensor:
    """Return (N, out, extent): how much of each old pixel a new one takes, within the box alone.

    The weights are a triangle about the new pixel's middle, one old pixel wide to each side or, where the image
    shrinks, one new one (Heckbert's filtered resampling, as Pillow does it).
    """
    scale = length.double() / out
    middle = (torch.arange(out, device=start.device) + 0.5)[None] * scale[:, None]
    place = torch.arange(extent, device=start.device)[None] - start[:, None] + 0.5
    distance = (place[:, None] - middle[:, :, None]) / scale.clamp(min=1.0)[:, None, None]
    inside = (place > 0) & (place < length[:, None])
    weights = (1 - distance.abs()).clamp(min=0) * inside[:, None]
    return weights / weights.sum(2, keepdim=True)
