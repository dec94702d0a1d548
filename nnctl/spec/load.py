"""From a file (or text) and overrides to a Spec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from nnctl.component.family import find
from nnctl.component.field_names import field_hint, field_meant
from nnctl.component.validate import read_arguments
from nnctl.document.node import Entry, Mapping, Scalar, Unknown, describe, has_unknown, is_null, plain
from nnctl.document.numbers import number_hint
from nnctl.document.reader import read_file, read_text
from nnctl.errors import Problem, SpecError
from nnctl.kinds.initializers.base import Init, Initializer, read_init
from nnctl.spec.argument import parse
from nnctl.spec.extends import with_bases
from nnctl.spec.override import BLOCK, MODEL, TOP, apply
from nnctl.spec.sections import Block, Data, Lint, Model, Pretrained, Spec, Train

FORMAT = 1
"""The version of the language; older ones are migrated, newer ones refused."""

SectionType = TypeVar("SectionType", bound=BaseModel)


@dataclass(frozen=True)
class Reading:
    """A spec as far as it could be read, with everything that is wrong with it."""

    spec: Spec | None
    problems: list[Problem]
    data_failed: bool = False
    """Whether a `data` section is there but cannot be read, so that nothing can be said of classes and shapes."""


def load(path: str | Path, overrides: Sequence[str] = ()) -> Spec:
    """Return the spec in a file. Raises SpecError with all that is wrong in it, short of the network's shapes."""
    return _finished(read(path, overrides))


def loads(text: str, overrides: Sequence[str] = (), name: str = "spec.yaml") -> Spec:
    """Return the spec in a text, as `load` does."""
    return _finished(read_string(text, overrides, name))


def _finished(reading: Reading) -> Spec:
    if reading.problems or reading.spec is None:
        raise SpecError(reading.problems)
    return reading.spec


def read(path: str | Path, overrides: Sequence[str] = ()) -> Reading:
    """Return the spec in a file as far as it can be read. Raises SpecError where nothing can be."""
    problems: list[Problem] = []
    file = Path(path)
    document = read_file(file, problems, str(path))
    return _read(document, overrides, problems, str(path), file.resolve())


def read_string(text: str, overrides: Sequence[str] = (), name: str = "spec.yaml") -> Reading:
    """Return the spec in a text as far as it can be read, as `read` does."""
    problems: list[Problem] = []
    return _read(read_text(text, name, problems), overrides, problems, name, Path(name).resolve())


def _read(document: Mapping, overrides: Sequence[str], problems: list[Problem], name: str, path: Path) -> Reading:
    parsed = [override for text in overrides if (override := parse(text, problems)) is not None]
    for override in parsed:
        if [step.key for step in override.steps] == ["extends"]:
            document.entries["extends"] = Entry(override.steps[0].position, override.value)
    document = with_bases(document, problems, (path,))
    for override in parsed:
        if [step.key for step in override.steps] != ["extends"]:
            apply(document, override, problems)
    return _sections(document, problems, name)


def _sections(document: Mapping, problems: list[Problem], file: str) -> Reading:
    meant = _check_keys(document, TOP, "", problems)
    _check_format(document, problems)
    name = _text(document, "name", problems)
    if name is None and document.get("name") is None and "name" not in meant:
        problems.append(Problem("missing", "a spec needs `name`", document.position, hint="write `name: …` on top"))
    elif name is not None and not _is_file_name(name):
        position = document.entries["name"].node.position
        hint = "runs lie in a folder of this name: use letters, digits, `_`, `-` and `.`"
        problems.append(Problem("type", f'"{name}" cannot be the name of a folder', position, "name", hint=hint))
    data = _section(Data, document, "data", problems)
    train = _section(Train, document, "train", problems)
    lint = _section(Lint, document, "lint", problems) or Lint()
    model = _model(document, meant, problems)
    if model is None:
        return Reading(None, problems)
    seed = _seed(document, problems)
    spec = Spec(
        name or "", seed, _text(document, "description", problems) or "", data, model, train, lint, document, file
    )
    return Reading(spec, problems, data_failed=data is None and document.get("data") is not None)


def _check_keys(mapping: Mapping, known: Sequence[str], where: str, problems: list[Problem]) -> set[str | None]:
    """Add a problem for each key that is not known; return the keys that were probably meant by them."""
    meant = set()
    for key, entry in mapping.entries.items():
        if key in known:
            continue
        owner = f"`{where}`" if where else "a spec"
        inside = next((place for place, keys in _HOMES.items() if place != where and key in keys), None)
        hint = f"it belongs in `{inside}`" if inside else field_hint(key, known, mapping.entries, "keys")
        problems.append(Problem("unknown-key", f"{owner} has no key `{key}`", entry.key, where, hint=hint))
        meant.add(field_meant(key, known, mapping.entries))
    return meant


_HOMES = {"data": tuple(Data.model_fields), "train": tuple(Train.model_fields), "model": MODEL}


def _check_format(document: Mapping, problems: list[Problem]) -> None:
    node = document.get("format")
    if node is None or (isinstance(node, Scalar) and node.value == FORMAT and not isinstance(node.value, bool)):
        return
    if isinstance(node, Scalar) and isinstance(node.value, int) and node.value > FORMAT:
        message, hint = f"the spec is in format {node.value}, this nnctl reads up to {FORMAT}", "use a newer nnctl"
    else:
        message, hint = f"`format` is {describe(node)}, expected {FORMAT}", f"write `format: {FORMAT}`, or leave it out"
    problems.append(Problem("format", message, node.position, "format", hint=hint))


