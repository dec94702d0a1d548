"""The blocks shipped with nnctl, written in its own language: nnctl/kinds/layers/blocks/NAME.yaml."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from nnctl.document.node import Mapping
from nnctl.document.reader import read_file
from nnctl.errors import Problem
from nnctl.spec.sections import Block

_FOLDER = Path(__file__).parent.parent / "kinds" / "layers" / "blocks"


@cache
def shipped_names() -> frozenset[str]:
    """Return the names of the shipped blocks, without reading them."""
    return frozenset(file.stem for file in _FOLDER.glob("*.yaml"))


@cache
def shipped(name: str) -> Block:
    """Return a shipped block."""
    problems: list[Problem] = []
    document = read_file(_FOLDER / f"{name}.yaml", problems)
    assert not problems, problems
    params, layers = document.get("params"), document.get("layers")
    assert isinstance(params, Mapping)
    assert layers is not None
    return Block(name, params, layers, shipped=True)


def shipped_document(name: str) -> Mapping:
    """Return the file of a shipped block, with its description, for `explain`."""
    return read_file(_FOLDER / f"{name}.yaml", [])


def shipped_source(name: str) -> str:
    """Return the text of a shipped block's file."""
    return (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
