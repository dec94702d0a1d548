"""The files of a landscape: each known as such, so that nothing else of the same name is written over."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

from nnctl.diagnosis.surface.picture import Picture
from nnctl.errors import Problem, UsageError
from nnctl.posix import replace_durably

_MARK = "drawn by nnctl landscape"


def check_own(stem: Path) -> None:
    """Raise UsageError where one of the files to be written is there already and no landscape's."""
    for suffix, own in ((".jsonl", _is_record), (".svg", _is_marked), (".png", _is_marked)):
        file = stem.with_suffix(suffix)
        if file.exists() and not (file.is_file() and own(file)):
            message = f"{file} is there already, and not written by `nnctl landscape`: it stays as it is"
            raise UsageError(Problem("write", message, hint="move it, or give another folder with --out"))


def write_picture(picture: Picture, stem: Path) -> tuple[Path, Path]:
    """Write a sheet as SVG and as PNG, and return where."""
    from PIL.PngImagePlugin import PngInfo

    svg, png = stem.with_suffix(".svg"), stem.with_suffix(".png")
    content, told = BytesIO(), PngInfo()
    told.add_text("Software", _MARK)
    picture.as_image().save(content, "PNG", pnginfo=told)
    replace_durably(svg, picture.as_svg().replace("\n", f"\n<desc>{_MARK}</desc>\n", 1).encode())
    replace_durably(png, content.getvalue())
    return svg, png


def _is_marked(file: Path) -> bool:
    with file.open("rb") as content:
        return _MARK.encode() in content.read(4096)


def _is_record(file: Path) -> bool:
    """Return whether the first line tells of which slice the points are."""
    with file.open("rb") as content:
        try:
            return "axes" in json.loads(content.readline(1 << 20))
        except (ValueError, TypeError):
            return False
