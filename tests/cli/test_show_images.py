"""`nnctl show --images`: what training sees, as a picture."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torchvision.transforms.v2 import functional

from nnctl.data.load import load
from nnctl.data.sheet import COLUMNS, ROWS, draw_sheet
from nnctl.graph.build import build_text
from tests.cli.conftest import Run

SPEC = (
    "name: sheet\ndata: {dataset: digits, augment: [horizontal_flip]}\nmodel: {layers: [flatten, {linear: $classes}]}\n"
)


def test_a_sheet_holds_the_samples_pixel_by_pixel(nnctl: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SPEC)
    target = tmp_path / "samples.png"
    ran = nnctl("show", "--images", str(tmp_path / "a.yaml"), str(target), "--json")
    assert ran.code == 0
    assert ran.json == {"path": str(target), "samples": ROWS}
    sheet = functional.pil_to_tensor(Image.open(target)).mul(16 / 255).round().to(torch.uint8)  # 16 is drawn white
    data = build_text(SPEC).spec.data
    assert data is not None
    train = load(data, 0).train
    first = int((train.target == 0).nonzero()[0])
    photo = train.sources["input"].values[train.rows[first]]
    tile = photo.repeat_interleave(9, 1).repeat_interleave(9, 2).expand(3, -1, -1)
    assert places_of(tile, sheet) >= 1, "the first digit, nine times as large"
    assert places_of(tile.flip(2), sheet) >= 1, "and mirrored"
    assert places_of(tile, sheet) + places_of(tile.flip(2), sheet) == COLUMNS


def places_of(tile: torch.Tensor, sheet: torch.Tensor) -> int:
    """Return how often a tile of 8 × 8 squares of 9 × 9 pixels stands in the sheet."""
    squares = torch.nn.functional.unfold(sheet[None, :1].float(), kernel_size=8, dilation=9)[0]
    likely = (squares == tile[:1, ::9, ::9].float().reshape(64, 1)).all(0).nonzero().flatten().tolist()
    wide, (tall, across) = sheet.shape[2] - 63, tile.shape[1:]
    corners = [divmod(place, wide) for place in likely]
    return sum(torch.equal(sheet[:, y : y + tall, x : x + across], tile) for y, x in corners)


def test_regression_and_statistics_of_every_place_are_drawn_too() -> None:
    text = SPEC.replace("augment: [horizontal_flip]", "transform: [{standardise: feature}]")
    data = build_text(text).spec.data
    assert data is not None
    assert draw_sheet(load(data, 0), "digits").size[0] > 8 * 72


def test_what_cannot_be_drawn_is_told(nnctl: Run, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SPEC)
    (tmp_path / "iris.yaml").write_text(SPEC.replace("digits, augment: [horizontal_flip]", "iris"))
    spec, there = str(tmp_path / "a.yaml"), tmp_path / "there.png"
    there.write_bytes(b"mine")
    for arguments, message in (
        ([spec], "nothing says where to draw"),
        ([spec, "a.jpg"], "a.jpg is not the name of a PNG file"),
        ([spec, str(there)], "is there already"),
        ([spec, str(tmp_path / "no" / "a.png")], "cannot write"),
        ([str(tmp_path / "iris.yaml"), str(tmp_path / "b.png")], "only images can be drawn"),
    ):
        ran = nnctl("show", "--images", *arguments)
        assert ran.code == 2
        assert message in ran.err
    assert there.read_bytes() == b"mine"
