"""JSON Schema (draft 2020-12) of a whole spec, made from the classes that read it: for editors.

It accepts every right spec and explains what it can; `nnctl check` finds what a schema cannot say.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from pydantic import BaseModel

from nnctl.component.base import Component
from nnctl.component.docs import body, field_docs, summary
from nnctl.component.family import FAMILIES, find, names
from nnctl.component.markers import LayerList, Many, Named, One, ReadBy
from nnctl.component.validate import FieldRule, rules_of
from nnctl.reference.catalogue import explain
from nnctl.reference.settings import MODEL_KEYS, SECTIONS, TOP_KEYS
from nnctl.spec.blocks import shipped_names
from nnctl.spec.sections import Pretrained, Section

Schema: TypeAlias = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COMPUTED = frozenset({"layers", "initializers"})
"""Families whose fields may be computed: they stand inside `model`, where `$` has a meaning."""
_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_NULL: Schema = {"type": "null"}
_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"


def spec_schema() -> Schema:
    """Return the schema."""
    definitions: Schema = {
        "expression": {
            "type": "string",
            "pattern": r"^\$",
            "description": "A parameter, `$name`, or a computation over numbers, `$(width * 2)`.",
        },
        "init": _init(),
        "layer_list": _layer_list(),
    }
    for family in FAMILIES:
        if names(family):
            definitions[family] = _entry(family)
            definitions |= {f"{family}.{kind}": _arguments(_class(family, kind)) for kind in names(family)}
    definitions |= {f"layers.{name}": _block(name) for name in sorted(shipped_names())}
    for section in SECTIONS.values():
        definitions |= _sections(section)
    definitions |= _sections(Pretrained)
    return {
        "$schema": _DIALECT,
        "title": "nnctl spec",
        "description": "A neural network, its data and its recipe.",
        "type": "object",
        "additionalProperties": False,
        "properties": _top() | {key: _reference(section.__name__) for key, section in SECTIONS.items()},
        # what a spec must say may also stand in the file that it extends
        "if": {"not": {"required": ["extends"]}},
        "then": {
            "required": ["name", "model"],
            "properties": {
                "model": {"required": ["layers"]},
                **{key: {"required": _required(section)} for key, section in SECTIONS.items() if _required(section)},
            },
        },
        "$defs": definitions,
    }


def _top() -> Schema:
    return {
        "format": {"const": 1, "description": TOP_KEYS["format"][0]},
        "name": {"type": "string", "description": TOP_KEYS["name"][0]},
        "description": {"type": ["string", "null"], "description": TOP_KEYS["description"][0]},
        "seed": {
            "type": ["integer", "null"],
            "minimum": 0,
            "default": 0,
            "description": TOP_KEYS["seed"][0],
        },
        "extends": {"type": ["string", "null"], "description": TOP_KEYS["extends"][0]},
        "model": {
            "type": "object",
            "description": "The network.",
            "additionalProperties": False,
            "properties": {
                "input": {
                    "type": ["array", "object", "null"],
                    "description": MODEL_KEYS["input"][0],
                },
                "params": {"type": ["object", "null"], "description": MODEL_KEYS["params"][0]},
                "init": {
                    **_or_null(_reference("init")),
                    "description": MODEL_KEYS["init"][0],
                },
                "blocks": {
                    "type": ["object", "null"],
                    "description": MODEL_KEYS["blocks"][0],
                    "propertyNames": {"pattern": _NAME},
                    "additionalProperties": {
                        "type": ["object", "null"],
                        "additionalProperties": False,
                        "required": ["layers"],
                        "properties": {
                            "params": {
                                "type": ["object", "null"],
                                "description": "Parameters with defaults; null for those that must be given.",
                            },
                            "layers": _reference("layer_list"),
                        },
                    },
                },
                "layers": {**_reference("layer_list"), "description": MODEL_KEYS["layers"][0]},
                "pretrained": {
                    **_or_null(_reference("Pretrained")),
                    "description": MODEL_KEYS["pretrained"][0],
                },
                "freeze": {
                    "anyOf": [{"type": "array", "items": _text()}, _text(), _NULL],
                    "description": MODEL_KEYS["freeze"][0],
                },
            },
        },
    }


def _layer_list() -> Schema:
    """A list of layers, or lists of them for paths; text names a parameter or, for a shortcut, a kind of it."""
    return {"anyOf": [{"type": "array", "items": {"anyOf": [_reference("layers"), _reference("layer_list")]}}, _text()]}


def _init() -> Schema:
    both = {"type": "object", "additionalProperties": False, "minProperties": 1}
    each = _reference("initializers")
    return {"anyOf": [each, {**both, "properties": {"weight": each, "bias": each}}, _reference("expression")]}


def _entry(family: str) -> Schema:
    """An entry of a family: a name alone, or one name with its arguments."""
    classes = {kind: _class(family, kind) for kind in names(family)}
    alone: list[Schema] = [
        {"const": kind, "description": summary(cls)} for kind, cls in classes.items() if not _required(cls)
    ]
    with_arguments: Schema = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {kind: _reference(f"{family}.{kind}") for kind in classes},
    }
    if family == "layers":  # names of blocks are the user's own
        with_arguments["properties"] |= {name: _reference(f"layers.{name}") for name in sorted(shipped_names())}
        alone.append(_text())
        with_arguments["propertyNames"] = {"pattern": _NAME}
    else:
        with_arguments["additionalProperties"] = False
    return {"anyOf": [*alone, with_arguments]}


def _arguments(cls: type[Component]) -> Schema:
    """What stands after a kind's name: its fields, or the main field's value."""
    fields = _fields(cls, computed=cls.family in _COMPUTED)
    full = {
        "type": "object",
        "properties": fields,
        "required": _required(cls),
        "additionalProperties": False,
    }
    options = [full]
    main = cls.main_field()
    if main is not None and set(_required(cls)) <= {main}:
        options.append(fields[main])
    if not _required(cls):
        options.append(_NULL)
    about = "\n\n".join(part for part in (summary(cls), body(cls), cls.paper) if part)
    return {"description": about, "anyOf": options}


def _block(name: str) -> Schema:
    """A shipped block: its parameters take whatever its layers make of them."""
    about = explain(f"layers.{name}")
    fields: Schema = {field.name: {} for field in about.fields} | {"name": {"type": "string", "pattern": _NAME}}
    required = [field.name for field in about.fields if field.required]
    full = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    scalar = {"type": ["string", "number", "boolean"]}
    description = "\n\n".join((about.summary, about.shape, about.paper))
    return {"description": description, "anyOf": [full, scalar, *([] if required else [_NULL])]}


def _sections(section: type[BaseModel]) -> Schema:
    """A section's definition and those of the sections in it."""
    fields = _fields(section, computed=False)
    full: Schema = {"type": "object", "properties": fields, "additionalProperties": False}
    main = getattr(section, "main", None)
    options = [full, fields[main]] if main is not None else [full]
    definition: Schema = {"description": summary(section)}
    found: Schema = {section.__name__: definition | (full if main is None else {"anyOf": options})}
    for rule in rules_of(section).values():
        inner = rule.marker.section if isinstance(rule.marker, Named) else rule.section
        if inner is not None and issubclass(inner, Section):
            found |= _sections(inner)
    return found