def _text(document: Mapping, key: str, problems: list[Problem]) -> str | None:
    node = document.get(key)
    if node is None or (isinstance(node, Scalar) and isinstance(node.value, (str, Unknown))):
        return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None
    hint = f'quote it: "{describe(node)}"' if isinstance(node, Scalar) else None
    problems.append(Problem("type", f"`{key}` is {describe(node)}, expected text", node.position, key, hint=hint))
    return None


def _is_file_name(name: str) -> bool:
    plain = name.replace("_", "").replace("-", "").replace(".", "")
    reserved = name.upper() in {"CON", "PRN", "AUX", "NUL"}
    return bool(plain) and plain.isalnum() and len(name) <= 100 and not name.startswith(".") and not reserved


def _seed(document: Mapping, problems: list[Problem]) -> int:
    node = document.get("seed")
    if node is None:
        return 0
    if isinstance(node, Scalar) and type(node.value) is int and node.value >= 0:
        return node.value
    if not (isinstance(node, Scalar) and isinstance(node.value, Unknown)):
        message = f"`seed` is {describe(node)}, expected a whole number of at least 0"
        hint = number_hint(node.value, whole=True) if isinstance(node, Scalar) and isinstance(node.value, str) else None
        problems.append(Problem("type", message, node.position, "seed", hint=hint))
    return 0


def _section(
    cls: type[SectionType], document: Mapping, key: str, problems: list[Problem], where: str | None = None
) -> SectionType | None:
    entry = document.entries.get(key)
    if entry is None or is_null(entry.node):
        return None
    return read_arguments(cls, entry.node, entry.key, problems, where or key)


def _model(document: Mapping, meant: set[str | None], problems: list[Problem]) -> Model | None:
    entry = document.entries.get("model")
    if entry is None or is_null(entry.node):
        if "model" not in meant:
            hint = "write `model: {layers: […]}`"
            problems.append(Problem("missing", "a spec needs `model`", document.position, hint=hint))
        return None
    if has_unknown(entry.node) and not isinstance(entry.node, Mapping):
        return None
    if not isinstance(entry.node, Mapping):
        message = f"`model` is {describe(entry.node)}, expected a mapping"
        problems.append(Problem("type", message, entry.node.position, "model", hint="write `model: {layers: […]}`"))
        return None
    model = entry.node
    meant = _check_keys(model, MODEL, "model", problems)
    layers = model.get("layers")
    if layers is None:
        if "layers" not in meant:
            hint = "write `layers:` and a list below it"
            problems.append(Problem("missing", "`model` needs `layers`", entry.key, "model", hint=hint))
        return None
    params = _mapping(model, "params", "model.params", problems)
    init = model.get("init")
    return Model(
        layers=layers,
        input=model.get("input"),
        params=params,
        init=_default_init(read_init(init, problems, "model.init") if init is not None else Init()),
        blocks=_blocks(model, problems),
        pretrained=_section(Pretrained, model, "pretrained", problems, "model.pretrained"),
        freeze=_freeze(model, problems),
    )


def _freeze(model: Mapping, problems: list[Problem]) -> tuple[str, ...]:
    node = model.get("freeze")
    if node is None or is_null(node) or has_unknown(node):
        return ()
    paths = plain(node)
    if isinstance(paths, str):
        return (paths,)
    if isinstance(paths, list) and all(isinstance(path, str) for path in paths):
        return tuple(str(path) for path in paths)
    message = f"`freeze` is {describe(node)}, expected a list of layer paths"
    problems.append(Problem("type", message, node.position, "model.freeze", hint="write `freeze: [conv1, stage1]`"))
    return ()


def _default_init(init: Init) -> Init:
    """Fill what the spec leaves open: kaiming normal weights, bias 0."""
    return Init(weight=init.weight or _initializer("kaiming"), bias=init.bias or _initializer("zero"))


def _initializer(kind: str) -> Initializer:
    cls = find("initializers", kind)
    assert cls is not None
    assert issubclass(cls, Initializer)
    return cls()


def _blocks(model: Mapping, problems: list[Problem]) -> dict[str, Block]:
    mapping = _mapping(model, "blocks", "model.blocks", problems)
    blocks: dict[str, Block] = {}
    for name, entry in (mapping.entries if mapping else {}).items():
        where = f"model.blocks.{name}"
        if is_null(entry.node):
            continue
        if find("layers", name) is not None:
            hint = "choose another name for the block"
            problems.append(Problem("name", f"`{name}` is already a kind of layer", entry.key, where, hint=hint))
            continue
        if not isinstance(entry.node, Mapping):
            message = f"a block is a mapping of `params` and `layers`, found {describe(entry.node)}"
            problems.append(Problem("type", message, entry.node.position, where))
            continue
        meant = _check_keys(entry.node, BLOCK, where, problems)
        layers = entry.node.get("layers")
        if layers is None and "layers" in meant:
            continue
        if layers is None:
            problems.append(Problem("missing", f"the block `{name}` needs `layers`", entry.key, where))
            continue
        params = _mapping(entry.node, "params", f"{where}.params", problems)
        if params is not None and "name" in params.entries:
            hint = "every block has a `name` already: choose another word"
            place = params.entries["name"].key
            problems.append(Problem("name", "`name` cannot be a parameter", place, where, hint=hint))
        blocks[name] = Block(name, params, layers)
    return blocks


def _mapping(parent: Mapping, key: str, where: str, problems: list[Problem]) -> Mapping | None:
    node = parent.get(key)
    if node is None or isinstance(node, Mapping):
        return node
    if not (isinstance(node, Scalar) and isinstance(node.value, Unknown)):
        problems.append(Problem("type", f"`{key}` is {describe(node)}, expected a mapping", node.position, where))
    return None
