"""Everything that has a name in a spec, explained from its class alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from nnctl.component.base import Component
from nnctl.component.docs import body, field_docs, shape_line, summary
from nnctl.component.family import FAMILIES, find, names
from nnctl.component.validate import rules_of
from nnctl.document.node import Mapping, is_null, plain
from nnctl.document.suggest import did_you_mean
from nnctl.errors import Problem, UsageError
from nnctl.kinds.layers.base import Activation
from nnctl.reference.settings import default_of, settings
from nnctl.spec.blocks import shipped_document, shipped_names, shipped_source

_WRITTEN = "A block written in the spec language; `params` are its fields."
_PROPERTIES = ("formula", "derivative", "range", "zero_centred", "monotone", "largest_derivative", "saturates")


@dataclass(frozen=True)
class FieldHelp:
    """One field as `explain` shows it."""

    name: str
    expected: str
    required: bool
    default: str | None
    """The default in YAML's spelling; None where there is none."""
    main: bool
    """Whether `- kind: value` fills it."""
    doc: str


@dataclass(frozen=True)
class Explanation:
    """All that `explain` shows of one kind."""

    family: str
    kind: str
    summary: str
    description: str
    """The rest of the documentation: formula, remarks."""
    shape: str
    fields: tuple[FieldHelp, ...] = ()
    examples: tuple[str, ...] = ()
    paper: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    """What matters of an activation: derivative, range, where it saturates."""
    source: str = ""
    """The YAML of a block that is written in the language itself."""
    expected: str = ""
    """What a setting's value has to be; empty for kinds."""
    default: str | None = None
    """A setting's default in YAML's spelling; None for kinds, and where there is none."""


def families(only: str | None = None) -> dict[str, dict[str, str]]:
    """Return the kinds of every family, or of one, each with its summary. Raises UsageError for a wrong name."""
    known = [family for family in FAMILIES if _names(family)]
    if only is not None and only not in known:
        hint = did_you_mean(only, known, "families")
        raise UsageError(Problem("unknown-family", f"there is no family `{only}`", hint=hint))
    chosen = known if only is None else [only]
    return {family: {kind: _explained(family, kind).summary for kind in _names(family)} for family in chosen}


def explain(name: str) -> Explanation:
    """Return all that is known of KIND, FAMILY.KIND, a section or a setting in one, such as `train.ema` or `ema`.

    A kind's name alone is the kind's. Raises UsageError for a wrong or an ambiguous name.
    """
    family, dot, kind = name.rpartition(".")
    setting = _setting(name)
    if setting is not None:
        return setting
    fields = [each.path.rpartition(".")[2] for each in settings() if dot and each.path.rpartition(".")[0] == family]
    if fields:
        hint = did_you_mean(kind, fields, "its fields")
        raise UsageError(Problem("unknown-key", f"`{family}` has no field `{kind}`", hint=hint))
    if any(each.path == family for each in settings()) and dot:
        hint = f"`nnctl explain {family}` tells what it may be"
        raise UsageError(Problem("unknown-key", f"`{name}` is no setting of its own", hint=hint))
    if dot and family not in FAMILIES:
        hint = did_you_mean(family, FAMILIES, "families")
        raise UsageError(Problem("unknown-family", f"there is no family `{family}`", hint=hint))
    searched = (family,) if dot else FAMILIES
    found = [candidate for candidate in searched if kind in _names(candidate)]
    if len(found) > 1:
        full = " or ".join(f"`{candidate}.{kind}`" for candidate in found)
        raise UsageError(Problem("ambiguous", f"`{kind}` is the name of several kinds", hint=f"write {full}"))
    if not found:
        known = [each for candidate in searched for each in _names(candidate)]
        message = f"there is no kind `{kind}`" + (f" among the {family}" if dot else "")
        hint = did_you_mean(kind, known, "known kinds") if dot else _nearest(kind, known)
        raise UsageError(Problem("unknown-kind", message, hint=hint))
    return _explained(found[0], kind)


