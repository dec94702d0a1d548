"""What `$name` and `$(…)` stand for: names, their values, and putting values in their places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from nnctl.document.expression import NAME, ExpressionError, compute, is_expression, meant_by
from nnctl.document.node import UNKNOWN, Entry, Mapping, Node, Scalar, Sequence, Unknown, describe
from nnctl.document.suggest import did_you_mean
from nnctl.errors import Position, Problem


@dataclass
class Scope:
    """Names known at one place: a block's parameters and indices, then the model's."""

    values: dict[str, Bound] = field(default_factory=dict)
    parent: Scope | None = None
    used: set[str] = field(default_factory=set)
    """Names that something asked for."""
    hints: dict[str, str] = field(default_factory=dict)
    """What to do about names that have no value here, as far as the data tells."""

    def find(self, name: str) -> Bound | None:
        """Return the value of a name, the innermost first."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                scope.used.add(name)
                return scope.values[name]
            scope = scope.parent
        return None

    def hint(self, name: str) -> str | None:
        """Return what to do about a name that has no value, where the data tells."""
        return self.hints.get(name) or (self.parent.hint(name) if self.parent else None)

    def names(self) -> list[str]:
        """Return every known name."""
        return [*self.values, *(self.parent.names() if self.parent else [])]


@dataclass(frozen=True)
class Bound:
    """A value together with the names that its own `$` refer to: those where it was written."""

    node: Node
    scope: Scope | None = None


@dataclass(frozen=True)
class Resolver:
    """Puts values in the place of `$`, at one place of the network."""

    scope: Scope
    arriving: int | Unknown | None
    """`$in`: the features arriving here; None where nothing does."""
    problems: list[Problem]
    where: str
    notes: tuple[str, ...] = ()

    def value(self, node: Node) -> Bound:
        """Return what a node stands for: the node itself, or the value that its `$` names or computes."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or not node.value.startswith("$"):
            return Bound(node, self.scope)
        text = node.value
        if is_expression(text):
            return Bound(self.computed(text, node.position))
        match = NAME.fullmatch(text)
        if match is None:
            message = f"`{text}` is neither `$name` nor `$(…)`"
            self.fail("expression", message, node.position, f"write {meant_by(text)}")
            return Bound(Scalar(UNKNOWN, node.position))
        return self.named(match.group(1), node.position)

    def deep(self, node: Node) -> Node:
        """Return the node with every `$` inside replaced."""
        bound = self.value(node)
        inner, resolver = bound.node, self
        if bound.scope is not None and bound.scope is not self.scope:
            resolver = replace(self, scope=bound.scope)
        if isinstance(inner, Sequence):
            return Sequence([resolver.deep(item) for item in inner.items], inner.position)
        if isinstance(inner, Mapping):
            entries = {key: Entry(entry.key, resolver.deep(entry.node)) for key, entry in inner.entries.items()}
            return Mapping(inner.position, entries)
        return inner

    def named(self, name: str, position: Position) -> Bound:
        """Return the value of `$name`."""
        bound = self.scope.find(name)
        if bound is None and name == "in" and self.arriving is not None:
            return Bound(Scalar(self.arriving, position))
        if bound is None:
            self.unknown(name, position)
            return Bound(Scalar(UNKNOWN, position))
        if isinstance(bound.node, Scalar):
            if bound.node.value is None:
                self.fail("no-value", f"`${name}` has no value", position, f"give it: `model.params.{name}`")
                return Bound(Scalar(UNKNOWN, position))
            return Bound(Scalar(bound.node.value, position))
        return bound

    def computed(self, text: str, position: Position) -> Scalar:
        """Return the number that `$(…)` comes to."""

        def lookup(name: str) -> int | float | Unknown:
            value = self.named(name, position).node
            number = value.value if isinstance(value, Scalar) else None
            if isinstance(number, (int, float, Unknown)) and not isinstance(number, bool):
                return number
            self.fail("expression", f"`{name}` in `{text}` is {describe(value)}, not a number", position)
            return UNKNOWN

        try:
            return Scalar(compute(text, lookup), position)
        except ExpressionError as error:
            column = None if position.column is None else position.column + error.offset
            self.fail("expression", str(error), replace(position, column=column), error.hint)
            return Scalar(UNKNOWN, position)

    def unknown(self, name: str, position: Position) -> None:
        """Say that a name is not known here."""
        hint = (
            self.scope.hint(name)
            or {
                "classes": "the number of classes is not known here: write `classes:` in the data set, or a number",
                "features": "the data set's features are not known here: write `model.input`, or a number",
                "in": "no value arrives here: begin with `from: data.FIELD`",
            }.get(name)
            or did_you_mean(name, [*self.scope.names(), "in"], "known names")
        )
        self.fail("unknown-name", f"`${name}` is not known here", position, hint)

    def fail(self, code: str, message: str, position: Position, hint: str | None = None) -> None:
        """Add a problem of this place."""
        self.problems.append(Problem(code, message, position, self.where, self.notes, hint))
