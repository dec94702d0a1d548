"""Pictures made of few shapes, as SVG and as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from nnctl import svg

if TYPE_CHECKING:
    from PIL.Image import Image

Point: TypeAlias = tuple[float, float]

_PIXELS = 2
"""Of the PNG, for each unit."""
_SCALE = 2 * _PIXELS
"""It is drawn twice as large, for smooth edges."""
_ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines, each through some points, in one colour."""

    lines: Sequence[Sequence[Point]]
    colour: str
    width: float = 1.0


@dataclass(frozen=True, slots=True)
class Boxes:
    """Filled rectangles (left, top, width, height) in one colour."""

    boxes: Sequence[tuple[float, float, float, float]]
    colour: str


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; `y` is its base line. The PNG's font has ASCII and ± · … alone."""

    x: float
    y: float
    text: str
    size: int = 11
    colour: str = svg.SOFT
    anchor: Literal["start", "middle", "end"] = "middle"
    bold: bool = False


Shape: TypeAlias = Lines | Boxes | Words


@dataclass(frozen=True, slots=True)
class Picture:
    """Shapes on white, later ones over earlier ones."""

    width: int
    height: int
    shapes: Sequence[Shape]

    def as_svg(self) -> str:
        """Return the picture as an SVG document."""
        return svg.page(self.width, self.height, [_as_svg(shape) for shape in self.shapes])

    def as_image(self) -> Image:
        """Return the picture as pixels."""
        from PIL import Image, ImageDraw, ImageFont

        image = Image.new("RGB", (_SCALE * self.width, _SCALE * self.height), "#ffffff")
        draw = ImageDraw.Draw(image)
        for shape in self.shapes:
            match shape:
                case Lines():
                    for line in shape.lines:
                        points = [(_SCALE * x, _SCALE * y) for x, y in line]
                        draw.line(points, shape.colour, max(1, round(_SCALE * shape.width)), joint="curve")
                case Boxes():
                    for x, y, width, height in shape.boxes:
                        left, top = round(_SCALE * x), round(_SCALE * y)
                        right, bottom = round(_SCALE * (x + width)), round(_SCALE * (y + height))
                        draw.rectangle((left, top, max(right - 1, left), max(bottom - 1, top)), shape.colour)
                case Words():
                    font = ImageFont.load_default(size=_SCALE * shape.size)
                    place, anchor = (_SCALE * shape.x, _SCALE * shape.y), _ANCHORS[shape.anchor]
                    draw.text(place, shape.text, shape.colour, font, anchor)
        return image.reduce(_SCALE // _PIXELS)


def _as_svg(shape: Shape) -> str:
    match shape:
        case Lines():
            path = "".join("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in line) for line in shape.lines)
            style = f'fill="none" stroke="{shape.colour}" stroke-width="{shape.width}" stroke-linecap="round"'
            return f'<path d="{path}" {style}/>'
        case Boxes():
            path = "".join(f"M{x:.1f} {y:.1f}h{wide:.1f}v{high:.1f}h{-wide:.1f}z" for x, y, wide, high in shape.boxes)
            return f'<path d="{path}" fill="{shape.colour}" shape-rendering="crispEdges"/>'
        case Words():
            weight = "600" if shape.bold else "400"
            return svg.text(shape.x, shape.y, shape.text, shape.size, shape.colour, shape.anchor, weight)
