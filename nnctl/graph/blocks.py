"""How a block is expanded: its parameters bound, its layers put in the place of its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnctl.component.field_names import field_hint
from nnctl.component.validate import read_arguments
from nnctl.document.node import Entry, Mapping, Scalar, Unknown, is_null
from nnctl.errors import Position, Problem
from nnctl.graph.nodes import Signal, Step
from nnctl.graph.place import Place
from nnctl.graph.scope import Resolver, Scope
from nnctl.kinds.layers.base import Structure
from nnctl.spec.sections import Block

if TYPE_CHECKING:
    from nnctl.graph.expand import Expander


def expand_block(expander: Expander, block: Block, place: Place) -> tuple[Step | None, Signal | None]:
    """Expand a block: bind its parameters, then expand its layers in their scope."""
    context = place.context
    if block.name in context.active:
        circle = " → ".join((*context.active[context.active.index(block.name) :], block.name))
        expander.fail("block", f"the block `{block.name}` uses itself", place.position, place.path, (circle,))
        return None, None
    scope = Scope(parent=Scope() if block.shipped else expander.model_scope)
    if not _named_well(expander, place) or not _bind(expander, block, scope, place):
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
    start = len(expander.problems)
    chain, signal = expander.chain(block.layers, place.signal, place.path, inner)
    if block.shipped:
        _point_to_use(expander.problems, start, block, place.blamed)
    return chain, signal


def _bind(expander: Expander, block: Block, scope: Scope, place: Place) -> bool:
    """Give a block's parameters their values: those given, evaluated here; then the defaults, evaluated there."""
    params = block.params.entries if block.params else {}
    given = place.arguments
    if given is not None and not isinstance(given, Mapping):
        if not params and not (isinstance(given, Scalar) and isinstance(given.value, Unknown)):
            expander.fail("type", f"the block `{block.name}` has no parameters", given.position, place.path)
            return False
        given = Mapping(given.position, {key: Entry(given.position, given) for key in list(params)[:1]})
    arguments = given.entries if given else {}
    for key, entry in arguments.items():
        if key not in params and key != "name":
            hint = field_hint(key, params, arguments, "parameters") if params else "it has none"
            message = f"the block `{block.name}` has no parameter `{key}`"
            expander.fail("unknown-key", message, entry.key, place.path, hint=hint)
            return False
    resolver = Resolver(scope, place.resolver.arriving, expander.problems, place.path, place.context.notes)
    for key, default in params.items():
        given_entry = arguments.get(key)
        if given_entry is not None and not is_null(given_entry.node):
            scope.values[key] = place.resolver.value(given_entry.node)
        elif is_null(default.node):
            hint = f"write `{block.name}: {{{key}: …}}`"
            message = f"the block `{block.name}` needs `{key}`"
            expander.fail("missing", message, place.position, place.path, hint=hint)
            return False
        else:
            scope.values[key] = resolver.value(default.node)
    return True


def _named_well(expander: Expander, place: Place) -> bool:
    """Return whether a block's `name`, if given, can be one; layers check their own as a field."""
    before = len(expander.problems)
    named = expander.with_name(place.arguments, place.resolver)
    if isinstance(named, Mapping) and "name" in named.entries:
        name = Mapping(named.position, {"name": named.entries["name"]})
        read_arguments(Structure, name, place.position, expander.problems, place.path)
    return len(expander.problems) == before


def _point_to_use(problems: list[Problem], start: int, block: Block, position: Position) -> None:
    """Move problems inside a shipped block to the entry that used it."""
    shipped_file = block.layers.position.file
    for index in range(start, len(problems)):
        problem = problems[index]
        if problem.position.file == shipped_file or problem.position == position:
            note = f"inside the shipped block `{block.name}`"
            details = problem.details if note in problem.details else (*problem.details, note)
            problems[index] = replace(problem, position=position, details=details)
