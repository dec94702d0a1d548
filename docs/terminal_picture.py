"""Draw what a terminal shows as an SVG, for the README.

tmux capture-pane -ep | python docs/terminal_picture.py docs/pictures/train.svg "nnctl train specs/quickstart.yaml"
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text


def main() -> None:
    """Read a screen with its colours from standard input and write the picture."""
    target, title = Path(sys.argv[1]), sys.argv[2]
    lines = sys.stdin.read().rstrip().splitlines()
    screen = Text.from_ansi("\n".join(lines))
    width = max(screen_line.cell_len for screen_line in screen.split()) + 1
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(screen)
    svg = console.export_svg(title=title, theme=MONOKAI)
    # no fonts from elsewhere: the reader's own monospaced one will do
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    target.write_text(svg.replace("Fira Code", "ui-monospace, Menlo, Consolas"), encoding="utf-8")


if __name__ == "__main__":
    main()
