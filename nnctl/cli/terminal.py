"""What a stream can show: colour, width, and letters beyond ASCII. Results go to stdout, all else to stderr."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import Literal, TextIO, TypeAlias

Colour: TypeAlias = Literal["red", "yellow", "green", "cyan", "bold", "dim"]

_CODES: dict[Colour, str] = {"red": "1;31", "yellow": "1;33", "green": "32", "cyan": "36", "bold": "1", "dim": "2"}
_ASCII = str.maketrans(
    {"→": "->", "×": "x", "…": "...", "·": "*", "–": "-", "—": "-", "δ": "delta", "±": "+/-", "½": "1/2", "²": "^2"}
    | dict(zip("▁▂▃▄▅▆▇█", "__..--==", strict=True))
)


@dataclass(frozen=True)
class Terminal:
    """One output stream and what it is able to show."""

    stream: TextIO
    interactive: bool
    """Whether a person watches it, so that lines may be redrawn."""
    colour: bool
    unicode: bool
    width: int

    def paint(self, text: str, colour: Colour) -> str:
        """Return the text in a colour where the stream shows colours."""
        return f"\x1b[{_CODES[colour]}m{text}\x1b[0m" if self.colour else text

    def print(self, text: str = "") -> None:
        """Write a line, in ASCII where the stream's encoding has no more.

        It is flushed, so that a pipe which closed early is noticed here and not when Python exits.
        """
        if not self.unicode:
            text = ascii_only(text, self.stream.encoding)
        self.stream.write(text + "\n")
        self.stream.flush()


def ascii_only(text: str, encoding: str = "ascii") -> str:
    """Return the text with signs spelt out that a narrow encoding lacks."""
    return text.translate(_ASCII).encode(encoding, errors="replace").decode(encoding)


def terminal(stream: TextIO) -> Terminal:
    """Return what `stream` is able to show; NO_COLOR and a dumb terminal mean no colour (https://no-color.org)."""
    interactive = stream.isatty() and os.environ.get("TERM") != "dumb"
    return Terminal(
        stream=stream,
        interactive=interactive,
        colour=interactive and not os.environ.get("NO_COLOR"),
        unicode="utf" in (stream.encoding or "utf-8").lower(),  # a stream without an encoding holds any letter
        width=shutil.get_terminal_size().columns,
    )


def out() -> Terminal:
    """Return stdout, where results go."""
    return terminal(sys.stdout)


def err() -> Terminal:
    """Return stderr, where errors, progress and remarks go."""
    return terminal(sys.stderr)
