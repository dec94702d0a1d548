"""`PATH=VALUE` on the command line: any field of the spec, addressed as the file is written.

train.optimizer.sgd.lr=0.05      model.layers[3].conv.channels=32      model.blocks.stage.params.stride=1
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NoReturn

from pydantic import BaseModel

from nnctl.component.entry import unknown_kind
from nnctl.component.family import find, names
from nnctl.component.markers import LayerList, Many, Named, One, ReadBy
from nnctl.component.validate import rules_of
from nnctl.document.node import Entry, Mapping, Node, Scalar, Sequence, describe, is_null
from nnctl.document.suggest import did_you_mean
from nnctl.errors import Problem
from nnctl.spec.argument import Override, Step
from nnctl.spec.blocks import shipped, shipped_names
from nnctl.spec.extends import expand
from nnctl.spec.sections import Data, Lint, Pretrained, Train

TOP = ("format", "name", "description", "seed", "extends", "data", "model", "train", "lint")
MODEL = ("input", "params", "init", "blocks", "layers", "pretrained", "freeze")
BLOCK = ("params", "layers")


@dataclass(frozen=True)
class Place:
    """What stands at a place of the spec, and so what may come below it."""

    what: Literal[
        "keys", "section", "named", "params", "blocks", "list", "component", "arguments", "init", "value", "free"
    ]
    keys: tuple[str, ...] = ()
    section: type[BaseModel] | None = None
    family: str = ""
    kind: str = ""
    may_switch: bool = False
    """Whether naming another kind replaces the component: in a list it would hide a wrong index."""


VALUE = Place("value")
FREE = Place("free")
LAYERS = Place("list", family="layers")
_CHILDREN = {
    (TOP, "data"): Place("section", section=Data),
    (TOP, "train"): Place("section", section=Train),
    (TOP, "lint"): Place("section", section=Lint),
    (TOP, "model"): Place("keys", keys=MODEL),
    (MODEL, "params"): Place("params"),
    (MODEL, "init"): Place("init", family="initializers"),
    (MODEL, "blocks"): Place("blocks"),
    (MODEL, "layers"): LAYERS,
    (MODEL, "pretrained"): Place("section", section=Pretrained),
    (BLOCK, "params"): Place("params"),
    (BLOCK, "layers"): LAYERS,
}


def apply(document: Mapping, override: Override, problems: list[Problem]) -> None:
    """Set the override's value in the document, or say why its path leads nowhere."""
    walk = _Walk(document, override)
    try:
        walk.set()
    except _LeadsNowhereError as error:
        problems.append(error.problem)
        for parent, key, before in walk.begun:  # half a path would be a mistake of its own
            parent.entries[key] = before


