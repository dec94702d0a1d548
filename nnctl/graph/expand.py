"""From entries to steps: blocks are expanded, `$` computed, shapes inferred, and every mistake collected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from nnctl.component.base import Component
from nnctl.component.entry import split_entry, unknown_kind
from nnctl.component.family import find, names
from nnctl.component.markers import LayerList
from nnctl.component.validate import read_arguments, rules_of
from nnctl.document.node import UNKNOWN, Entry, Mapping, Node, Scalar, Sequence, Unknown, describe, is_null
from nnctl.document.suggest import did_you_mean
from nnctl.errors import Position, Problem, SpecError
from nnctl.graph.names import Names
from nnctl.graph.nodes import NOTHING, Chain, Leaf, Signal, Step
from nnctl.graph.scope import Bound, Resolver, Scope
from nnctl.kinds.layers._windows import need_numbers
from nnctl.kinds.layers.base import Layer, Structure
from nnctl.kinds.layers.shape import ShapeError
from nnctl.spec.blocks import shipped, shipped_names
from nnctl.spec.sections import Block

MAX_LAYERS = 100_000


@dataclass(frozen=True)
class Context:
    """What a list of layers inherits from the place it stands in."""

    scope: Scope
    tags: dict[str, tuple[str, Signal | None]] = field(default_factory=dict)
    """Label -> the tag's unique name and its value's signal."""
    active: tuple[str, ...] = ()
    """The blocks being expanded, outermost first."""
    notes: tuple[str, ...] = ()
    """The uses of blocks that lead here, for errors."""
    stands_at: Position | None = None
    """Inside a shipped block: the entry that used it, which is the user's own line."""


@dataclass(frozen=True)
class Place:
    """Everything that the expansion of one entry needs to know."""

    path: str
    kind: str
    arguments: Node | None
    position: Position
    signal: Signal | None
    context: Context
    resolver: Resolver


def arriving(signal: Signal | None) -> int | Unknown | None:
    """Return `$in` behind a signal: UNKNOWN where a mistake hides it, None where nothing arrives."""
    if signal is None:
        return UNKNOWN
    return None if signal is NOTHING else signal.shape.features


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
            return self.expand_block(block, place)
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
        position = place.context.stands_at or place.position
        if signal is NOTHING:
            hint = self.model_scope.hint("in")
            self.fail("shape", f"no value arrives at `{layer.kind}`", position, path, hint=hint)
            return None, None
        try:
            need_numbers(layer, signal.shape)
            shape = layer.output(signal.shape)
            window = layer.window(signal.shape)
        except ShapeError as error:
            arrives = f"{signal.shape} arrives from {signal.source}"
            details = (error.detail, arrives) if error.detail else (arrives,)
            self.problems.append(Problem("shape", error.message, position, path, details, error.hint))
            return None, None
        reach, step = signal.reach, signal.step
        if window.extent and len(window.extent) == len(reach):
            reach = tuple(r + (e - 1) * s for r, e, s in zip(reach, window.extent, step, strict=True))
            step = tuple(s * w for s, w in zip(step, window.stride, strict=True))
            step = tuple(s / Fraction(f) for s, f in zip(step, window.finer, strict=True)) if window.finer else step
        line = f" (line {position.line})" if position.line else ""
        out = Signal(shape, reach, step, f"`{path}`{line}")
        return Leaf(path, layer, position, signal, out), out

    def expand_block(self, block: Block, place: Place) -> tuple[Step | None, Signal | None]:
        """Expand a block: bind its parameters, then expand its layers in their scope."""
        context = place.context
        if block.name in context.active:
            circle = " → ".join((*context.active[context.active.index(block.name) :], block.name))
            self.fail("block", f"the block `{block.name}` uses itself", place.position, place.path, (circle,))
            return None, None
        scope = Scope(parent=Scope() if block.shipped else self.model_scope)
        if not self.named_well(place) or not self.bind(block, scope, place):
            return None, None
        line = f"line {place.position.line}" if place.position.line else "the command line"
        if place.position.line and place.position.file != block.layers.position.file:
            line = str(place.position)
        notes = context.notes
        if not block.shipped and context.stands_at is None:
            notes = (*notes, f"in the block `{block.name}`, used at {line}")
        inner = replace(
            context,
            scope=scope,
            active=(*context.active, block.name),
            notes=notes,
            stands_at=context.stands_at or (place.position if block.shipped else None),
        )
        start = len(self.problems)
        chain, signal = self.chain(block.layers, place.signal, place.path, inner)
        if block.shipped:
            self.point_to_use(start, block, context.stands_at or place.position)
        return chain, signal

    def bind(self, block: Block, scope: Scope, place: Place) -> bool:
        """Give a block's parameters their values: those given, evaluated here; then the defaults, evaluated there."""
        params = block.params.entries if block.params else {}
        given = place.arguments
        if given is not None and not isinstance(given, Mapping):
            if not params and not (isinstance(given, Scalar) and isinstance(given.value, Unknown)):
                self.fail("type", f"the block `{block.name}` has no parameters", given.position, place.path)
                return False
            given = Mapping(given.position, {key: Entry(given.position, given) for key in list(params)[:1]})
        arguments = given.entries if given else {}
        for key, entry in arguments.items():
            if key not in params and key != "name":
                hint = did_you_mean(key, params, "parameters") if params else "it has none"
                message = f"the block `{block.name}` has no parameter `{key}`"
                self.fail("unknown-key", message, entry.key, place.path, hint=hint)
                return False
        resolver = Resolver(scope, place.resolver.arriving, self.problems, place.path, place.context.notes)
        for key, default in params.items():
            given_entry = arguments.get(key)
            if given_entry is not None and not is_null(given_entry.node):
                scope.values[key] = place.resolver.value(given_entry.node)
            elif is_null(default.node):
                hint = f"write `{block.name}: {{{key}: …}}`"
                message = f"the block `{block.name}` needs `{key}`"
                self.fail("missing", message, place.position, place.path, hint=hint)
                return False
            else:
                scope.values[key] = resolver.value(default.node)
        return True

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

    def named_well(self, place: Place) -> bool:
        """Return whether a block's `name`, if given, can be one; layers check their own as a field."""
        before = len(self.problems)
        named = self.with_name(place.arguments, place.resolver)
        if isinstance(named, Mapping) and "name" in named.entries:
            name = Mapping(named.position, {"name": named.entries["name"]})
            read_arguments(Structure, name, place.position, self.problems, place.path)
        return len(self.problems) == before

    def head_name(self, arguments: Node | None) -> str | None:
        """Return a head's name, which it must have."""
        node = arguments.get("name") if isinstance(arguments, Mapping) else None
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None

    def remember_tag(
        self, step: Any, signal: Signal | None, entry: Node, context: Context, own: dict[str, Position]
    ) -> None:
        """Make a tag known to the rest of its list."""
        from nnctl.graph.nodes import SetTag

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

    def point_to_use(self, start: int, block: Block, position: Position) -> None:
        """Move problems inside a shipped block to the entry that used it."""
        shipped_file = block.layers.position.file
        for index in range(start, len(self.problems)):
            problem = self.problems[index]
            if problem.position.file == shipped_file or problem.position == position:
                note = f"inside the shipped block `{block.name}`"
                details = problem.details if note in problem.details else (*problem.details, note)
                self.problems[index] = replace(problem, position=position, details=details)

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


__all__ = ["MAX_LAYERS", "Bound", "Context", "Expander", "Place", "arriving"]
