"""Which data sets are on this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnctl.cli.render.columns import aligned
from nnctl.graph.costs import byte_size

if TYPE_CHECKING:
    from pathlib import Path

    from nnctl.cli.terminal import Terminal
    from nnctl.data.presence import Presence


def print_presence(root: Path, cache: Path, found: dict[str, Presence], to: Terminal) -> None:
    """Print for each set whether it is there, where, how large it is, and how much of it is kept decoded."""
    to.print(f"\n{to.paint('on this computer', 'bold')}, under {root} ($NNCTL_DATA, else ./data; a spec's data.root)")
    rows = [(kind, _place(root, one), _size(one), _decoded(one)) for kind, one in found.items()]
    for line in aligned(rows, right=(2,)):
        to.print("  " + line)
    kept = sum(one.decoded for one in found.values())
    to.print(f"decoded images, {byte_size(kept)}, are in {cache}; what is removed there is decoded again")


def _place(root: Path, one: Presence) -> str:
    if one.path is None:
        return "where a spec says" if one.present is None else "absent"
    return one.path.removeprefix(f"{root}/")


def _size(one: Presence) -> str:
    if one.path is None:
        return ""
    return "many files" if one.bytes is None else byte_size(one.bytes)


def _decoded(one: Presence) -> str:
    return f"decoded {byte_size(one.decoded)}" if one.decoded else ""
