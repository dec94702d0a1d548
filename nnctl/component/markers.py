"""Marks on a field that say how its node is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel

from nnctl.component.types import Expected
from nnctl.document.node import Node
from nnctl.errors import Problem

Reader: TypeAlias = Callable[[Node, list[Problem], str], Any]


class One:
    """Marks a field that holds one component of a family."""

    def __init__(self, family: str) -> None:
        self.family = family


class Many:
    """Marks a field that holds a list of components of a family; with `single`, one stands for a list of one."""

    def __init__(self, family: str, single: bool = False) -> None:
        self.family, self.single = family, single


class LayerList:
    """Marks a field that holds a list of layers; it stays a node until the graph expands it."""


class Named:
    """Marks a field that holds sections of one class by names that the user chooses."""

    def __init__(self, section: type[BaseModel]) -> None:
        self.section = section


class ReadBy:
    """Marks a field that a function of its own reads: (node, problems, where) -> value."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader


Layers: TypeAlias = Annotated[Any, LayerList(), Expected("a list of layers")]
"""The type of a field that holds a list of layers: a Node, with positions."""
