"""Changing the colours of images, each by a factor of its own.

Images are (N, C, H, W) with C = 1 or 3, bytes or numbers from 0 to 1; factors are (N,). Bytes are cut off after each
operation, as Pillow and torchvision do.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LUMA = (0.2989, 0.587, 0.114)  # ITU-R 601


def grey(images: Tensor) -> Tensor:
    """Return the brightness of each pixel as one channel, the dtype kept."""
    return _grey(images).to(images.dtype)


def brightness(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images, every pixel times the factor: 0 is black, 1 no change."""
    return _blend(images, torch.zeros((), device=images.device), factors)


def contrast(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images blended with their mean brightness: 0 is grey, 1 no change."""
    return _blend(images, _floored(images).mean((1, 2, 3), keepdim=True), factors)


def saturation(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images blended with their grey selves: 0 is grey, 1 no change."""
    return images if images.shape[1] == 1 else _blend(images, _floored(images), factors)


def hue(images: Tensor, shifts: Tensor) -> Tensor:
    """Return the images with all hues turned by `shifts`, as shares of the colour circle."""
    if images.shape[1] == 1:
        return images
    values = images if images.is_floating_point() else images.float() / 255
    h, s, v = _to_hsv(values)
    turned = _from_hsv((h + _each(shifts, values)[:, 0]).remainder(1.0), s, v)
    return turned if images.is_floating_point() else turned.mul(256 - 1e-3).to(images.dtype)


def posterize(images: Tensor, bits: Tensor) -> Tensor:
    """Return images of bytes with only the first `bits` of each."""
    mask = 256 - 2 ** (8 - bits.to(torch.int32))
    return images & mask.to(images.device, torch.uint8)[:, None, None, None]


def solarize(images: Tensor, thresholds: Tensor) -> Tensor:
    """Return images of bytes with those from the threshold up inverted."""
    return torch.where(images >= _each(thresholds, images), ~images, images)


def _grey(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images if images.is_floating_point() else images.float()
    red, green, blue = images.unbind(1)
    return (red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2]).unsqueeze(1)


def _floored(images: Tensor) -> Tensor:
    return _grey(images) if images.is_floating_point() else _grey(images).floor()


def _blend(images: Tensor, others: Tensor, factors: Tensor) -> Tensor:
    """Return factor · image + (1 − factor) · other, within the range of pixels."""
    share = _each(factors, images)
    blended = images * share + others * (1 - share)
    return blended.clamp_(0, 1) if images.is_floating_point() else blended.clamp_(0, 255).to(images.dtype)


def _each(factors: Tensor, images: Tensor) -> Tensor:
    """Return one factor for each sample, to be multiplied with its pixels."""
    return factors.to(images.device, images.dtype if images.is_floating_point() else torch.float32)[:, None, None, None]


def _to_hsv(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hue, saturation and value (N, H, W), all from 0 to 1 (Smith, 1978)."""
    red, green, blue = rgb.unbind(1)
    low, high = torch.aminmax(rgb, dim=1)
    span = high - low
    flat = span == 0
    r, g, b = ((high - channel) / torch.where(flat, 1.0, span) for channel in (red, green, blue))
    sector = torch.where(high == red, b - g, torch.where(high == green, 2.0 + r - b, 4.0 + g - r))
    return torch.where(flat, 0.0, (sector / 6.0).remainder(1.0)), span / torch.where(flat, 1.0, high), high


def _from_hsv(h: Tensor, s: Tensor, v: Tensor) -> Tensor:
    """Return red, green and blue (N, 3, H, W)."""
    channels = []
    for offset in (5.0, 3.0, 1.0):
        k = (offset + 6.0 * h).remainder(6.0)
        channels.append(v - v * s * torch.minimum(k, 4.0 - k).clamp(0.0, 1.0))
    return torch.stack(channels, 1)