def _setting(name: str) -> Explanation | None:
    """Return a section or setting by its place, or by its last word where no kind has that name."""
    known = settings()
    found = [each for each in known if each.path == name]
    if not found and not any(name in _names(family) for family in FAMILIES):
        found = [each for each in known if each.path.endswith(f".{name}")]
        outer = min((each.path.count(".") for each in found), default=0)
        found = [each for each in found if each.path.count(".") == outer]
    if len(found) > 1:
        full = " or ".join(f"`{each.path}`" for each in found)
        raise UsageError(Problem("ambiguous", f"`{name}` is the name of several settings", hint=f"write {full}"))
    if not found:
        return None
    (one,) = found
    outer_path, _, kind = one.path.rpartition(".")
    main = getattr(one.section, "main", None)
    return Explanation(
        family=outer_path,
        kind=kind,
        summary=one.summary,
        description=one.description,
        shape="",
        fields=tuple(
            FieldHelp(
                key.path.rpartition(".")[2],
                key.expected,
                key.required,
                key.default,
                key.path.rpartition(".")[2] == main,
                key.summary,
            )
            for key in one.keys
        ),
        expected=one.expected,
        default=one.default,
    )


def _names(family: str) -> list[str]:
    return sorted((*names(family), *shipped_names())) if family == "layers" else names(family)


def _explained(family: str, kind: str) -> Explanation:
    cls = find(family, kind)
    return _block(kind) if cls is None else _component(cls)


def _component(cls: type[Component]) -> Explanation:
    properties = {}
    if issubclass(cls, Activation):
        properties = {key: _words(getattr(cls, key)) for key in _PROPERTIES}
        properties["kinks"] = ", ".join(f"{kink:g}" for kink in cls.kinks) or "none"
    return Explanation(
        family=cls.family,
        kind=cls.kind,
        summary=summary(cls),
        description=body(cls),
        shape=shape_line(cls) or "",
        fields=_fields(cls),
        examples=tuple(example.yaml for example in cls.examples),
        paper=cls.paper,
        properties=properties,
    )


def _block(name: str) -> Explanation:
    """Explain a block that is shipped as YAML."""
    document = shipped_document(name)
    about = {key: str(plain(entry.node)) for key, entry in document.entries.items()}
    params = document.get("params")
    assert isinstance(params, Mapping)
    fields = tuple(
        FieldHelp(
            name=param,
            expected="",
            required=is_null(entry.node),
            default=None if is_null(entry.node) else str(plain(entry.node)),
            main=number == 0,
            doc="",
        )
        for number, (param, entry) in enumerate(params.entries.items())
    )
    source = shipped_source(name)
    text, _, shape = about["description"].rpartition(": ")
    first, _, more = text.partition(". ")
    return Explanation(
        family="layers",
        kind=name,
        summary=f"{first}.",
        description=f"{more}. {_WRITTEN}" if more else _WRITTEN,
        shape=shape,
        fields=fields,
        examples=(about["example"],),
        paper=about["paper"],
        source=source[source.index("params:") :],
    )


def _fields(cls: type[Component]) -> tuple[FieldHelp, ...]:
    docs, rules = field_docs(cls), rules_of(cls)
    keys = {name: info.alias or name for name, info in cls.model_fields.items()}
    required = {keys[name] for name, info in cls.model_fields.items() if info.is_required()}
    short = {cls.main_field()} if required <= {cls.main_field()} else set()
    own = sorted(cls.model_fields, key=lambda name: name in cls.common)  # what all kinds have comes last
    return tuple(
        FieldHelp(
            name=keys[name],
            expected=rules[keys[name]].expected,
            required=keys[name] in required,
            default=default_of(cls.model_fields[name]),
            main=keys[name] in short,
            doc=docs[name],
        )
        for name in own
    )


def _words(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _nearest(kind: str, known: list[str]) -> str:
    if kind in FAMILIES:
        return f"`nnctl list {kind}` shows all of them"
    hint = did_you_mean(kind, known, "known kinds")
    return hint if hint.startswith("did you mean") else "`nnctl list` shows every name"
