"""A sheet of samples as training sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nnctl.data.load import Splits
from nnctl.errors import Problem, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

ROWS, COLUMNS = 8, 8
_TILE = 72  # pixels that a small image is enlarged to, about
_GAP, _MARGIN, _LINE = 4, 12, 14
_INK, _PAPER = (20, 20, 20), (255, 255, 255)


def draw_sheet(splits: Splits, title: str, white: int = 255) -> Image:
    """Return a picture with a line for each of some training samples: its label, itself, and how it comes augmented in
    the first steps. Each class has a line as long as there is room. `white` is the data set's brightest value.

    Raises UsageError where the samples are not images.
    """
    shape = splits.facts.inputs.get("input")
    if shape is None or len(shape.space) != 2 or shape.features not in (1, 3):
        found = ", ".join(f"{name}: {shape}" for name, shape in splits.facts.inputs.items())
        raise UsageError(Problem("not-images", f"only images can be drawn; the samples have the shape {found}"))
    train = splits.train
    chosen = _of_each_class(train.target)
    batches = [train.batch(chosen), *(train.batch(chosen, step=step) for step in range(COLUMNS - 1))]
    pixels = [_as_bytes(batch.inputs["input"], splits, white) for batch in batches]
    return _sheet(pixels, [_label(value, splits) for value in train.target[chosen]], title)


def _of_each_class(target: Tensor) -> Tensor:
    """Return the places of the first sample of each class, or of the first samples."""
    if target.is_floating_point():
        return torch.arange(min(ROWS, len(target)))
    firsts = [int((target == label).nonzero()[0]) for label in torch.unique(target)[:ROWS]]
    others = [place for place in range(min(len(target), 2 * ROWS)) if place not in firsts]
    return torch.tensor([*firsts, *others][:ROWS])


def _as_bytes(inputs: Tensor, splits: Splits, white: int) -> Tensor:
    """Return standardised images (N, C, H, W) as RGB bytes (N, H, W, 3), the brightest of the data set as white."""
    shape = tuple(inputs.shape[1:]) if len(splits.mean) == inputs[0].numel() else (-1, 1, 1)
    mean, std = (torch.tensor(values).view(shape) for values in (splits.mean, splits.std))
    found = (inputs.cpu() * std + mean).mul(255 * 255 / white).round().clamp(0, 255).to(torch.uint8)
    return found.expand(-1, 3, -1, -1).permute(0, 2, 3, 1)


def _label(value: Tensor, splits: Splits) -> str:
    if splits.class_names is not None:
        return splits.class_names[int(value)]
    return " ".join(f"{number:.3g}" for number in value.tolist())


def _sheet(columns: list[Tensor], labels: list[str], title: str) -> Image:
    from PIL import Image, ImageDraw, ImageFont

    height, width = columns[0].shape[1:3]
    scale = max(1, round(_TILE / max(height, width)))
    tall, wide = scale * height, scale * width
    font = ImageFont.load_default(size=11)
    margin = _MARGIN + int(max(font.getlength(label) for label in labels)) + 8
    top = _MARGIN + 2 * _LINE + 4
    extent = (
        margin + len(columns) * (wide + _GAP) + _MARGIN,
        top + len(labels) * (tall + _GAP) + _MARGIN,
    )
    sheet = Image.new("RGB", extent, _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN), title, _INK, font)
    for number, column in enumerate(columns):
        left = margin + number * (wide + _GAP)
        draw.text((left, top - _LINE - 2), "original" if number == 0 else f"step {number}", _INK, font)
        for row, pixels in enumerate(column):
            place = (left, top + row * (tall + _GAP))
            tile = Image.fromarray(pixels.contiguous().numpy())
            sheet.paste(tile.resize((wide, tall), Image.Resampling.NEAREST), place)
    for row, label in enumerate(labels):
        draw.text((_MARGIN, top + row * (tall + _GAP) + tall // 2 - 6), label, _INK, font)
    return sheet
