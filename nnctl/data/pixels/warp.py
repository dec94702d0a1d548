"""Rotating, shifting, scaling and shearing images."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor


def inverse_affine(angle: Tensor, shift: Tensor, scale: Tensor, shear: Tensor) -> Tensor:
    """Return for each sample the matrix (2, 3) from places of the result to places of the image.

    The image is sheared, scaled by `scale` (N,), turned clockwise by `angle` (N,) about its middle, then moved by
    `shift` (N, 2) pixels to the right and down. Angles and `shear` (N, 2) are in degrees; places are counted in pixels
    from the middle.
    """
    turn, (shear_x, shear_y) = angle.double().deg2rad(), shear.double().deg2rad().unbind(1)
    a = torch.cos(turn - shear_y) / torch.cos(shear_y)
    b = -(a * torch.tan(shear_x) + torch.sin(turn))
    c = torch.sin(turn - shear_y) / torch.cos(shear_y)
    d = torch.cos(turn) - c * torch.tan(shear_x)
    # [[a, b], [c, d]] has determinant 1, so that this is its inverse.
    linear = torch.stack((d, -b, -c, a), 1).view(-1, 2, 2) / scale.double()[:, None, None]
    return torch.cat((linear, -(linear @ shift.double()[:, :, None])), 2)


def warp(images: Tensor, inverse: Tensor, interpolation: Literal["bilinear", "nearest"] = "bilinear") -> Tensor:
    """Return images (N, C, H, W) whose pixel at p is that of the old image at `inverse` (N, 2, 3) times (p, 1).

    What comes from outside is black. The dtype, uint8 or float, is kept.
    """
    height, width = images.shape[2:]
    inverse = inverse.to(images.device)
    y = torch.arange(height, dtype=torch.float64, device=images.device) - (height - 1) / 2
    x = torch.arange(width, dtype=torch.float64, device=images.device) - (width - 1) / 2
    rows, columns = torch.meshgrid(y, x, indexing="ij")
    places = torch.stack((columns, rows, torch.ones_like(rows)), -1).view(-1, 3)
    half = torch.tensor((width / 2, height / 2), dtype=torch.float64, device=images.device)
    grid = ((places @ inverse.transpose(1, 2)) / half).view(-1, height, width, 2)
    values = images if images.is_floating_point() else images.float()
    found = torch.nn.functional.grid_sample(
        values, grid.to(values.dtype), mode=interpolation, padding_mode="zeros", align_corners=False
    )
    return found if images.is_floating_point() else found.round_().to(images.dtype)


def turn(images: Tensor, angle: Tensor, interpolation: Literal["bilinear", "nearest"]) -> Tensor:
    """Return images turned clockwise about their middle, each by its `angle` (N,) in degrees."""
    n = len(images)
    return warp(images, inverse_affine(angle, torch.zeros(n, 2), torch.ones(n), torch.zeros(n, 2)), interpolation)
