"""`extends`: what merges, what replaces, and which files cannot be extended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nnctl.document.node import plain
from nnctl.errors import Problem, SpecError
from nnctl.graph.build import build_file
from nnctl.spec.load import load, loads
from nnctl.spec.sections import Spec

BASE = """
name: base
description: the base
seed: 3
data: {dataset: digits, validation: 0.2}
model:
  params: {width: 8, depth: 2}
  init: {weight: {kaiming: {fan: out}}, bias: zero}
  blocks:
    unit: {params: {a: 1, b: 2}, layers: [relu]}
    other: {layers: [tanh]}
  layers: [flatten, {linear: $width}, relu, {linear: $classes}]
train:
  epochs: 3
  loss: {cross_entropy: {label_smoothing: 0.1}}
  optimizer: {sgd: {lr: 0.1, momentum: 0.9, nesterov: true}}
  schedule: {one_cycle: {warmup: 0.1}}
  early_stopping: {monitor: val_loss, patience: 4}
  clip: {norm: 2.0}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def child(folder: Path, text: str) -> Spec:
    path = folder / "child.yaml"
    path.write_text(f"extends: base.yaml\n{text}")
    return load(path)


def merged(folder: Path, text: str) -> Any:
    return plain(child(folder, text).document)


def expected(**changes: Any) -> Any:
    """Return the base with values put at dotted paths (double underscores), None for those taken away."""
    document = yaml.safe_load(BASE)
    for path, value in changes.items():
        *above, last = path.split("__")
        place = document
        for key in above:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return document


def test_an_empty_child_is_its_base(folder: Path) -> None:
    assert merged(folder, "") == expected()


def test_mappings_merge_and_lists_replace(folder: Path) -> None:
    found = merged(folder, "name: child\ntrain: {epochs: 9, clip: {value: 1.0}}\nmodel: {layers: [flatten]}")
    assert found == expected(
        name="child", train__epochs=9, train__clip={"norm": 2.0, "value": 1.0}, model__layers=["flatten"]
    )


def test_a_component_of_the_same_kind_merges(folder: Path) -> None:
    found = merged(folder, "train: {optimizer: {sgd: {lr: 0.5}}, loss: {cross_entropy: {weight: 2.0}}}")
    assert found == expected(
        train__optimizer={"sgd": {"lr": 0.5, "momentum": 0.9, "nesterov": True}},
        train__loss={"cross_entropy": {"label_smoothing": 0.1, "weight": 2.0}},
    )


def test_a_shorthand_of_the_same_kind_sets_the_main_field_alone(folder: Path) -> None:
    found = merged(folder, "train: {optimizer: {sgd: 0.5}, schedule: one_cycle}")
    assert found == expected(train__optimizer={"sgd": {"lr": 0.5, "momentum": 0.9, "nesterov": True}})


def test_another_kind_replaces_the_component(folder: Path) -> None:
    text = "data: {dataset: {blobs: {classes: 3}}}\ntrain: {optimizer: {adam: {lr: 0.01}}, schedule: cosine, loss: mse}"
    assert merged(folder, text) == expected(
        data__dataset={"blobs": {"classes": 3}},
        train__optimizer={"adam": {"lr": 0.01}},
        train__schedule="cosine",
        train__loss="mse",
    )


def test_initialisers_merge_by_weight_and_bias(folder: Path) -> None:
    pair = "model: {init: {weight: {kaiming: {distribution: uniform}}}}"
    weight = {"kaiming": {"fan": "out", "distribution": "uniform"}}
    assert merged(folder, pair) == expected(model__init={"weight": weight, "bias": "zero"})
    assert merged(folder, "model: {init: orthogonal}") == expected(model__init="orthogonal")


def test_a_block_is_replaced_whole_and_others_stay(folder: Path) -> None:
    found = merged(folder, "model: {blocks: {unit: {layers: [tanh]}, new: {layers: [elu]}}}")
    blocks = {"unit": {"layers": ["tanh"]}, "other": {"layers": ["tanh"]}, "new": {"layers": ["elu"]}}
    assert found == expected(model__blocks=blocks)


def test_parameters_merge_by_name_and_their_values_replace(folder: Path) -> None:
    assert merged(folder, "model: {params: {width: 4, new: {a: 1}}}") == expected(
        model__params={"width": 4, "depth": 2, "new": {"a": 1}}
    )


def test_null_unsets_an_optional_field(folder: Path) -> None:
    found = child(
        folder, "description: null\ntrain: {schedule: null, optimizer: {sgd: {nesterov: null, momentum: null}}}"
    )
    assert plain(found.document) == expected(
        description=None, train__schedule=None, train__optimizer={"sgd": {"lr": 0.1}}
    )
    assert found.train is not None
    assert found.train.schedule is None
    assert found.train.optimizer.model_dump()["momentum"] == 0.0


