"""From entries to steps: blocks are expanded, `$` computed, shapes inferred, and every mistake collected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nnctl.component.base import Component
from nnctl.component.entry import split_entry, unknown_kind
from nnctl.component.family import find, names
from nnctl.component.markers import LayerList
from nnctl.component.validate import read_arguments, rules_of
from nnctl.document.node import Entry, Mapping, Node, Scalar, Sequence, Unknown, describe
from nnctl.errors import Position, Problem, SpecError
from nnctl.graph.blocks import expand_block
from nnctl.graph.names import Names
from nnctl.graph.nodes import NOTHING, Chain, Leaf, SetTag, Signal, Step
from nnctl.graph.place import Context, Place, arriving
from nnctl.graph.scope import Resolver, Scope
from nnctl.graph.shapes import behind
from nnctl.kinds.layers.base import Layer, Structure
from nnctl.kinds.layers.shape import ShapeError
from nnctl.spec.blocks import shipped, shipped_names
from nnctl.spec.sections import Block

MAX_LAYERS = 100_000


class Expander:
    """Expands one spec's network; mistakes gather in `problems`."""

    def __init__(self, blocks: dict[str, Block], model_scope: Scope, problems: list[Problem]) -> None:
        self.blocks, self.model_scope, self.problems = blocks, model_scope, problems
        self.count = 0
        self.named: dict[str, tuple[str, Position]] = {}
        """The tag or head that has each name among the network's outputs, and where it stands."""

    def chain(self, node: Node, signal: Signal | None, path: str, context: Context) -> tuple[Chain, Signal | None]:
        """Expand a list of layers; return its steps and what leaves it (None where that is not known)."""
        context = replace(context, tags=dict(context.tags))
        steps: list[Step] = []
        entry_names = Names(path, self.problems)
        own_tags: dict[str, Position] = {}
        for entry, scope in self.entries(node, signal, path, context):
            self.count_one(entry.position)
            start = len(self.problems)
            here = replace(context, scope=scope)
            step, signal = self.entry(entry, signal, path, here, entry_names)
            if step is not None:
                steps.append(step)
                self.remember_tag(step, signal, entry, context, own_tags)
            self.add_notes(start, context)
        return Chain(path, tuple(steps)), signal

    def entries(self, node: Node, signal: Signal | None, path: str, context: Context) -> Iterator[tuple[Node, Scope]]:
        """Yield the entries of a list with the scope each was written in; `- $list` is put in place."""
        resolver = Resolver(context.scope, arriving(signal), self.problems, path, context.notes)
        bound = resolver.value(node)
        if not isinstance(bound.node, Sequence):
            if not (isinstance(bound.node, Scalar) and isinstance(bound.node.value, Unknown)):
                message = f"expected a list of layers, found {describe(bound.node)}"
                self.fail("type", message, bound.node.position, path, hint="write `[…]`, or `- …` lines")
            return
        for item in bound.node.items:
            inner = Resolver(bound.scope or context.scope, resolver.arriving, self.problems, path, context.notes).value(
                item
            )
            if isinstance(inner.node, Sequence) and inner.node is not item:
                yield from self.entries(inner.node, signal, path, replace(context, scope=inner.scope or context.scope))
            else:
                yield inner.node, inner.scope or bound.scope or context.scope

    def entry(
        self, node: Node, signal: Signal | None, path: str, context: Context, entry_names: Names
    ) -> tuple[Step | None, Signal | None]:
        """Expand one entry; return its step and what leaves it."""
        parts = split_entry(node, "layers", self.problems, path)
        if parts is None:
            return None, None
        kind, position, arguments = parts
        resolver = Resolver(context.scope, arriving(signal), self.problems, path, context.notes)
        if arguments is not None:
            bound = resolver.value(arguments)
            arguments = bound.node
            if bound.scope is not None and bound.scope is not context.scope:
                context = replace(context, scope=bound.scope)
                resolver = replace(resolver, scope=bound.scope)
        cls = find("layers", kind)
        block = None if cls else self.block(kind)
        if cls is None and block is None:
            known = [*names("layers"), *shipped_names(), *self.blocks]
            self.problems.append(unknown_kind("layers", kind, position, path, known))
            return None, None
        if cls is not None:
            arguments = self.resolved(cls, arguments, resolver)
        named = self.with_name(arguments, resolver)
        if kind == "head" and self.head_name(named) is None:
            return self.structure(cls, Place(path, kind, arguments, position, signal, context, resolver))
        own = path if kind in ("tag", "from") else entry_names.path(kind, named, position)
        resolver = replace(resolver, where=own or kind)
        place = Place(own, kind, arguments, position, signal, context, resolver)
        if block is not None:
            return expand_block(self, block, place)
        assert cls is not None
        if issubclass(cls, Structure):
            return self.structure(cls, place)
        return self.leaf(cls, place)

    def structure(self, cls: type[Component] | None, place: Place) -> tuple[Step | None, Signal | None]:
        """Expand a kind that holds lists of layers or names a value."""
        from nnctl.graph.structures import EXPANSIONS

        assert cls is not None
        component = read_arguments(cls, place.arguments, place.position, self.problems, place.path)
        if component is None:
            return None, place.signal if place.kind in ("tag", "head") else None
        return EXPANSIONS[place.kind](self, component, place)

    def leaf(self, cls: type[Component], place: Place) -> tuple[Step | None, Signal | None]:
        """Expand a layer: check its fields, then its shape."""
        component = read_arguments(cls, place.arguments, place.position, self.problems, place.path)
        if component is None or place.signal is None:
            return None, None
        assert isinstance(component, Layer)
        return self.place_layer(component, place.path, place.signal, place)

    def place_layer(self, layer: Layer, path: str, signal: Signal, place: Place) -> tuple[Leaf | None, Signal | None]:
        """Put a layer behind a signal; a ShapeError becomes a problem that names both."""
        position = place.blamed
        if signal is NOTHING:
            hint = self.model_scope.hint("in")
            self.fail("shape", f"no value arrives at `{layer.kind}`", position, path, hint=hint)
            return None, None
        try:
            leaf = behind(signal, layer, path, position)
        except ShapeError as error:
            arrives = f"{signal.shape} arrives from {signal.source}"
            details = (error.detail, arrives) if error.detail else (arrives,)
            self.fail("shape", error.message, position, path, details, error.hint)
            return None, None
        return leaf, leaf.output

    def block(self, kind: str) -> Block | None:
        """Return the block of a name: the spec's own, or one shipped."""
        return self.blocks.get(kind) or (shipped(kind) if kind in shipped_names() else None)

    def resolved(self, cls: type[Component], arguments: Node | None, resolver: Resolver) -> Node | None:
        """Return the arguments with `$` replaced, but for lists of layers, which their own places resolve."""
        if not isinstance(arguments, Mapping):
            return None if arguments is None else resolver.deep(arguments) if self.is_plain(cls) else arguments
        rules = rules_of(cls)
        entries = {
            key: entry
            if key in rules and isinstance(rules[key].marker, LayerList)
            else Entry(entry.key, resolver.deep(entry.node))
            for key, entry in arguments.entries.items()
        }
        return Mapping(arguments.position, entries)

    def is_plain(self, cls: type[Component]) -> bool:
        """Return whether the main field, which a bare value fills, is not a list of layers."""
        main = cls.main_field()
        return main is None or not isinstance(rules_of(cls)[main].marker, LayerList)

    def with_name(self, arguments: Node | None, resolver: Resolver) -> Node | None:
        """Return the arguments with `name` resolved, for naming the entry."""
        if not isinstance(arguments, Mapping) or "name" not in arguments.entries:
            return arguments
        entry = arguments.entries["name"]
        return Mapping(arguments.position, {"name": Entry(entry.key, resolver.value(entry.node).node)})

    def head_name(self, arguments: Node | None) -> str | None:
        """Return a head's name, which it must have."""
        node = arguments.get("name") if isinstance(arguments, Mapping) else None
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None

    def remember_tag(
        self, step: Step, signal: Signal | None, entry: Node, context: Context, own: dict[str, Position]
    ) -> None:
        """Make a tag known to the rest of its list."""
        if not isinstance(step, SetTag):
            return
        if step.label in own:
            first = own[step.label].line
            message = f"the tag `{step.label}` is set twice in one list"
            self.fail("name", message, entry.position, step.name, (f"the first is at line {first}",) if first else ())
        own[step.label] = entry.position
        context.tags[step.label] = (step.name, signal)

    def count_one(self, position: Position) -> None:
        """Count an entry; a spec that grows without bound is stopped here."""
        self.count += 1
        if self.count > MAX_LAYERS:
            message = f"the network has more than {MAX_LAYERS:,} layers"
            hint = "use fewer turns of `repeat`"
            raise SpecError([*self.problems, Problem("limit", message, position, hint=hint)])

    def add_notes(self, start: int, context: Context) -> None:
        """Add the uses that lead here to the problems found since `start`."""
        for index in range(start, len(self.problems)):
            problem = self.problems[index]
            if context.notes and not set(context.notes) & set(problem.details):
                self.problems[index] = replace(problem, details=(*problem.details, *context.notes))

    def fail(
        self,
        code: str,
        message: str,
        position: Position,
        where: str,
        details: tuple[str, ...] = (),
        hint: str | None = None,
    ) -> None:
        """Add a problem."""
        self.problems.append(Problem(code, message, position, where, details, hint))
