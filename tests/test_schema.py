"""The JSON Schema for editors: a valid schema that takes every right spec and refuses plain mistakes.

Judged by an independent implementation, the package jsonschema.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from nnctl.component.family import FAMILIES, find, names
from nnctl.document.node import plain
from nnctl.document.reader import read_file, read_text
from nnctl.errors import Problem
from nnctl.graph.build import build_file
from nnctl.reference.schema import spec_schema

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").rglob("*.yaml"))
EXAMPLES = sorted((ROOT.parent / "shared" / "examples").glob("*.yaml"))
SCHEMA = spec_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

RIGHT = """
name: right
description: every section
seed: 3
data: {dataset: {points: {x: [[0, 0], [1, 1]], y: [0, 1]}}, validation: 0}
model:
  params: {width: 8, act: relu}
  init: {weight: {kaiming: {distribution: uniform}}, bias: zero}
  blocks:
    twice: {params: {n: null}, layers: [{linear: $n}, $act, {linear: $(n * 2)}]}
  layers:
    - twice: $width
    - twice: {n: 4, name: second}
    - linear: {features: $classes, init: torch}
    - residual: {body: [{linear: 2}, $act], shortcut: none}
    - branches: {merge: add, paths: [[identity], [{linear: 2}]]}
train:
  epochs: 2
  batch_size: all
  loss: [cross_entropy, {l1: {weight: 0.1}}]
  optimizer: {sgd: {lr: 0.1, momentum: 0.9}}
  schedule: cosine
  early_stopping: {monitor: train_loss, patience: 3}
  clip: {norm: 1.0}
  ema: 0.99
lint: {allow: [dropout-before-norm]}
"""

WRONG: dict[str, tuple[str, Any]] = {
    "an unknown section": ("trian: {}", None),
    "an unknown key": ("train.epohcs", 3),
    "a count of 0": ("train.epochs", 0),
    "text for a number": ("train.epochs", "three"),
    "an unknown optimiser": ("train.optimizer", {"sdg": {"lr": 0.1}}),
    "an optimiser without its rate": ("train.optimizer", "sgd"),
    "a rate of 0": ("train.optimizer", {"sgd": {"lr": 0}}),
    "an unknown field of a kind": ("train.optimizer", {"sgd": {"lr": 0.1, "momentom": 0.9}}),
    "an unknown loss": ("train.loss", "cross_entropi"),
    "an unknown initialiser": ("model.init", "kaimin"),
    "layers that are no list": ("model.layers", 3),
    "a layer with two kinds": ("model.layers", [{"linear": 2, "relu": None}]),
    "a wrong field of a layer": ("model.layers", [{"linear": {"featurs": 2}}]),
    "negative channels": ("model.layers", [{"conv": -1}]),
    "a block without layers": ("model.blocks", {"twice": {"params": {}}}),
    "a negative share": ("data.validation", -0.1),
    "an unknown data set": ("data.dataset", "cifar11"),
}


def value_of(text: str) -> Any:
    problems: list[Problem] = []
    value = plain(read_text(text, "spec.yaml", problems))
    assert not problems
    return value


def errors(value: Any) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(value)]


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_reference_leads_somewhere() -> None:
    def references(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*map(references, part.values()))
        return set().union(*map(references, part)) if isinstance(part, list) else set()

    used = references(SCHEMA)
    assert used == {f"#/$defs/{name}" for name in SCHEMA["$defs"]}


def test_a_right_spec_is_taken() -> None:
    assert errors(value_of(RIGHT)) == []


UNSET = """
extends: base.yaml
name: child
description: null
seed: null
data: {subset: null, label_noise: null, augment: null, streams: {other: {dataset: iris, transform: null}}}
model:
  init: null
  params: null
  blocks: {twice: null}
  pretrained: null
  freeze: linear1
  layers: [conv: {channels: 4, stride: null}]
train: {epochs: 2, loss: cross_entropy, optimizer: {sgd: {lr: 0.1, momentum: null}}, schedule: null, clip: null}
lint: {allow: null}
"""


def test_null_unsets_what_a_base_says() -> None:
    assert errors(value_of(UNSET)) == []


@pytest.mark.parametrize("mistake", WRONG)
def test_plain_mistakes_are_refused(mistake: str) -> None:
    path, new = WRONG[mistake]
    spec = copy.deepcopy(value_of(RIGHT))
    *sections, key = path.split(".")
    place = spec
    for section in sections:
        place = place[section]
    place[key] = new
    assert errors(spec)


@pytest.mark.parametrize("missing", ["name", "model", "model.layers", "train.epochs", "train.loss", "data.dataset"])
def test_what_a_spec_must_say_may_stand_in_its_base(missing: str) -> None:
    spec = value_of(RIGHT)
    *sections, key = missing.split(".")
    place = spec
    for section in sections:
        place = place[section]
    del place[key]
    assert errors(spec)
    assert errors(spec | {"extends": "base.yaml"}) == []


@pytest.mark.parametrize("file", SPECS, ids=lambda file: file.stem)
def test_the_projects_own_specs_are_taken(file: Path) -> None:
    problems: list[Problem] = []
    assert errors(plain(read_file(file, problems))) == []
    assert not problems


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_what_nnctl_reads_the_schema_takes(file: Path) -> None:
    build_file(file)
    assert errors(plain(read_file(file, []))) == []


@pytest.mark.parametrize(
    ("family", "kind"), [(family, kind) for family in FAMILIES for kind in names(family)], ids=lambda name: name
)
def test_every_example_of_every_kind_is_taken(family: str, kind: str) -> None:
    entry = Draft202012Validator({**SCHEMA["$defs"][family], "$defs": SCHEMA["$defs"]})
    cls = find(family, kind)
    assert cls is not None
    for example in cls.examples:
        value = value_of(f"x: {{{example.yaml}}}" if ":" in example.yaml else f"x: {example.yaml}")["x"]
        assert [error.message for error in entry.iter_errors(value)] == []
