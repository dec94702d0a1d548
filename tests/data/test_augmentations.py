from __future__ import annotations

import pytest
import torch
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from nnctl.component.base import Example
from nnctl.component.family import find, names
from nnctl.kinds.augmentations._mixing import share
from nnctl.kinds.augmentations.base import Mixing
from nnctl.kinds.augmentations.random_resized_crop import RandomResizedCrop
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
@pytest.mark.parametrize("kind", ["horizontal_flip", "vertical_flip"])
def test_flips_pixel_by_pixel(kind: str, p: float) -> None:
    found = augmentation(f"{kind}: {{p: {p}}}").apply(PHOTOS, seeded())
    flipped = 0
    for before, after in zip(PHOTOS, found, strict=True):
        mirrored = getattr(functional, kind)(before)
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


KINDS = [
    example
    for kind in names("augmentations")
    for example in (find("augmentations", kind) or pytest.fail(kind)).examples
]


@pytest.mark.parametrize("example", KINDS, ids=[example.yaml for example in KINDS])
def test_every_augmentation_keeps_its_word(example: Example) -> None:
    """Shape and type as declared, draws from the generator alone, one draw per sample, the input untouched."""
    one, shape = augmentation(example.yaml), Shape(example.input or ())
    one.check(shape)
    batch = torch.randint(0, 256, (24, *shape.dims), dtype=torch.uint8, generator=seeded(1))
    raw = batch if len(shape.dims) == 3 else batch.float()
    before, state = raw.clone(), torch.get_rng_state()
    first, again = one.apply(raw, seeded()), one.apply(raw, seeded())
    assert torch.equal(raw, before)
    assert torch.equal(torch.get_rng_state(), state)
    assert first.dtype == raw.dtype
    assert tuple(first.shape[1:]) == one.output(shape).dims
    assert torch.equal(first, again)
    if isinstance(one, Mixing):
        inputs, target = one.mix(raw.float(), torch.eye(24), seeded())
        assert inputs.shape == raw.shape
        assert torch.allclose(target.sum(1), torch.ones(24))
        assert torch.equal(raw, before)
    elif one.random:
        assert not torch.equal(first, one.apply(raw, seeded(6)))
        same = one.apply(raw[:1].expand(24, *shape.dims).contiguous(), seeded())
        assert len({bytes(sample.numpy().tobytes()) for sample in same}) > 1, "each sample has a draw of its own"


@pytest.mark.parametrize("example", KINDS, ids=[example.yaml for example in KINDS])
def test_codes_are_refused_by_all_but_standardise(example: Example) -> None:
    one = augmentation(example.yaml)
    if one.kind != "standardise":
        with pytest.raises(ShapeError):
            one.check(Shape((20,), vocabulary=128))


def test_rotation_and_affine_draw_what_they_say() -> None:
    photos = PHOTOS.double() / 255
    angles = (15 * (2 * torch.rand(200, generator=seeded()) - 1)).tolist()
    found = augmentation("rotation: 15").apply(photos, seeded())
    for photo, angle, turned in zip(photos, angles, found, strict=True):
        expected = functional.rotate(photo, -angle, InterpolationMode.BILINEAR)  # torchvision turns the other way
        assert torch.allclose(turned, expected, atol=1e-3)
    moved = augmentation("affine: {translate: 0.5}").apply(photos, seeded())
    assert not torch.equal(moved, photos)
    for photo, result in zip(photos, moved, strict=True):
        shifts = ((y, x) for y in range(-4, 5) for x in range(-4, 5))
        assert any(
            torch.allclose(result, functional.affine(photo, 0, [x, y], 1.0, [0.0, 0.0]), atol=1e-6) for y, x in shifts
        )


def test_parts_have_the_areas_and_proportions_asked_for() -> None:
    one = augmentation("random_resized_crop: {area: [0.1, 0.3], ratio: [0.5, 2.0]}")
    assert isinstance(one, RandomResizedCrop)
    boxes = one.boxes(4000, (60, 80), seeded())
    top, left, height, width = boxes.double().unbind(1)
    share, ratio = height * width / 4800, width / height
    assert 0.09 < share.min() < 0.11
    assert 0.29 < share.max() < 0.31
    assert share.mean().item() == pytest.approx(0.2, abs=0.01)
    assert 0.45 < ratio.min() < 0.53
    assert 1.9 < ratio.max() < 2.2
    assert ratio.log().mean().item() == pytest.approx(0, abs=0.03)
    assert ((top >= 0) & (top + height <= 60) & (left >= 0) & (left + width <= 80)).all()
    assert (top == 0).any()
    assert (top + height == 60).any()


