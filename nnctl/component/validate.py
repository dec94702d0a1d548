"""From nodes to components: every mistake in an entry is found, with its place and its cure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ValidationError

from nnctl.component.base import Component
from nnctl.component.entry import split_entry, unknown_kind
from nnctl.component.family import find, names
from nnctl.component.field_names import field_hint, field_meant
from nnctl.component.markers import LayerList, Many, Named, One, ReadBy
from nnctl.component.types import Expected, PathField
from nnctl.document.node import (
    Entry,
    Mapping,
    Node,
    Scalar,
    Sequence,
    Unknown,
    describe,
    describe_value,
    has_unknown,
    is_null,
    locate,
    plain,
)
from nnctl.document.numbers import number_hint
from nnctl.document.suggest import suggest
from nnctl.errors import Position, Problem

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class FieldRule:
    """How one field is read."""

    marker: object | None
    section: type[BaseModel] | None
    expected: str
    is_path: bool
    is_mapping: bool
    """Whether keys below it are not names of the language, but the file's own."""


@cache
def rules_of(cls: type[BaseModel]) -> dict[str, FieldRule]:
    """Return how each field of a section or component is read."""
    rules = {}
    for name, info in cls.model_fields.items():
        marker = next((m for m in info.metadata if isinstance(m, (One, Many, LayerList, Named, ReadBy))), None)
        expected = next((m.text for m in reversed(info.metadata) if isinstance(m, Expected)), "")
        is_path = any(isinstance(m, PathField) for m in info.metadata)
        for option in getattr(info.annotation, "__args__", ()):  # Annotated inside `… | None`
            for meta in getattr(option, "__metadata__", ()):
                expected = expected or (meta.text if isinstance(meta, Expected) else "")
                is_path = is_path or isinstance(meta, PathField)
        section = None
        for option in (info.annotation, *getattr(info.annotation, "__args__", ())):
            if marker is None and isinstance(option, type) and issubclass(option, BaseModel):
                section = option
        is_mapping = marker is None and _holds_mapping(info.annotation)
        rules[info.alias or name] = FieldRule(marker, section, expected, is_path, is_mapping)
    return rules


def _holds_mapping(annotation: object) -> bool:
    return get_origin(annotation) is dict or any(map(_holds_mapping, getattr(annotation, "__args__", ())))


def read_component(family: str, node: Node, problems: list[Problem], where: str) -> Component | None:
    """Return the component that an entry describes, or None after adding what is wrong to `problems`."""
    entry = split_entry(node, family, problems, where)
    if entry is None:
        return None
    kind, place, arguments = entry
    cls = find(family, kind)
    if cls is None:
        problems.append(unknown_kind(family, kind, place, where, names(family)))
        return None
    return read_arguments(cls, arguments, place, problems, where)


def read_arguments(
    cls: type[Model], arguments: Node | None, place: Position, problems: list[Problem], where: str
) -> Model | None:
    """Return a component or section from its arguments: none, the main field's value, or a mapping of fields."""
    title = getattr(cls, "kind", None)
    if isinstance(arguments, Scalar) and isinstance(arguments.value, Unknown):
        return None
    if arguments is None:
        arguments = Mapping(place)
    if not isinstance(arguments, Mapping) or _is_main_mapping(cls, arguments):
        main = cls.main_field() if issubclass(cls, Component) else getattr(cls, "main", None)
        if main is None:
            what = f"`{title}` takes no value" if title else f"`{where}` is a mapping of fields"
            known = ", ".join(cls.model_fields)
            hint = f"write `{title}` alone" if issubclass(cls, Component) else f"its fields: {known}"
            problems.append(
                Problem("type", f"{what}, found {describe(arguments)}", arguments.position, where, hint=hint)
            )
            return None
        arguments = Mapping(arguments.position, {main: Entry(place, arguments)})
    return _read_fields(cls, arguments, place, problems, where, title)


def _is_main_mapping(cls: type[BaseModel], arguments: Mapping) -> bool:
    """A mapping fills the main field where that field itself holds one, such as a component."""
    main = cls.main_field() if issubclass(cls, Component) else None
    if main is None or not arguments.entries or set(arguments.entries) & set(cls.model_fields):
        return False
    return isinstance(rules_of(cls)[main].marker, One)


def _read_fields(
    cls: type[Model], arguments: Mapping, place: Position, problems: list[Problem], where: str, title: str | None
) -> Model | None:
    rules, values, before = rules_of(cls), {}, len(problems)
    owner = f"`{title}`" if title else (f"`{where}`" if where else "a spec")
    skipped: set[str] = set()
    meant: set[str | None] = set()
    for key, entry in arguments.entries.items():
        if key not in rules:
            hint = field_hint(key, rules, arguments.entries) if rules else f"write {owner} alone"
            problems.append(Problem("unknown-key", f"{owner} has no field `{key}`", entry.key, where, hint=hint))
            meant.add(field_meant(key, rules, arguments.entries))
        elif has_unknown(entry.node) and not isinstance(rules[key].marker, LayerList):
            skipped.add(key)
        elif not is_null(entry.node):
            count = len(problems)
            value = _read_field(
                rules[key], entry.node, problems, f"{where}.{key}" if not title and where else where or key
            )
            if len(problems) > count:
                skipped.add(key)
            else:
                values[key] = value
    try:
        component = cls.model_validate(values)
        return component if len(problems) == before and not skipped else None
    except ValidationError as error:
        for item in error.errors(include_url=False):
            field = str(item["loc"][0]) if item["loc"] else ""
            hidden = not field and (skipped or meant - {None})  # what a whole kind needs may be what was misspelt
            if field in skipped or hidden or (item["type"] == "missing" and field in meant):
                continue
            problems.append(_problem(cls, item, arguments, place, where, owner))
        _one_per_field(problems, before)
        return None


