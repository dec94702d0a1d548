from __future__ import annotations

import pytest
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from nnctl.kinds.layers.shape import Shape, ShapeError
from tests.data.samples import augmentation

PHOTOS = torch.randint(0, 256, (200, 3, 7, 9), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def seeded(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("padding", [1, 3])
def test_crops_pixel_by_pixel(padding: int, dtype: torch.dtype) -> None:
    photos = PHOTOS.to(dtype)
    found = augmentation(f"random_crop: {{padding: {padding}}}").apply(photos, seeded())
    top, left = torch.randint(2 * padding + 1, (2, len(photos)), generator=seeded()).tolist()
    expected = [
        functional.crop(functional.pad(photo, [padding]), y, x, 7, 9)
        for photo, y, x in zip(photos, top, left, strict=True)
    ]
    assert found.dtype == dtype
    assert torch.equal(found, torch.stack(expected))
    assert set(top) == set(left) == set(range(2 * padding + 1)), "every place is drawn"


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_flips_pixel_by_pixel(p: float) -> None:
    found = augmentation(f"horizontal_flip: {{p: {p}}}").apply(PHOTOS, seeded())
    flipped = 0
    for before, after in zip(PHOTOS, found, strict=True):
        mirrored = functional.horizontal_flip(before)
        assert torch.equal(after, before) or torch.equal(after, mirrored)
        flipped += torch.equal(after, mirrored)
    assert flipped == pytest.approx(p * 200, abs=5 * (p * (1 - p) * 200) ** 0.5)


def test_a_crop_sees_what_torchvisions_random_crop_sees() -> None:
    photo = PHOTOS[:1]
    ours = {bytes(augmentation("random_crop: 1").apply(photo, seeded(seed)).flatten().tolist()) for seed in range(120)}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = {bytes(v2.RandomCrop((7, 9), padding=1)(photo).flatten().tolist()) for _ in range(120)}
    assert ours == theirs
    assert len(ours) == 9


@pytest.mark.parametrize("text", ["random_crop: 2", "horizontal_flip"])
def test_draws_come_from_the_generator_alone(text: str) -> None:
    before = torch.get_rng_state()
    first, again = (augmentation(text).apply(PHOTOS, seeded()) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, augmentation(text).apply(PHOTOS, seeded(6)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("text", ["random_crop: 2", "horizontal_flip"])
def test_only_images_can_be_augmented(text: str) -> None:
    augmentation(text).check(Shape((3, 8, 8)))
    for shape in (Shape((4,)), Shape((3, 8)), Shape((16, 3), tokens=True)):
        with pytest.raises(ShapeError, match="is for images"):
            augmentation(text).check(shape)
