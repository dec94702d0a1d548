"""The values of a YAML document, each with the place where it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from nnctl.errors import Position


class Unknown:
    """Stands for a value that a mistake elsewhere, already reported, keeps from being known."""

    def __repr__(self) -> str:
        return "unknown"


UNKNOWN = Unknown()

Plain: TypeAlias = bool | int | float | str | Unknown | None
Value: TypeAlias = "Plain | list[Value] | dict[str, Value]"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: null, true or false, a number, or text."""

    value: Plain
    position: Position


@dataclass(slots=True)
class Sequence:
    """A list of nodes."""

    items: list[Node]
    position: Position


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with its value; the key has a place of its own."""

    key: Position
    node: Node


@dataclass(slots=True)
class Mapping:
    """Keys and nodes, in the order of writing."""

    position: Position
    entries: dict[str, Entry] = field(default_factory=dict)

    def get(self, key: str) -> Node | None:
        """Return the node under `key`, or None where the key is absent or null."""
        entry = self.entries.get(key)
        if entry is None or is_null(entry.node):
            return None
        return entry.node


Node: TypeAlias = Scalar | Sequence | Mapping


def is_null(node: Node) -> bool:
    """Return whether the node is YAML's null, which stands for "not given"."""
    return isinstance(node, Scalar) and node.value is None


def plain(node: Node) -> Value:
    """Return the node's value without positions: dict, list, number, text, bool or None."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(entry.node) for key, entry in node.entries.items()}


def has_unknown(node: Node) -> bool:
    """Return whether any value inside the node is unknown."""
    if isinstance(node, Scalar):
        return isinstance(node.value, Unknown)
    if isinstance(node, Sequence):
        return any(has_unknown(item) for item in node.items)
    return any(has_unknown(entry.node) for entry in node.entries.values())


def node_of(value: object, position: Position) -> Node:
    """Return a node for a plain Python value, every part of it at the same position.

    Raises TypeError for a value that YAML cannot hold.
    """
    if value is None or isinstance(value, (bool, int, float, str)):
        return Scalar(value, position)
    if isinstance(value, (list, tuple)):
        return Sequence([node_of(item, position) for item in value], position)
    if isinstance(value, dict):
        entries = {str(key): Entry(position, node_of(item, position)) for key, item in value.items()}
        return Mapping(position, entries)
    raise TypeError(f"a {type(value).__name__} has no place in a spec")


def locate(node: Node, path: tuple[str | int, ...]) -> Position:
    """Return the position of the deepest node that `path` reaches, the key's own for a mapping's last step."""
    position = node.position
    for step in path:
        if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
            entry = node.entries[step]
            node, position = entry.node, entry.node.position
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
            position = node.position
        else:
            break
    return position


def describe(node: Node) -> str:
    """Return what a node is, for an error: `"abc"` (text), a list, a mapping."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    return describe_value(node.value)


def describe_value(value: object) -> str:
    """Return a value as an error quotes it: YAML's spelling, text in double quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(describe_value(item) for item in value) + "]"
    return str(value)
