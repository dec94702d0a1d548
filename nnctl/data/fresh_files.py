"""New samples for networks that take one photo, or one row of numbers."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from nnctl.data.csv_table import fresh_rows
from nnctl.data.fresh import Fresh
from nnctl.data.photos import Unreadable, read_photo
from nnctl.errors import DataError, Position, Problem, name_of
from nnctl.kinds.datasets._csv_columns import Column, Table
from nnctl.kinds.datasets._csv_file import PARTED, open_sheet
from nnctl.kinds.datasets._csv_seen import is_number
from nnctl.kinds.layers.shape import Shape


def read_fresh(inputs: Mapping[str, Shape], file: str, content: bytes | None, white: int = 255) -> Fresh:
    """Return the samples in a file as the one field `input` takes them: a photo, or rows of numbers in a CSV file.

    `white` is the value of full brightness in the data set's photos.
    """
    shape = inputs.get("input")
    if shape is not None and shape.vocabulary is None:
        if len(shape.dims) == 3:
            return _photo(shape, file, content, white)
        if len(shape.dims) == 1:
            return _numbers(shape.features, file, content)
    message = "the network was trained on samples that files of its users do not hold"
    raise DataError(Problem("input", message, details=(f"it takes {', '.join(map(str, inputs.values()))}",)))


def _photo(shape: Shape, file: str, content: bytes | None, white: int) -> Fresh:
    """Return a photo, scaled until it covers the network's and cut to it, in grey where that is what it takes."""
    channels, height, width = shape.dims
    try:
        photo = read_photo(file, (height, width), content)
    except Unreadable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise DataError(Problem("data-missing", f"there is no file {file}", hint="correct the path")) from None
        message = f"{name_of(file)} cannot be read: {error}"
        raise DataError(Problem("unreadable", message, hint="give a photo")) from None
    pixels = torch.frombuffer(bytearray(photo.pixels), dtype=torch.uint8).view(1, height, width, 3).permute(0, 3, 1, 2)
    notes = [f"not {height}×{width}, the size of the training: scaled and cut to it"] * (photo.was != (height, width))
    coloured = bool((pixels != pixels[:, :1]).any())
    if coloured and channels == 1:
        notes.append("in colour, and the training in grey: its brightness is taken")
    elif not coloured and channels == 3:
        notes.append("in grey, and the training in colour")
    taken = _grey(pixels) if channels == 1 else pixels.contiguous()
    return Fresh({"input": _in_range(taken, white)}, ((file, None),), notes=tuple(notes))


def _in_range(pixels: Tensor, white: int) -> Tensor:
    """Return bytes from 0 to 255 as whole numbers from 0 to `white`, the nearest ones."""
    return pixels if white == 255 else ((pixels.to(torch.int32) * white + 127) // 255).to(torch.uint8)


def _grey(pixels: Tensor) -> Tensor:
    """Return the brightness of RGB as ITU-R 601 weighs it, in Pillow's whole numbers."""
    red, green, blue = pixels.to(torch.int32).unbind(1)
    return ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16).to(torch.uint8).unsqueeze(1)


def _numbers(count: int, file: str, content: bytes | None) -> Fresh:
    """Return rows of as many numbers as the network takes, in the order of the file's columns."""
    sheet = open_sheet(file, content)
    place = Position(file, 1)
    if len(sheet.headings) != count:
        columns_found = "1 column" if len(sheet.headings) == 1 else f"{len(sheet.headings)} columns"
        message = f"{name_of(file)} has {columns_found}, the network takes {count} numbers"
        hint = PARTED if len(sheet.headings) == 1 else "give one column for each, in the order of the data set"
        raise DataError(Problem("heading", message, place, hint=hint))
    if all(is_number(heading) for heading in sheet.headings):
        hint = "put a line with the columns' names before it"
        raise DataError(Problem("heading", "the first line holds numbers, expected names", place, hint=hint))
    columns = tuple(Column(heading, "number") for heading in sheet.headings)
    return fresh_rows(file, content, Table(columns, "", None, one_hot=True, gaps=False))