def _read_field(rule: FieldRule, node: Node, problems: list[Problem], where: str) -> Any:
    if isinstance(rule.marker, LayerList):
        return node
    if isinstance(rule.marker, One):
        return read_component(rule.marker.family, node, problems, where)
    if isinstance(rule.marker, Many):
        if isinstance(node, Sequence):
            items = [
                read_component(rule.marker.family, item, problems, f"{where}[{index}]")
                for index, item in enumerate(node.items)
            ]
            if not items and rule.marker.single:
                problems.append(Problem("type", f"`{where}` is an empty list", node.position, where, hint="name one"))
            return tuple(items)
        if rule.marker.single:
            return (read_component(rule.marker.family, node, problems, where),)
        message = f"expected a list of {rule.marker.family}, found {describe(node)}"
        problems.append(Problem("type", message, node.position, where, hint="write `[…]`, or `- …` lines"))
        return None
    if isinstance(rule.marker, Named):
        if not isinstance(node, Mapping):
            message = f"expected a mapping of names, found {describe(node)}"
            problems.append(Problem("type", message, node.position, where, hint="write `NAME: {…}`"))
            return None
        return {
            name: read_arguments(rule.marker.section, entry.node, entry.key, problems, f"{where}.{name}")
            for name, entry in node.entries.items()
        }
    if isinstance(rule.marker, ReadBy):
        return rule.marker.reader(node, problems, where)
    if rule.section is not None:
        return read_arguments(rule.section, node, node.position, problems, where)
    if rule.is_path:
        return _paths(node)
    return plain(node)


def _paths(node: Node) -> Any:
    """Return a path, or a list of them, as they are meant where they are written."""
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return absolute(node.value, node.position)
    return [_paths(item) for item in node.items] if isinstance(node, Sequence) else plain(node)


def absolute(path: str, position: Position) -> str:
    """Return a path as it is meant where it is written: relative to that file, or to the current directory."""
    expanded = Path(path).expanduser()
    base = Path(position.file).parent if position.file and position.line is not None else Path()
    return str((base / expanded).absolute())


def _problem(cls: type[BaseModel], item: Any, arguments: Mapping, place: Position, where: str, owner: str) -> Problem:
    loc = tuple(item["loc"])
    if item["type"] == "missing" and len(loc) == 1:
        field = loc[0]
        code, message = "missing", f"{owner} needs `{field}`"
        is_main = issubclass(cls, Component) and cls.main_field() == field
        expected = rules_of(cls)[str(field)].expected
        example = f"`{cls.kind}: …`" if is_main and issubclass(cls, Component) else f"`{field}: …`"
        cure = f"write {example}" + (f", {expected}" if expected else "")
        return Problem(code, message, place, where, hint=cure)
    if not loc:
        message = str(item["ctx"]["error"]) if "error" in item.get("ctx", {}) else item["msg"]
        first, _, rest = message.partition("; ")
        return Problem("value", first, place, where, hint=rest or None)
    field = str(loc[0])
    position = locate(arguments, loc)
    expected = rules_of(cls)[field].expected or item["msg"].lower()
    node, name = arguments.entries[field].node, field
    if isinstance(node, Mapping) and len(loc) > 1 and loc[1] in node.entries:  # one of names that the user chooses
        node, name = node.entries[str(loc[1])].node, f"{field}.{loc[1]}"
        position = node.position
    found = describe_value(plain(node))
    hint: str | None = None
    if item["type"] == "literal_error" and isinstance(item["input"], str):
        words = expected.replace(",", " ").split()
        nearest = suggest(item["input"], [word for word in words if word not in ("or", "a", "number")])
        hint = f"did you mean `{nearest}`?" if nearest else None
    elif isinstance(item["input"], float) and item["input"].is_integer() and item["type"] == "int_type":
        hint = f"write {int(item['input'])}; in `$(…)`, `//` divides whole numbers"
    elif item["type"] in ("int_type", "float_type") and isinstance(item["input"], str):
        hint = number_hint(item["input"], whole=item["type"] == "int_type")
    elif item["type"] == "string_type" and not isinstance(item["input"], (dict, list, tuple)):
        hint = f'quote it: "{found}"'
    code = "range" if item["type"] in _RANGE_ERRORS else "type"
    return Problem(code, f"`{name}` is {found}, expected {expected}", position, where, hint=hint)


_RANGE_ERRORS = frozenset(
    {"greater_than", "greater_than_equal", "less_than", "less_than_equal", "finite_number", "value_error"}
)


def _one_per_field(problems: list[Problem], start: int) -> None:
    """A union's field fails once for each of its options; the user made one mistake."""
    seen: set[tuple[str, Position]] = set()
    for problem in list(problems[start:]):
        key = (problem.message, problem.position)
        if key in seen:
            del problems[next(i for i in range(len(problems) - 1, start - 1, -1) if problems[i] == problem)]
        seen.add(key)