class _LeadsNowhereError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class _Walk:
    def __init__(self, document: Mapping, override: Override) -> None:
        self.document, self.override = document, override
        self.begun: list[tuple[Mapping, str, Entry]] = []
        """What was nothing before the path led through it."""

    def set(self) -> None:
        node: Node = self.document
        place = Place("keys", keys=TOP)
        for number, step in enumerate(self.override.steps):
            last = number == len(self.override.steps) - 1
            node, place = self.descend(node, place, step, last)

    def descend(self, node: Node, place: Place, step: Step, last: bool) -> tuple[Node, Place]:
        if isinstance(step.key, int):
            return self.into_list(node, place, step, step.key, last)
        if not isinstance(node, Mapping):
            self.fail(step, f"`{self.before(step)}` is {describe(node)}, it has no field `{step.key}`")
        below = self.below(node, place, step, step.key)
        if last:
            node.entries[step.key] = Entry(step.position, self.override.value)
            return node, below
        entry = node.entries.get(step.key)
        if entry is None or is_null(entry.node):
            after = self.after(step)
            if isinstance(after.key, int):
                message = f"`{step.path}` is not given, and so has no entry [{after.key}]"
                self.fail(after, message, f"give it whole: '{step.path}={self.override.whole(after)}'")
            if below.what == "value":
                self.fail(after, f"`{step.path}` has no field `{after.key}`")
            self.begun.append((node, step.key, entry or Entry(step.position, Scalar(None, step.position))))
            entry = Entry(step.position, Mapping(step.position))
        opened = self.open(entry.node, below, step)
        node.entries[step.key] = Entry(entry.key, opened)
        return opened, below

    def into_list(self, node: Node, place: Place, step: Step, index: int, last: bool) -> tuple[Node, Place]:
        if not isinstance(node, Sequence):
            hint = f"give it whole: '{self.before(step)}={self.override.whole(step)}'" if place.what == "list" else None
            self.fail(step, f"`{self.before(step)}` is {describe(node)}, not a list", hint)
        count = len(node.items)
        if index >= count:
            hint = f"its entries are [0] to [{count - 1}]" if count else "the list is empty"
            self.fail(step, f"`{self.before(step)}` has {count} entries, none at [{index}]", hint)
        below = Place("component", family=place.family) if place.family else VALUE
        if last:
            node.items[index] = self.override.value
            return node, below
        item = node.items[index]
        if isinstance(item, Sequence):  # one path of `branches`
            return item, place
        node.items[index] = self.open(item, below, step)
        return node.items[index], below

    def open(self, node: Node, place: Place, step: Step) -> Node:
        """Return the node with its shorthand written out, so that a field of it can be set."""
        if place.what in ("component", "init") and place.family and isinstance(node, (Scalar, Mapping)):
            expanded = expand(place.family, node)
            if expanded is None:
                return node
            (kind, entry), *_ = expanded.entries.items()
            block = self.block_main(kind) if place.family == "layers" else None
            if block and not isinstance(entry.node, Mapping):
                inner = Mapping(entry.node.position, {block: Entry(entry.node.position, entry.node)})
                expanded.entries[kind] = Entry(entry.key, inner)
            return expanded
        if place.what == "section" and place.section is not None and not isinstance(node, Mapping):
            main = getattr(place.section, "main", None)
            return Mapping(node.position, {main: Entry(node.position, node)}) if main else node
        return node

    def below(self, node: Mapping, place: Place, step: Step, key: str) -> Place:
        """Return what stands under `key`, or raise _LeadsNowhereError."""
        if place.what == "keys":
            if key not in place.keys:
                self.unknown(step, key, place.keys)
            return _CHILDREN.get((place.keys, key), VALUE)
        if place.what == "named":
            return Place("section", section=place.section)
        if place.what in ("section", "arguments"):
            return self.field(place, step, key)
        if place.what == "free":
            return FREE
        if place.what == "params":
            if key not in node.entries:
                self.unknown(step, key, node.entries, "parameters")
            return VALUE
        if place.what == "blocks":
            if key not in node.entries:
                self.unknown(step, key, node.entries, "blocks")
            return Place("keys", keys=BLOCK)
        if place.what == "init" and key in ("weight", "bias"):
            if node.entries and not set(node.entries) <= {"weight", "bias"}:  # one initialiser is that of the weights
                node.entries = {"weight": Entry(node.position, Mapping(node.position, node.entries))}
            return Place("component", family="initializers", may_switch=True)
        if place.what in ("component", "init"):
            return self.kind(node, place, step, key)
        self.fail(step, f"`{self.before(step)}` has no field `{key}`")

    def field(self, place: Place, step: Step, key: str) -> Place:
        cls = place.section or find(place.family, place.kind)
        if cls is None:  # a block: its parameters are checked where it is used
            return VALUE
        rules = rules_of(cls)
        if key not in rules:
            self.unknown(step, key, rules, "fields")
        rule = rules[key]
        if isinstance(rule.marker, One):
            return Place("component", family=rule.marker.family, may_switch=True)
        if isinstance(rule.marker, Many):
            loose = rule.marker.single
            return Place(
                "component" if loose and not self.is_list(step) else "list", family=rule.marker.family, may_switch=True
            )
        if isinstance(rule.marker, LayerList):
            return LAYERS
        if isinstance(rule.marker, Named):
            return Place("named", section=rule.marker.section)
        if isinstance(rule.marker, ReadBy):
            return Place("init", family="initializers")
        if rule.section is not None:
            return Place("section", section=rule.section)
        return FREE if rule.is_mapping else VALUE

    def is_list(self, step: Step) -> bool:
        return step is not self.override.steps[-1] and isinstance(self.after(step).key, int)

    def kind(self, node: Mapping, place: Place, step: Step, key: str) -> Place:
        below = Place("arguments", family=place.family, kind=key)
        if not node.entries or key in node.entries:
            return below
        present = next(iter(node.entries))
        if find(place.family, key) is None and (place.family != "layers" or key not in self.blocks()):
            self.unknown_kind(place.family, present, step, key)
        if not (place.may_switch or place.what == "init"):
            whole = self.before(step)
            self.fail(step, f"`{whole}` is a `{present}`, not a `{key}`", f"to replace it: '{whole}={{{key}: …}}'")
        node.entries.clear()
        return below

    def unknown_kind(self, family: str, present: str, step: Step, key: str) -> NoReturn:
        """Say that there is no such kind; where the kind that is there has such a field, it was left out."""
        cls = find(family, present)
        if cls is not None and key in rules_of(cls):
            path = f"{self.before(step)}.{present}.{key}"
            self.fail(step, f"there is no `{step.path}`", f"did you mean `{path}`?")
        known = [*names(family), *(self.blocks() if family == "layers" else ())]
        raise _LeadsNowhereError(unknown_kind(family, key, step.position, step.path, known))

    def blocks(self) -> list[str]:
        """Return the names of all blocks, the user's and those shipped."""
        model = self.document.get("model")
        blocks = model.get("blocks") if isinstance(model, Mapping) else None
        return [*(blocks.entries if isinstance(blocks, Mapping) else ()), *shipped_names()]

    def block_main(self, name: str) -> str | None:
        """Return the first parameter of a block, which `- block: value` fills."""
        model = self.document.get("model")
        blocks = model.get("blocks") if isinstance(model, Mapping) else None
        block = blocks.get(name) if isinstance(blocks, Mapping) else None
        params = block.get("params") if isinstance(block, Mapping) else None
        if block is None and name in shipped_names():
            params = shipped(name).params
        return next(iter(params.entries), None) if isinstance(params, Mapping) else None

    def after(self, step: Step) -> Step:
        return self.override.steps[self.override.steps.index(step) + 1]

    def before(self, step: Step) -> str:
        tail = f"[{step.key}]" if isinstance(step.key, int) else step.key
        return step.path[: -len(tail)].rstrip(".") or "the spec"

    def unknown(self, step: Step, key: str, known: Iterable[str], label: str = "keys") -> NoReturn:
        hint = did_you_mean(key, known, label)
        self.fail(step, f"there is no `{step.path}`", hint)

    def fail(self, step: Step, message: str, hint: str | None = None) -> NoReturn:
        raise _LeadsNowhereError(Problem("override", message, step.position, hint=hint))
