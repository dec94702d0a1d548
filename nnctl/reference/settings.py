"""The settings of a spec's sections, explained from the classes that read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from nnctl.component.docs import body, field_docs, summary
from nnctl.component.markers import LayerList, Many, Named, One
from nnctl.component.validate import FieldRule, rules_of
from nnctl.document.node import describe_value
from nnctl.spec.sections import Data, Lint, Pretrained, Section, Train

SECTIONS: dict[str, type[BaseModel]] = {"data": Data, "train": Train, "lint": Lint}
TOP_KEYS: dict[str, tuple[str, str, str | None]] = {
    "format": ("The version of the spec language.", "1", "1"),
    "name": ("The spec's name; its runs lie in checkpoints/<name>.", "text that can name a folder", None),
    "description": ("What it is, in a line.", "text", None),
    "seed": ("What all randomness comes from.", "a whole number of at least 0", "0"),
    "extends": ("A spec that this one adds to, relative to this file.", "a path", None),
}
"""What stands at the top of a spec beside its sections: summary, what is expected, and the default."""
MODEL = "model"
MODEL_KEYS = {
    "input": ("The shape of one sample; that of the data set if not given.", "a shape, such as [3, 32, 32]"),
    "params": ("Values that `$name` stands for.", "a mapping of names to values"),
    "init": ("How weights start, where a layer does not say.", "an initializer, or {weight: …, bias: …}"),
    "blocks": ("Blocks of your own, by name.", "a mapping of names to {params: {…}, layers: […]}"),
    "layers": ("The layers, from input to output.", "a list of layers"),
    "pretrained": ("Weights from a file that training starts with.", "a file, or a mapping of fields"),
    "freeze": ("Paths of layers, or of what holds them, that do not learn.", "a list of layer paths"),
}
"""What `model` holds, and what each key expects: it is read node by node, not by a class."""


@dataclass(frozen=True)
class Setting:
    """One section, or one field of a section."""

    path: str
    """Its place in a spec, such as `train.ema`."""
    summary: str
    description: str = ""
    expected: str = ""
    required: bool = False
    default: str | None = None
    section: type[BaseModel] | None = None
    """The class of the fields below it, if it has any."""
    keys: tuple[Setting, ...] = ()


def section_names() -> tuple[str, ...]:
    """Return the sections of a spec."""
    return "data", MODEL, *(name for name in SECTIONS if name != "data")


def settings() -> tuple[Setting, ...]:
    """Return the keys at the top of a spec, every section and every field below one, from the outside in."""
    top = tuple(
        Setting(key, doc, expected=expected, required=key == "name", default=default)
        for key, (doc, expected, default) in TOP_KEYS.items()
    )
    keys = tuple(
        Setting(
            f"{MODEL}.{key}",
            doc,
            expected=expected,
            required=key == "layers",
            section=Pretrained if key == "pretrained" else None,
            keys=tuple(_fields(Pretrained, f"{MODEL}.{key}")) if key == "pretrained" else (),
        )
        for key, (doc, expected) in MODEL_KEYS.items()
    )
    model = Setting(MODEL, "The network.", required=True, keys=keys)
    sections = [
        Setting(name, summary(cls), body(cls), section=cls, keys=tuple(_fields(cls, name)))
        for name, cls in SECTIONS.items()
    ]
    return tuple(_all((*top, *sections, model)))


def _all(some: tuple[Setting, ...]) -> Iterator[Setting]:
    yield from some
    for setting in some:
        yield from _all(setting.keys)


def _fields(cls: type[BaseModel], path: str) -> Iterator[Setting]:
    docs, rules = field_docs(cls), rules_of(cls)
    for name, info in cls.model_fields.items():
        key = info.alias or name
        section = _below(rules[key])
        default = None if section is not None else default_of(info)
        yield Setting(
            f"{path}.{key}",
            docs[name],
            "" if section is None else " ".join(filter(None, (summary(section), body(section)))),
            _expected(rules[key]),
            info.is_required(),
            default,
            section,
            tuple(_fields(section, f"{path}.{key}")) if section else (),
        )


def default_of(info: FieldInfo) -> str | None:
    """Return a field's default in YAML's spelling; None where it has none, or an empty list."""
    if info.is_required() or info.default_factory or info.default in (None, ()):
        return None
    return info.default if isinstance(info.default, str) else describe_value(info.default)


def _below(rule: FieldRule) -> type[Section] | None:
    section = rule.marker.section if isinstance(rule.marker, Named) else rule.section
    return section if section is not None and issubclass(section, Section) else None


def _expected(rule: FieldRule) -> str:
    match rule.marker:
        case One(family=family):
            return f"one of the {family}, see `nnctl list {family}`"
        case Many(family=family, single=single):
            return f"a list of {family}{' or one alone' if single else ''}, see `nnctl list {family}`"
        case LayerList():
            return "a list of layers"
    return rule.expected or ("a mapping of fields" if rule.section else "")