def test_a_part_that_never_fits_is_the_largest_middle_one() -> None:
    one = augmentation("random_resized_crop: {area: [1.0, 1.0], ratio: [1.0, 1.0]}")
    assert isinstance(one, RandomResizedCrop)
    assert torch.equal(one.boxes(3, (20, 31), seeded()), torch.tensor([[0, 5, 20, 20]] * 3))


def test_noise_has_the_deviation_asked_for() -> None:
    grey = torch.full((50, 1, 40, 40), 128, dtype=torch.uint8)
    noise = (augmentation("gaussian_noise: 0.1").apply(grey, seeded()).double() - 128) / 255
    assert noise.mean().item() == pytest.approx(0, abs=2e-3)
    assert noise.std().item() == pytest.approx(0.1, rel=0.02)
    table = augmentation("gaussian_noise: 3").apply(torch.zeros(5000, 4), seeded())
    assert table.std().item() == pytest.approx(3, rel=0.03)


def test_cutout_is_torchvisions_erase_at_every_place() -> None:
    found = augmentation("cutout: 5").apply(PHOTOS, seeded())
    generator = seeded()
    middles = [torch.randint(extent, (200,), generator=generator).tolist() for extent in (7, 9)]
    for photo, after, y, x in zip(PHOTOS, found, *middles, strict=True):
        top, left = max(y - 2, 0), max(x - 2, 0)
        height, width = min(y + 3, 7) - top, min(x + 3, 9) - left
        assert torch.equal(after, functional.erase(photo, top, left, height, width, torch.zeros(1)))


def test_mixup_and_cutmix_are_torchvisions(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = PHOTOS.float(), torch.arange(200) % 7
    rows = torch.nn.functional.one_hot(labels, 7).float()
    monkeypatch.setattr("nnctl.kinds.augmentations.mixup.share", lambda alpha, generator: 0.3)
    monkeypatch.setattr("nnctl.kinds.augmentations.cutmix.share", lambda alpha, generator: 0.3)
    theirs = v2.MixUp(num_classes=7)
    params = {"lam": 0.3, "labels": labels, "batch_size": 200}
    mixed, target = one_of("mixup").mix(images, rows, seeded())
    assert torch.allclose(mixed, theirs.transform(images, params), rtol=1e-5)
    assert torch.allclose(target, theirs.transform(labels, params))
    generator = seeded()
    y, x = (int(torch.randint(extent, (), generator=generator)) for extent in (7, 9))
    half = 0.5 * (1 - 0.3) ** 0.5
    box = (max(x - int(half * 9), 0), max(y - int(half * 7), 0), min(x + int(half * 9), 9), min(y + int(half * 7), 7))
    own = 1 - (box[2] - box[0]) * (box[3] - box[1]) / 63
    params = {"box": box, "lam_adjusted": own, "labels": labels, "batch_size": 200}
    cut = v2.CutMix(num_classes=7)
    pasted, target = one_of("cutmix").mix(images, rows, seeded())
    assert 0 < own < 1
    assert torch.equal(pasted, cut.transform(images, params))
    assert torch.allclose(target, cut.transform(labels, params))


def one_of(text: str) -> Mixing:
    one = augmentation(text)
    assert isinstance(one, Mixing)
    return one


def test_shares_are_drawn_from_the_beta_distribution() -> None:
    generator = seeded()
    drawn = torch.tensor([share(0.5, generator) for _ in range(3000)])
    assert drawn.mean().item() == pytest.approx(0.5, abs=0.02)
    assert drawn.var().item() == pytest.approx(1 / 8, rel=0.05)  # of Beta(α, α): 1 / (4 (2α + 1))


def test_transforms_are_torchvisions() -> None:
    expected = {
        "resize: [5, 12]": functional.resize(PHOTOS, [5, 12], antialias=True),
        "crop: [4, 5]": functional.center_crop(PHOTOS, [4, 5]),
        "grayscale": functional.rgb_to_grayscale(PHOTOS),
        "invert": functional.invert(PHOTOS),
        "flatten": PHOTOS.flatten(1),
        "rotate: {degrees: 30, interpolation: nearest}": functional.rotate(PHOTOS, -30, InterpolationMode.NEAREST),
    }
    for text, result in expected.items():
        found = augmentation(text).apply(PHOTOS, seeded())
        assert found.shape == result.shape, text
        assert (found.int() - result.int()).abs().max() <= (1 if "resize" in text else 0), text
    square = PHOTOS[:, :, :, :7]
    turned = augmentation("rotate: 90").apply(square, seeded())
    assert torch.equal(turned, square.rot90(-1, (2, 3)))