def _fields(cls: type[BaseModel], computed: bool) -> Schema:
    docs, rules = field_docs(cls), rules_of(cls)
    whole = cls.model_json_schema(by_alias=True, mode="validation")
    plain = whole["properties"]
    fields: Schema = {}
    for name, info in cls.model_fields.items():
        key = info.alias or name
        schema = _field(rules[key], plain[key], whole.get("$defs", {}))
        default = schema.pop("default", None)
        if computed:
            options = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
            schema = {"anyOf": [*options, _reference("expression")]}
        if not info.is_required():
            schema = _or_null(schema)
        fields[key] = schema | ({} if default is None else {"default": default}) | {"description": docs[name]}
    return fields


def _or_null(schema: Schema) -> Schema:
    """Allow null, which unsets what a base says."""
    options = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
    return {"anyOf": [*options, *([] if _NULL in options else [_NULL])]}


def _field(rule: FieldRule, plain: Schema, definitions: Schema) -> Schema:
    match rule.marker:
        case One(family=family):
            return _reference(family)
        case Many(family=family, single=single):
            several = {"type": "array", "items": _reference(family)}
            return {"anyOf": [several, _reference(family)]} if single else several
        case LayerList():
            return _reference("layer_list")
        case Named(section=section):
            return {
                "type": "object",
                "propertyNames": {"pattern": _NAME},
                "additionalProperties": _reference(section.__name__),
            }
        case ReadBy():
            return _reference("init")
    if rule.section is not None:
        return _reference(rule.section.__name__)
    own = {key: value for key, value in plain.items() if key != "title"}
    schema: Schema = _inlined(_standard(own), definitions)
    return schema


def _standard(part: Any) -> Any:
    """Return pydantic's schema of a field with its bounds on unions, `ge` and the like, in the standard's words."""
    if isinstance(part, dict):
        return {_BOUNDS.get(key, key): _standard(value) for key, value in part.items()}
    return [_standard(each) for each in part] if isinstance(part, list) else part


def _inlined(part: Any, definitions: Schema) -> Any:
    """Return a schema with what pydantic defines beside it in the place of references to that."""
    if isinstance(part, dict):
        name = str(part.get("$ref", "")).rpartition("/")[2]
        if name in definitions:
            return _inlined(_standard(definitions[name]), definitions)
        return {key: _inlined(value, definitions) for key, value in part.items()}
    return [_inlined(each, definitions) for each in part] if isinstance(part, list) else part


def _required(cls: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in cls.model_fields.items() if info.is_required()]


def _class(family: str, kind: str) -> type[Component]:
    cls = find(family, kind)
    assert cls is not None
    return cls


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _text() -> Schema:
    return {"type": "string"}
