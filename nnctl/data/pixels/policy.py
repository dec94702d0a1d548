"""The operations of a random policy: (images, strengths from −1 to 1, one for each) -> images."""

from __future__ import annotations

from collections.abc import Callable
from math import atan, degrees
from typing import TypeAlias

import torch
from torch import Tensor

from nnctl.data.pixels import colour
from nnctl.data.pixels.warp import inverse_affine, warp

Operation: TypeAlias = Callable[[Tensor, Tensor], Tensor]
_TURN, _SHEAR, _MOVE, _FACTOR, _BITS = 30.0, 0.3, 0.45, 0.9, 4


def _rotate(images: Tensor, strength: Tensor) -> Tensor:
    return _moved(images, angle=_TURN * strength)


def _shear_x(images: Tensor, strength: Tensor) -> Tensor:
    return _moved(images, shear_x=_sheared(strength))


def _shear_y(images: Tensor, strength: Tensor) -> Tensor:
    return _moved(images, shear_y=_sheared(strength))


def _move_x(images: Tensor, strength: Tensor) -> Tensor:
    return _moved(images, right=(_MOVE * images.shape[3] * strength).round())


def _move_y(images: Tensor, strength: Tensor) -> Tensor:
    return _moved(images, down=(_MOVE * images.shape[2] * strength).round())


def _brightness(images: Tensor, strength: Tensor) -> Tensor:
    return colour.brightness(images, 1 + _FACTOR * strength)


def _contrast(images: Tensor, strength: Tensor) -> Tensor:
    return colour.contrast(images, 1 + _FACTOR * strength)


def _saturation(images: Tensor, strength: Tensor) -> Tensor:
    return colour.saturation(images, 1 + _FACTOR * strength)


def _posterize(images: Tensor, strength: Tensor) -> Tensor:
    return colour.posterize(images, 8 - (_BITS * strength.abs()).round().long())


def _solarize(images: Tensor, strength: Tensor) -> Tensor:
    return colour.solarize(images, 256 * (1 - strength.abs()))


OPERATIONS: tuple[Operation, ...] = (
    _rotate,
    _shear_x,
    _shear_y,
    _move_x,
    _move_y,
    _brightness,
    _contrast,
    _saturation,
    _posterize,
    _solarize,
)


def _moved(
    images: Tensor,
    angle: Tensor | None = None,
    right: Tensor | None = None,
    down: Tensor | None = None,
    shear_x: Tensor | None = None,
    shear_y: Tensor | None = None,
) -> Tensor:
    none = torch.zeros(len(images))
    shift = torch.stack([none if one is None else one for one in (right, down)], 1)
    shear = torch.stack([none if one is None else one for one in (shear_x, shear_y)], 1)
    return warp(images, inverse_affine(none if angle is None else angle, shift, none + 1, shear))


def _sheared(strength: Tensor) -> Tensor:
    return degrees(atan(_SHEAR)) * strength
