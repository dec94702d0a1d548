"""`extends`: a spec on top of another.

Mappings merge, lists replace, naming another kind replaces a component, a block is replaced whole, `null` unsets.
"""

from __future__ import annotations

from pathlib import Path

from nnctl.component.family import find
from nnctl.component.validate import absolute
from nnctl.document.node import Entry, Mapping, Node, Scalar, describe, has_unknown, is_null
from nnctl.document.reader import read_file
from nnctl.document.suggest import did_you_mean
from nnctl.errors import Problem, SpecError

COMPONENTS = {
    ("data", "dataset"): "datasets",
    ("train", "loss"): "losses",
    ("train", "optimizer"): "optimizers",
    ("train", "schedule"): "schedules",
    ("model", "init"): "initializers",
    ("model", "init", "weight"): "initializers",
    ("model", "init", "bias"): "initializers",
}
"""Where a component stands, and its family."""

WHOLE = {("model", "blocks"), ("model", "params")}
"""Mappings whose entries are replaced, not merged."""


def with_bases(document: Mapping, problems: list[Problem], seen: tuple[Path, ...]) -> Mapping:
    """Return the document merged onto the file it extends, and that onto its own, and so on.

    `seen` holds the files that led here, to find circles. Raises SpecError where a base cannot be read.
    """
    entry = document.entries.pop("extends", None)
    if entry is None or is_null(entry.node):
        return document
    if not isinstance(entry.node, Scalar) or not isinstance(entry.node.value, str) or not entry.node.value:
        if not has_unknown(entry.node):
            message = f"`extends` is {describe(entry.node)}, expected the path of a spec"
            problems.append(Problem("type", message, entry.node.position, "extends"))
        return document
    path = Path(absolute(entry.node.value, entry.node.position)).resolve()
    if path in seen:
        circle = " → ".join(file.name for file in (*seen[seen.index(path) :], path))
        message = "the spec extends itself" if path == seen[-1] else "the specs extend each other in a circle"
        hint = "remove this `extends`, or name another file"
        raise SpecError([*problems, Problem("extends", message, entry.node.position, "extends", (circle,), hint)])
    if not path.is_file():
        known = sorted(file.name for file in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
        hint = did_you_mean(path.name, known, f"specs in {path.parent}") if known else "the path starts at this file"
        message = f"there is no file {entry.node.value}"
        raise SpecError([*problems, Problem("extends", message, entry.node.position, "extends", hint=hint)])
    base = with_bases(read_file(path, problems, _shown(path)), problems, (*seen, path))
    return merge(base, document)


def _shown(path: Path) -> str:
    """Return the path as a user would write it: relative where that is shorter."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def merge(base: Mapping, child: Mapping, place: tuple[str, ...] = ()) -> Mapping:
    """Return `child` on top of `base`; `place` is where in a spec they stand."""
    merged = Mapping(child.position, dict(base.entries))
    for key, entry in child.entries.items():
        here = (*place, key)
        below = base.entries.get(key)
        if below is None:
            merged.entries[key] = entry
        elif is_null(entry.node):
            del merged.entries[key]
        elif (family := _family(here)) is not None:
            merged.entries[key] = Entry(entry.key, _merge_component(family, below.node, entry.node, here))
        elif place in WHOLE or here == ("model", "input"):
            merged.entries[key] = entry
        elif isinstance(below.node, Mapping) and isinstance(entry.node, Mapping):
            merged.entries[key] = Entry(entry.key, merge(below.node, entry.node, here))
        else:
            merged.entries[key] = entry
    return merged


def _family(place: tuple[str, ...]) -> str | None:
    """Return the family of the component that stands at a place, if one does."""
    if len(place) == 4 and place[:2] == ("data", "streams") and place[3] == "dataset":
        return "datasets"
    return COMPONENTS.get(place)


def _merge_component(family: str, base: Node, child: Node, place: tuple[str, ...]) -> Node:
    if place == ("model", "init") and _is_pair(base) and _is_pair(child):
        assert isinstance(base, Mapping)
        assert isinstance(child, Mapping)
        return merge(base, child, place)
    below, above = expand(family, base), expand(family, child)
    if below is None or above is None or list(below.entries) != list(above.entries):
        return child
    (kind, lower), *_ = below.entries.items()
    upper = above.entries[kind]
    if not isinstance(lower.node, Mapping) or not isinstance(upper.node, Mapping):
        return child
    return Mapping(above.position, {kind: Entry(upper.key, merge(lower.node, upper.node))})


def _is_pair(node: Node) -> bool:
    return isinstance(node, Mapping) and bool(node.entries) and set(node.entries) <= {"weight", "bias"}


def expand(family: str, node: Node) -> Mapping | None:
    """Return an entry with its shorthand written out, `{kind: {field: …}}`; None for what is not one entry."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return Mapping(node.position, {node.value: Entry(node.position, Mapping(node.position))})
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        return None
    (kind, entry), *_ = node.entries.items()
    arguments = entry.node
    if is_null(arguments):
        arguments = Mapping(entry.key)
    cls = find(family, kind)
    if not isinstance(arguments, Mapping) and cls is not None and (main := cls.main_field()):
        arguments = Mapping(arguments.position, {main: Entry(arguments.position, arguments)})
    return Mapping(node.position, {kind: Entry(entry.key, arguments)})
