"""The resolved spec: read again, it is the same spec and the same network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.document.node import plain
from nnctl.document.reader import read_text
from nnctl.graph.build import Graph, build_file, build_text
from nnctl.spec.resolved import as_dict, dump, to_yaml

RICH = """
name: rich
description: "yes: a # description, with 'quotes' and 1e-3"
seed: 12
data: {dataset: digits, validation: 0.2, subset: 500}
model:
  params: {width: 6, tiny: 1e-05, kind: relu, "on": 3}
  init: {weight: {kaiming: {fan: out, distribution: uniform}}, bias: {constant: 1e-7}}
  blocks:
    stage:
      params: {channels: null, body: [relu], entering: $in}
      layers:
        - conv: {channels: $channels, kernel: [3, 1], bias: false}
        - $body
        - conv: {channels: $(entering * 2 + on), padding_mode: circular}
    plain: {layers: [tanh]}
  layers:
    - stage: {channels: $width, body: [{leaky_relu: 0.1}, $kind], name: first}
    - tag: here
    - batch_norm: {eps: $tiny}
    - plain
    - residual: {body: [{conv: $in}], shortcut: identity}
    - head: {name: aux, from: here, layers: [flatten, {linear: $classes}]}
    - repeat: {times: 2, index: i, layers: [{dropout: $(0.1 * i)}]}
    - flatten
    - linear: {features: $classes, init: {weight: {normal: 1e-05}}}
train:
  epochs: 3
  loss: [{cross_entropy: {label_smoothing: 0.1}}, {cross_entropy: {at: aux, weight: 0.3}}]
  optimizer: {sgd: {lr: 1e-05, momentum: 0.9, nesterov: true, weight_decay: 5e-4}}
  schedule: {one_cycle: {warmup: 0.1}}
  early_stopping: {monitor: val_loss, min_delta: 1e-4, patience: 3}
  clip: {norm: 1}
  ema: 0.99
  batch_size: all
  checkpoint: {every: 7}
lint: {allow: [large-batch]}
"""


def facts(built: Graph) -> Any:
    """Return all that a graph says of its network, without the lines it was written at."""
    leaves = [(leaf.path, leaf.layer, leaf.input.shape, leaf.output.shape) for leaf in built.leaves]
    return leaves, built.inputs, built.output.shape, built.memory, built.macs, built.parameters, list(built.heads)


@pytest.mark.parametrize("overrides", [[], ["model.params.width=9", "train.optimizer.adam.lr=0.1", "model.init=torch"]])
def test_the_resolved_spec_read_again_is_the_same(overrides: list[str]) -> None:
    first = build_text(RICH, overrides)
    text = to_yaml(first.spec)
    again = build_text(text)
    assert facts(again) == facts(first)
    assert (again.spec.train, again.spec.data, again.spec.lint) == (first.spec.train, first.spec.data, first.spec.lint)
    assert again.spec.model.init == first.spec.model.init
    assert (again.spec.name, again.spec.seed, again.spec.description) == ("rich", 12, first.spec.description)
    assert to_yaml(again.spec) == text


def test_defaults_are_filled_in_and_blocks_stay_as_written() -> None:
    text = "name: x\ndata: {dataset: digits}\nmodel: {params: {w: 3}, layers: [flatten, {linear: $w}]}\n"
    resolved = as_dict(build_text(text + "train: {epochs: 1, loss: cross_entropy, optimizer: {sgd: 0.1}}").spec)
    assert resolved["seed"] == 0
    assert resolved["data"]["validation"] == 0.1
    assert resolved["train"]["batch_size"] == 128
    assert resolved["train"]["precision"] == "fp32"
    assert resolved["train"]["optimizer"] == {
        "sgd": {
            "lr": 0.1,
            "weight_decay": 0.0,
            "decay_on": "weights",
            "momentum": 0.0,
            "nesterov": False,
            "form": "torch",
        }
    }
    assert list(resolved["model"]["init"]) == ["weight", "bias"]
    assert resolved["model"]["layers"] == ["flatten", {"linear": "$w"}]


def test_what_it_extends_is_merged(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(RICH)
    (tmp_path / "child.yaml").write_text("extends: base.yaml\nname: child\ntrain: {ema: null, clip: null}")
    built = build_file(tmp_path / "child.yaml")
    text = to_yaml(built.spec)
    assert "extends" not in text
    again = build_text(text)
    assert facts(again) == facts(built)
    assert again.spec.train == built.spec.train
    assert again.spec.train is not None
    assert again.spec.train.ema is None


def test_the_root_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "name: x\ndata: {dataset: mnist}\nmodel: {layers: [flatten]}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NNCTL_DATA", raising=False)
    assert as_dict(build_text(text).spec)["data"]["root"] == str(tmp_path / "data")
    monkeypatch.setenv("NNCTL_DATA", "elsewhere")
    assert as_dict(build_text(text).spec)["data"]["root"] == str(tmp_path / "elsewhere")
    given = build_text(text.replace("mnist}", "mnist, root: mine}"), name=str(tmp_path / "sub" / "spec.yaml"))
    assert as_dict(given.spec)["data"]["root"] == str(tmp_path / "sub" / "mine")


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "No",
        "ON",
        "off",
        "nan",
        ".inf",
        "True",
        "NULL",
        "010",
        "0x1f",
        "1_000",
        "1:30",
        "2024-01-01",
        "1e-3",
        "5",
        "-0.5",
        "null",
        "~",
        "true",
        "",
        " ",
        "a: b",
        "a #b",
        "- a",
        "[a",
        "{a}",
        "'",
        '"',
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a`",
        "a\nb",
        "$(in // 2)",
        "été",
        "x" * 300,
        "a, b",
        "trailing ",
        "=",
        "<<",
        "y",
        "1e400",
        "９",
    ],
)
def test_text_is_quoted_wherever_a_reader_might_take_it_for_something_else(text: str) -> None:
    assert reread({"key": text, "list": [text, {"inner": text}]}) == {"key": text, "list": [text, {"inner": text}]}


def reread(value: Any) -> Any:
    problems: list[Any] = []
    found = plain(read_text(dump(value), "spec.yaml", problems))
    assert problems == []
    return found


@pytest.mark.parametrize("number", [1e-05, 5e-324, 1.7e308, 0.1, 1e22, -1e-7, 3.0, 1 / 3, 2**63 - 1, -(2**63), 0, True])
def test_numbers_come_back_bit_by_bit(number: float) -> None:
    found = reread({"key": number})["key"]
    assert found == number
    assert type(found) is type(number)


TEXT = st.text(st.sampled_from("\n\t") | st.characters(max_codepoint=0x24F, exclude_categories=["Cc"]), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_any_value_comes_back_as_it_was(value: dict[str, Any]) -> None:
    assert reread(value) == value