def test_null_cannot_unset_what_is_needed(folder: Path) -> None:
    with pytest.raises(SpecError) as caught:
        child(folder, "train: {epochs: null, optimizer: {sgd: {lr: null}}}\nname: null")
    assert {problem.message for problem in caught.value.problems} == {
        "`sgd` needs `lr`",
        "`train` needs `epochs`",
        "a spec needs `name`",
    }


def test_each_mistake_is_told_in_the_file_that_makes_it(folder: Path) -> None:
    (folder / "base.yaml").write_text(BASE.replace("patience: 4", "patience: 0"))
    with pytest.raises(SpecError) as caught:
        child(folder, "train: {epochs: 0}")
    places = [(Path(problem.position.file or "").name, problem.position.line) for problem in caught.value.problems]
    assert places == [("base.yaml", 18), ("child.yaml", 2)]


def test_a_chain_of_three_merges_from_the_bottom(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "middle.yaml").write_text("extends: base.yaml\nname: middle\nseed: 4\ntrain: {epochs: 5}")
    (folder / "deep" / "top.yaml").write_text("extends: ../middle.yaml\nname: top")
    found = load(folder / "deep" / "top.yaml")
    assert (found.name, found.seed, found.train and found.train.epochs) == ("top", 4, 5)


def test_relative_paths_start_at_the_file_that_writes_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "below").mkdir()
    (folder / "below" / "rooted.yaml").write_text(
        BASE.replace("validation: 0.2", "root: photos").replace("digits", "mnist")
    )
    (folder / "child.yaml").write_text("extends: below/rooted.yaml\nname: child")
    monkeypatch.chdir("/")
    found = load(folder / "child.yaml")
    assert found.data is not None
    assert found.data.root == str(folder / "below" / "photos")
    other = load(folder / "child.yaml", ["data.root=elsewhere"])
    assert other.data is not None
    assert other.data.root == "/elsewhere"


def test_extends_on_the_command_line_starts_at_the_current_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "alone.yaml").write_text("name: alone")
    monkeypatch.chdir(folder)
    assert load(folder / "alone.yaml", ["extends=base.yaml"]).seed == 3
    assert load("alone.yaml", ["extends=base.yaml", "seed=8"]).seed == 8


def problem(folder: Path, files: dict[str, str], first: str) -> Problem:
    for name, text in files.items():
        (folder / name).write_text(text)
    with pytest.raises(SpecError) as caught:
        build_file(folder / first)
    (found,) = caught.value.problems
    return found


def test_a_spec_never_extends_itself(folder: Path) -> None:
    found = problem(folder, {"a.yaml": "name: a\nextends: ./a.yaml"}, "a.yaml")
    assert found.message == "the spec extends itself"
    assert (found.position.line, found.position.column) == (2, 10)
    assert found.details == ("a.yaml → a.yaml",)


def test_specs_never_extend_each_other_in_a_circle(folder: Path) -> None:
    files = {"a.yaml": "extends: b.yaml", "b.yaml": "extends: c.yaml", "c.yaml": "extends: b.yaml"}
    found = problem(folder, files, "a.yaml")
    assert found.message == "the specs extend each other in a circle"
    assert found.details == ("b.yaml → c.yaml → b.yaml",)


def test_a_circle_through_a_link_is_one(folder: Path) -> None:
    (folder / "link.yaml").symlink_to(folder / "a.yaml")
    assert problem(folder, {"a.yaml": "extends: link.yaml"}, "a.yaml").message == "the spec extends itself"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("bse.yaml", "there is no file bse.yaml"),
        ("nowhere/base.yaml", "there is no file nowhere/base.yaml"),
        ("[base.yaml]", "`extends` is a list, expected the path of a spec"),
        ("5", "`extends` is 5, expected the path of a spec"),
        ('""', '`extends` is "", expected the path of a spec'),
    ],
)
def test_bases_that_cannot_be(folder: Path, value: str, message: str) -> None:
    found = problem(folder, {"a.yaml": f"name: a\nextends: {value}\nmodel: {{input: [3], layers: [relu]}}"}, "a.yaml")
    assert found.message == message


def test_a_missing_base_is_suggested(folder: Path) -> None:
    found = problem(folder, {"a.yaml": "extends: bse.yaml"}, "a.yaml")
    assert found.hint == "did you mean `base.yaml`?"


def test_mistakes_of_the_child_are_told_beside_a_base_that_cannot_be_read(folder: Path) -> None:
    (folder / "a.yaml").write_text("extends: bse.yaml\nseed: yes")
    with pytest.raises(SpecError) as caught:
        build_file(folder / "a.yaml")
    assert [problem.code for problem in caught.value.problems] == ["ambiguous", "extends"]


def test_null_extends_nothing() -> None:
    assert loads("extends: null\nname: a\nmodel: {input: [3], layers: [relu]}").name == "a"
