"""What happens to samples between the data set and the network: transforms, corruption, mixing, further sets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nnctl.data.load import Splits, load
from nnctl.data.order import endless_order, epoch_order
from nnctl.errors import DataError, SpecError
from nnctl.graph.build import build_file, build_text
from nnctl.spec.sections import Data

HEAD = "name: pipeline\nmodel: {layers: [flatten, {linear: $classes}]}\ndata: "


def data(text: str) -> Data:
    section = build_text(HEAD + text).spec.data
    assert section is not None
    return section


def splits(text: str) -> Splits:
    return load(data(text), seed=0)


def test_transforms_apply_in_every_split_and_before_the_statistics() -> None:
    plain, inverted = splits("{dataset: digits}"), splits("{dataset: digits, transform: [invert]}")
    assert inverted.mean[0] == pytest.approx(1 - plain.mean[0])
    assert inverted.std == pytest.approx(plain.std)
    for name in ("train", "validation", "test"):
        before, after = (getattr(one, name).batch(slice(0, 20)).inputs["input"] for one in (plain, inverted))
        assert torch.allclose(after, -before, atol=1e-5)


def test_transforms_change_the_shape_that_the_network_sees() -> None:
    graph = build_text(HEAD + "{dataset: digits, transform: [{resize: 6}, {crop: [4, 5]}, flatten]}")
    assert graph.inputs["input"].dims == (20,)
    found = load(graph.spec.data, 0).train if graph.spec.data else None
    assert found is not None
    assert found.batch(slice(0, 3)).inputs["input"].shape == (3, 20)


@pytest.mark.parametrize(
    ("per", "over"), [("channel", (0, 2, 3)), ("global", (0, 1, 2, 3)), ("feature", (0,))], ids=str
)
def test_statistics_are_taken_over_what_is_asked_for(per: str, over: tuple[int, ...]) -> None:
    train = splits(f"{{dataset: digits, transform: [{{standardise: {per}}}]}}").train
    found = train.batch(slice(0, len(train))).inputs["input"].double()
    assert found.mean(over).abs().max() < 1e-5
    variance = found.var(over, correction=0)
    assert ((variance - 1).abs() < 1e-4).logical_or(variance == 0).all(), "places that never change become 0"


def test_sets_of_a_formula_are_standardised_where_asked() -> None:
    plain, asked = splits("{dataset: blobs}"), splits("{dataset: blobs, transform: [standardise]}")
    raw = plain.train.batch(slice(0, 900)).inputs["input"]
    assert torch.allclose(
        asked.train.batch(slice(0, 900)).inputs["input"], (raw - raw.mean(0)) / raw.std(0, False), atol=1e-4
    )


def test_a_denoiser_sees_the_clean_input_after_geometry() -> None:
    """Corruption comes last whatever the order of writing, and the target is what came before it."""
    flips = splits("{dataset: digits, augment: [horizontal_flip]}").train.batch(slice(0, 50), step=4)
    batch = splits("{dataset: digits, augment: [{gaussian_noise: 0.2}, horizontal_flip]}").train.batch(
        slice(0, 50), step=4
    )
    assert torch.equal(batch.clean["input"], flips.inputs["input"])
    assert not torch.equal(batch.inputs["input"], batch.clean["input"])
    assert not splits("{dataset: digits, augment: [{cutout: 3}]}").train.batch(slice(0, 5)).clean


def test_mixing_blends_targets_and_keeps_the_answer() -> None:
    train = splits("{dataset: digits, augment: [{mixup: 1.0}]}").train
    batch, plain = train.batch(slice(0, 40), step=1), train.batch(slice(0, 40))
    own = torch.unique(batch.target.gather(1, plain.target[:, None]))
    assert batch.target.shape == (40, 10)
    assert torch.equal(batch.answer, plain.target)
    share = max(float(value) for value in own if value < 1) if len(own) > 1 else float(own)
    x = plain.inputs["input"]
    mixtures = (s * x + (1 - s) * x.roll(1, 0) for s in (share, 1 - share))
    assert any(torch.allclose(batch.inputs["input"], mixture, atol=1e-5) for mixture in mixtures)
    part = batch.part(slice(3, 5))
    assert torch.equal(part.answer, plain.target[3:5])
    assert torch.equal(part.target, batch.target[3:5])


def test_a_further_set_comes_along_in_an_order_of_its_own() -> None:
    train = splits("{dataset: digits, streams: {negative: {dataset: digits, transform: [invert]}}}").train
    batch = train.batch(slice(0, 32), step=3)
    stream = batch.streams["negative"]
    assert stream.inputs["input"].shape == batch.inputs["input"].shape
    assert torch.equal(stream.inputs["input"], train.batch(slice(0, 32), step=3).streams["negative"].inputs["input"])
    assert not torch.equal(stream.target, batch.target)
    assert not train.batch(slice(0, 32)).streams, "evaluation sees the set alone"
    steps = range(57)  # 57 · 32 > 1797: once through all
    seen = torch.cat([train.batch(slice(0, 32), step=step).streams["negative"].target for step in steps])[:1797]
    assert torch.equal(seen.bincount(), train.streams["negative"].target.bincount())
    black = train.streams["negative"].batch(slice(0, 9)).inputs["input"].max()
    assert black > batch.inputs["input"].max(), "standardised as the set itself, so that the difference stays"


def test_an_endless_order_is_one_epoch_after_the_other() -> None:
    whole = torch.cat([epoch_order(7, 3, epoch) for epoch in range(4)])
    for start, count in ((0, 7), (5, 4), (6, 20), (13, 1)):
        assert torch.equal(endless_order(7, 3, start, count), whole[start : start + count])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{dataset: digits, transform: [horizontal_flip]}", "`horizontal_flip` is random"),
        ("{dataset: digits, transform: [{crop: 9}]}", "`crop` would have to make images larger"),
        ("{dataset: digits, transform: [flatten, invert]}", "`invert` is for images"),
        ("{dataset: digits, transform: [flatten], augment: [horizontal_flip]}", "`horizontal_flip` is for images"),
        ("{dataset: digits, streams: {other: wine}}", "the network cannot take `other`"),
        ("{dataset: digits, streams: {other: {dataset: digits, transform: [{crop: 9}]}}}", "`crop` would have"),
        ("{dataset: digits, streams: {other: {datset: digits}}}", "has no field `datset`"),
        ("{dataset: digits, streams: [digits]}", "expected a mapping of names"),
    ],
)
def test_mistakes_are_found_at_once_and_placed(text: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(HEAD + text)
    assert message in caught.value.problems[0].message
    assert caught.value.problems[0].position.line == 3


def test_overrides_reach_into_streams() -> None:
    text = HEAD + "{dataset: digits, streams: {other: {dataset: digits, transform: [invert]}}}"
    spec = build_text(text, ["data.streams.other.transform=[]", "data.streams.other.augment=[horizontal_flip]"]).spec
    assert spec.data is not None
    assert spec.data.streams["other"].transform == ()
    assert [one.kind for one in spec.data.streams["other"].augment] == ["horizontal_flip"]


def test_a_streams_categories_have_the_codes_of_the_data_set(tmp_path: Path) -> None:
    (tmp_path / "main.csv").write_text("x,c,y\n" + "".join(f"{i},{'abc'[i % 3]},{i % 2}\n" for i in range(30)))
    (tmp_path / "other.csv").write_text("x,c,y\n" + "".join(f"{i},{'bc'[i % 2]},{i % 2}\n" for i in range(30)))
    (tmp_path / "strange.csv").write_text("x,c,y\n" + "".join(f"{i},{'bcd'[i % 3]},{i % 2}\n" for i in range(30)))
    text = """
name: coded
data:
  dataset: {csv: {path: main.csv, target: y, columns: {x: number, c: {category: 3}}}}
  streams: {other: {csv: {path: other.csv, target: y, columns: {x: number, c: {category: 3}}}}}
model: {layers: [{from: data.numbers}, {linear: 2}]}
""".replace("{other: {csv:", "{other: {dataset: {csv:").replace("3}}}}}\nmodel", "3}}}}}}\nmodel")
    (tmp_path / "a.yaml").write_text(text)
    section = build_file(tmp_path / "a.yaml").spec.data
    assert section is not None
    stream = load(section, 0).train.streams["other"]
    assert torch.equal(stream.batch(slice(0, 30)).inputs["c"].flatten(), torch.arange(30) % 2 + 1)
    (tmp_path / "a.yaml").write_text(text.replace("other.csv", "strange.csv"))
    section = build_file(tmp_path / "a.yaml").spec.data
    assert section is not None
    with pytest.raises(DataError, match="d"):
        load(section, 0)
