"""One photo from its file: any of the known formats and kinds of pixels becomes RGB."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from nnctl.kinds.datasets._folder import FORMATS, ORIENTATION

_EIGHT_BITS = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV"})
_SIXTEEN_BITS = frozenset({"I;16", "I;16B", "I;16L"})
_UPRIGHT: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What undoes each way of holding the camera."""
_SAME_SHAPE = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_180, Image.Transpose.FLIP_TOP_BOTTOM)
"""Those that leave height and width as they are."""
_REDUCED = 2  # a large JPEG is decoded at a half, quarter or eighth of its size that is still so much larger


class Unreadable(Exception):
    """A file that is no whole photo of a known format."""


@dataclass(frozen=True)
class Photo:
    """A decoded photo: height and width, and its pixels as (H, W, 3)."""

    extent: tuple[int, int]
    pixels: bytes
    was: tuple[int, int]
    """Height and width before it was scaled and cut."""


def read_photo(path: str, extent: tuple[int, int] | None = None, piped: bytes | None = None) -> Photo:
    """Return the photo in a file, or that was piped in, as RGB, held as the camera was, scaled and cut to `extent`
    where that is given.

    Of several pictures in a file the first is taken. Transparency is left out: the colours below it show. Of 16
    bits the upper 8 are kept. Raises Unreadable.
    """
    try:
        content = io.BytesIO(Path(path).read_bytes() if piped is None else piped)
        with Image.open(content, formats=FORMATS) as file:
            _check_size(file)
            was = file.height, file.width
            if extent is not None:
                file.draft(None, (_REDUCED * max(extent), _REDUCED * max(extent)))
            image = _as_rgb(file)  # decodes, and only then all of EXIF is known
            if (turn := _UPRIGHT.get(_orientation(file))) is not None:
                image = image.transpose(turn)
                was = was if turn in _SAME_SHAPE else was[::-1]
    except (Unreadable, MemoryError):
        raise
    except OSError as error:
        raise Unreadable(error.strerror or str(error).replace(f" {content!r}", "")) from error
    except Exception as error:  # decoders fail on broken files in ways of their own
        raise Unreadable(str(error) or type(error).__name__) from error
    height, width = extent or (image.height, image.width)
    if image.size != (width, height):
        image = ImageOps.fit(image, (width, height), Image.Resampling.BILINEAR)
    return Photo((height, width), image.tobytes(), was)


def _check_size(image: Image.Image) -> None:
    """Refuse a small file that claims to unfold into gigabytes: Pillow itself only warns up to twice its limit."""
    most = Image.MAX_IMAGE_PIXELS
    if most is not None and image.width * image.height > most:
        claimed = f"{image.width:,}×{image.height:,} pixels"
        raise Unreadable(f"it claims to have {claimed}, expected at most {most:,} pixels")


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BITS or (image.mode == "I" and image.format == "PPM"):
        grey = (np.asarray(image) >> 8).astype(np.uint8)  # as Pillow does with 16 bits for each colour
        return Image.fromarray(grey).convert("RGB")
    if image.mode not in _EIGHT_BITS:
        raise Unreadable(f"its pixels are of the kind {image.mode}, expected 8 or 16 bits for each colour")
    see_through = image.mode == "P" and "transparency" in image.info
    return (image.convert("RGBA") if see_through else image).convert("RGB")


def _orientation(image: Image.Image) -> object:
    try:
        return image.getexif().get(ORIENTATION)
    except Exception:  # what is wrong with EXIF takes nothing from the pixels
        return None
