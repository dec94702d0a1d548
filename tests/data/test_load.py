from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
import torch
from PIL import Image

from nnctl.data import source as source_module
from nnctl.data.load import Split, Splits, Standardisation, load
from nnctl.data.progress import silent
from nnctl.errors import DataError
from tests.data.samples import augmentation, dataset, section

CROP = (augmentation("random_crop: 1"), augmentation("horizontal_flip"))


def raw_of(split: Split) -> torch.Tensor:
    return split.sources["input"].values[split.rows]


def everything(split: Split | None) -> torch.Tensor:
    assert split is not None
    return split.batch(slice(0, len(split))).inputs["input"]


@pytest.fixture(scope="module")
def digits() -> Splits:
    return load(section("digits"), seed=0)


def test_parts_of_a_set_do_not_overlap_and_lose_nothing(digits: Splits) -> None:
    assert digits.validation is not None
    assert digits.test is not None
    rows = torch.cat([split.rows for split in (digits.train, digits.validation, digits.test)])
    assert torch.equal(rows.sort().values, torch.arange(1797))
    assert len(digits.test) == 359  # ⌊0.2 · 1797⌋
    assert len(digits.validation) == 143  # ⌊0.1 · 1438⌋
    target = sklearn.datasets.load_digits().target
    for split in (digits.train, digits.validation, digits.test):
        shares = np.bincount(split.target.numpy(), minlength=10) / len(split)
        assert np.abs(shares - np.bincount(target) / 1797).max() < 2 / len(split)
        assert np.array_equal(split.target.numpy(), target[split.rows.numpy()])


def test_the_test_is_fixed_and_validation_goes_by_the_seed(digits: Splits) -> None:
    other = load(section("digits"), seed=1)
    assert torch.equal(everything_raw(digits.test), everything_raw(other.test))
    assert not torch.equal(everything_raw(digits.validation), everything_raw(other.validation))
    again = load(section("digits"), seed=0)
    assert torch.equal(everything_raw(digits.validation), everything_raw(again.validation))


def everything_raw(split: Split | None) -> torch.Tensor:
    assert split is not None
    return raw_of(split)


def test_statistics_come_from_the_training_samples_alone() -> None:
    splits = load(section("wine", subset=0.5), seed=0)
    expected = sklearn.datasets.load_wine().data.astype(np.float32).astype(np.float64)[splits.train.rows.numpy()]
    assert splits.mean == pytest.approx(expected.mean(0))
    assert splits.std == pytest.approx(expected.std(0))
    assert torch.allclose(everything(splits.train).mean(0), torch.zeros(13), atol=1e-5)
    assert not torch.allclose(everything(splits.test).mean(0), torch.zeros(13), atol=1e-2)


def test_a_given_standardisation_is_used() -> None:
    given = Standardisation((1.0, 2.0, 3.0, 4.0), (2.0, 2.0, 2.0, 2.0))
    splits = load(section("iris"), 0, splits=("test",), standardisation=given)
    assert splits.validation is None
    assert splits.test is not None
    assert (splits.mean, splits.std) == (given.mean, given.std)
    expected = (raw_of(splits.test) - torch.tensor(given.mean)) / 2
    assert torch.allclose(everything(splits.test), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("fields", "train", "validation"),
    [
        ({}, 108, 12),
        ({"validation": 0}, 120, 0),
        ({"validation": 30}, 90, 30),
        ({"validation": 0.25}, 90, 30),
        ({"validation": 0.008}, 120, 0),  # less than one sample
        ({"subset": 0.5}, 54, 6),
        ({"subset": 60, "validation": 0.5}, 30, 30),
        ({"subset": 1.0, "validation": 0}, 120, 0),
        ({"subset": 1, "validation": 0.5}, 1, 0),
        ({"subset": 500}, 108, 12),
    ],
)
def test_sizes(fields: dict[str, float], train: int, validation: int) -> None:
    splits = load(section("iris", **fields), seed=0)
    assert len(splits.train) == train
    assert (len(splits.validation) if splits.validation else 0) == validation
    assert splits.test is not None
    assert len(splits.test) == 30
    assert (splits.facts.train, splits.facts.test) == (120, 30)


def test_validation_cannot_take_everything() -> None:
    with pytest.raises(DataError) as caught:
        load(section("xor", validation=4), seed=0)
    assert str(caught.value) == (
        "error: no samples are left to train on\n"
        "  the training set has 4 samples, and `validation` takes 4 of them\n"
        "\n"
        "hint: hold out fewer: `validation: 0.1`"
    )


def test_label_noise_is_in_the_training_part_alone() -> None:
    clean, noisy = (load(section("digits", label_noise=share), seed=0) for share in (0.0, 0.5))
    changed = (clean.train.target != noisy.train.target).double().mean().item()
    assert changed == pytest.approx(0.45, abs=0.06)
    for name in ("validation", "test"):
        assert torch.equal(getattr(clean, name).target, getattr(noisy, name).target)


def test_label_noise_needs_labels() -> None:
    with pytest.raises(DataError, match="`label_noise` is for classes"):
        load(section("diabetes", label_noise=0.5), seed=0)


@pytest.mark.parametrize("text", ["xor", "points: {x: [[3], [4]], y: [0.5, 1]}"])
def test_sets_without_test_are_used_as_written(text: str) -> None:
    splits = load(section(text), seed=0)
    assert splits.validation is None  # a tenth is less than one sample
    assert splits.test is None
    assert torch.equal(everything(splits.train), raw_of(splits.train))
    assert set(splits.mean) == {0.0}
    assert set(splits.std) == {1.0}


