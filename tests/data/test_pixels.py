"""Batched operations on images, sample by sample against torchvision's."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from nnctl.data.pixels import colour
from nnctl.data.pixels.resample import crop_and_resize
from nnctl.data.pixels.warp import inverse_affine, warp

SEED = torch.Generator().manual_seed(0)
BYTES = torch.randint(0, 256, (40, 3, 13, 17), dtype=torch.uint8, generator=SEED)
NUMBERS = BYTES.double() / 255
N = len(BYTES)


def drawn(low: float, high: float, *more: int) -> Tensor:
    return low + (high - low) * torch.rand(N, *more, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_images_are_warped_as_torchvision_warps_each(mode: str) -> None:
    angle, scale = drawn(-180, 180), drawn(0.6, 1.5)
    shift, shear = drawn(-4, 4, 2).round(), drawn(-30, 30, 2)
    found = warp(NUMBERS, inverse_affine(angle, shift, scale, shear), mode)  # type: ignore[arg-type]
    expected = torch.stack(
        [
            functional.affine(
                photo,
                angle=angle[i].item(),
                translate=shift[i].tolist(),
                scale=scale[i].item(),
                shear=shear[i].tolist(),
                interpolation=InterpolationMode(mode),
            )
            for i, photo in enumerate(NUMBERS)
        ]
    )
    apart = (found - expected).abs().amax(1)
    if mode == "bilinear":
        # torchvision's own grid is in single precision: a pixel at the border may fall to the other side of it.
        assert (apart > 1e-4).double().mean() < 0.002
    else:
        assert (apart > 0).double().mean() < 0.002, "nearest neighbours differ only where two are equally near"


def test_bytes_are_rounded() -> None:
    inverse = inverse_affine(drawn(-90, 90), torch.zeros(N, 2), torch.ones(N), torch.zeros(N, 2))
    exact = warp(BYTES.double(), inverse)
    found = warp(BYTES, inverse)
    assert found.dtype == torch.uint8
    assert (found.double() - exact).abs().max() < 0.501


def test_parts_are_resized_as_torchvision_resizes_each() -> None:
    size = (11, 9)
    height, width = drawn(1, 13.99).long().clamp(1, 13), drawn(1, 17.99).flip(0).long().clamp(1, 17)
    top, left = (drawn(0, 0.999) * (14 - height)).long(), (drawn(0, 0.999).flip(0) * (18 - width)).long()
    boxes = torch.stack((top, left, height, width), 1)
    assert (height > 11).any(), "some parts shrink"
    assert (height < 11).any(), "some grow"
    found = crop_and_resize(NUMBERS, boxes, size)
    expected = torch.stack(
        [functional.resized_crop(photo, *box, list(size)) for photo, box in zip(NUMBERS, boxes.tolist(), strict=True)]
    )
    assert torch.allclose(found, expected, atol=1e-9)
    nearly = crop_and_resize(BYTES, boxes, size).int() - torch.stack(
        [functional.resized_crop(photo, *box, list(size)) for photo, box in zip(BYTES, boxes.tolist(), strict=True)]
    )
    assert nearly.abs().max() <= 1, "torchvision's arithmetic on bytes is not that of numbers"


@pytest.mark.parametrize("images", [BYTES, NUMBERS, BYTES[:, :1], NUMBERS[:, :1]], ids=["b3", "f3", "b1", "f1"])
@pytest.mark.parametrize(
    ("ours", "theirs", "low", "high"),
    [
        (colour.brightness, functional.adjust_brightness, 0.0, 2.5),
        (colour.contrast, functional.adjust_contrast, 0.0, 2.5),
        (colour.saturation, functional.adjust_saturation, 0.0, 2.5),
        (colour.hue, functional.adjust_hue, -0.5, 0.5),
    ],
    ids=["brightness", "contrast", "saturation", "hue"],
)
def test_colours_change_as_torchvision_changes_each(ours, theirs, low, high, images: Tensor) -> None:  # type: ignore[no-untyped-def]
    factors = drawn(low, high)
    found = ours(images, factors)
    expected = torch.stack([theirs(photo, factor.item()) for photo, factor in zip(images, factors, strict=True)])
    assert found.dtype == images.dtype
    if images.dtype == torch.uint8:
        differ = (found.int() - expected.int()).abs()
        assert differ.max() <= 1
        assert (differ > 0).double().mean() < 0.005, "only where single precision falls on a whole number"
    else:
        assert torch.allclose(found, expected, atol=1e-6)


def test_grey_is_torchvisions() -> None:
    assert torch.equal(colour.grey(BYTES), functional.rgb_to_grayscale(BYTES))
    assert torch.equal(colour.grey(BYTES[:, :1]), BYTES[:, :1])


def test_bits_and_bright_pixels() -> None:
    bits, thresholds = drawn(0, 8.99).long(), drawn(0, 255)
    expected = [functional.posterize(photo, int(bit)) for photo, bit in zip(BYTES, bits, strict=True)]
    assert torch.equal(colour.posterize(BYTES, bits), torch.stack(expected))
    expected = [functional.solarize(photo, float(limit)) for photo, limit in zip(BYTES, thresholds, strict=True)]
    assert torch.equal(colour.solarize(BYTES, thresholds), torch.stack(expected))