def test_a_digest_tells_sets_apart_and_not_their_cuts(digits: Splits) -> None:
    assert load(section("digits", subset=0.5), seed=3, splits=("validation",)).digest == digits.digest
    assert load(section("iris"), seed=0).digest != digits.digest


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("text", ["digits", "wine"])
def test_batches_are_the_samples_asked_for(text: str, ready: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_READY", 2**29 if ready else 0)
    train = load(section(text), seed=0).train
    raw = raw_of(train).double()
    over = (0, 2, 3) if text == "digits" else (0,)
    expected = (raw - raw.mean(over, keepdim=True)) / raw.std(over, correction=0, keepdim=True)
    for indices in (torch.tensor([5, 0, 5, 100]), slice(3, 9)):
        batch = train.batch(indices)
        assert batch.inputs["input"].dtype == torch.float32
        assert torch.allclose(batch.inputs["input"].double(), expected[indices], atol=1e-5)
        assert torch.equal(batch.target, train.target[indices])
        assert batch.n == len(batch.target)
    assert (train.sources["input"]._ready is not None) == ready


def test_both_ways_to_a_batch_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = everything(load(section("digits"), seed=0).train)
    monkeypatch.setattr(source_module, "_READY", 0)
    assert torch.equal(ready, everything(load(section("digits"), seed=0).train))


def test_augmentation_is_a_function_of_seed_and_step() -> None:
    splits = load(section("digits", augment=CROP), seed=0)
    places = torch.arange(50)

    def batch(step: int | None, of: Splits = splits) -> torch.Tensor:
        return of.train.batch(places, step=step).inputs["input"]

    assert torch.equal(batch(3), batch(3))
    assert not torch.equal(batch(3), batch(4))
    assert not torch.equal(batch(3), batch(None))
    plain = load(section("digits"), seed=0)
    assert torch.equal(batch(None), batch(None, plain)), "evaluation sees the samples as they are"
    assert torch.equal(batch(None), batch(7, plain))


def test_augmentations_apply_in_order_to_raw_pixels() -> None:
    splits = load(section("digits", augment=CROP), seed=0)
    found = splits.train.batch(torch.arange(50), step=2).inputs["input"]
    black = -splits.mean[0] / splits.std[0]
    pixels = found * splits.std[0] + splits.mean[0]
    assert torch.allclose(pixels * 255, (pixels * 255).round(), atol=1e-3), "every pixel is a byte, black at the border"
    assert found.min().item() == pytest.approx(black, rel=1e-5)


def test_augmentation_differs_by_seed() -> None:
    raw = torch.randint(0, 256, (50, 3, 8, 8), dtype=torch.uint8)
    rows, given = torch.arange(50), Standardisation((0.5,) * 3, (0.5,) * 3)
    first, other, again = (
        Split("train", {"input": raw}, rows, rows, given, device=torch.device("cpu"), augment=CROP, seed=seed)
        .batch(rows, step=2)
        .inputs["input"]
        for seed in (0, 1, 0)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_split_first_seen_in_evaluation_can_be_trained_on() -> None:
    train = load(section("digits"), seed=0).train
    with torch.inference_mode():
        train.batch(slice(0, 4))
    weight = torch.ones(3, 64, requires_grad=True)
    torch.autograd.backward((train.batch(slice(0, 4)).inputs["input"].flatten(1) @ weight.T).sum())
    assert weight.grad is not None


def test_regression_targets_stay_as_they_are() -> None:
    splits = load(section("diabetes"), seed=0)
    target = sklearn.datasets.load_diabetes().target.astype(np.float32)
    assert np.array_equal(splits.train.target.flatten().numpy(), target[splits.train.rows.numpy()])
    assert splits.train.target.shape == (len(splits.train), 1)


def paint(path: Path, colour: int, size: int = 4) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size), (colour, 2 * colour, 0)).save(path)


def test_one_folder_loses_a_fifth_to_the_test(tmp_path: Path) -> None:
    for number in range(40):
        paint(tmp_path / "set" / ("ab"[number % 2]) / f"{number}.png", number)
    splits = load(section(f"image_folder: {tmp_path / 'set'}"), seed=0)
    assert splits.test is not None
    assert splits.validation is not None
    assert [len(split) for split in (splits.train, splits.validation, splits.test)] == [29, 3, 8]
    assert splits.class_names == ("a", "b")
    assert (splits.facts.classes, splits.facts.train, splits.facts.test) == (2, 32, 8)
    assert splits.std[2] == 1.0, "a channel that is always 0"


def test_a_folder_with_a_test_keeps_it(tmp_path: Path) -> None:
    for split, count in (("train", 20), ("test", 6)):
        for number in range(count):
            paint(tmp_path / "set" / split / ("ab"[number % 2]) / f"{number}.png", number)
    splits = load(section(f"image_folder: {tmp_path / 'set'}"), seed=0)
    assert splits.test is not None
    assert (len(splits.train), len(splits.test)) == (18, 6)
    (tmp_path / "set" / "test" / "a" / "0.png").write_bytes(b"")
    skipping = load(section(f"image_folder: {{path: {tmp_path / 'set'}, unreadable: skip}}"), seed=0)
    assert len(skipping.notes) == 1
    for number in range(6):
        paint(tmp_path / "set" / "test" / ("ab"[number % 2]) / f"{number}.png", number, size=5)
    with pytest.raises(DataError, match="the photos differ in size"):
        load(section(f"image_folder: {tmp_path / 'set'}"), seed=0)


def test_generated_sets_have_a_test_of_their_own() -> None:
    splits = load(section("spirals: 200"), seed=4)
    assert splits.test is not None
    expected = dataset("spirals: 200").read(Path(), "test", 4, silent)
    assert torch.equal(everything(splits.test), expected.fields["input"])
