"""The two kinds of labels that CIFAR-100 has."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.component.validate import read_component
from nnctl.document.reader import read_value
from nnctl.errors import Problem, SpecError
from nnctl.graph.build import build_file
from nnctl.kinds.datasets.cifar100 import COARSE
from nnctl.kinds.layers.shape import Shape
from tests.data.samples import dataset


def test_facts(tmp_path: Path) -> None:
    facts = dataset("cifar100: {labels: coarse, also: [fine]}").facts(tmp_path)
    assert facts.inputs == {"input": Shape((3, 32, 32)), "fine": Shape((), vocabulary=100)}
    assert (facts.classes, facts.class_names, facts.train, facts.test) == (20, COARSE, 50_000, 10_000)


@pytest.mark.parametrize("width", [19, 20])
def test_coarse_labels_are_the_target_of_a_second_loss(tmp_path: Path, width: int) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(f"""
name: two
data: {{dataset: {{cifar100: {{also: [coarse]}}}}, root: {tmp_path}}}
model:
  layers: [flatten, {{head: {{name: coarse, layers: [{{linear: {width}}}]}}}}, {{linear: $classes}}]
train:
  epochs: 1
  loss: [cross_entropy, {{cross_entropy: {{at: coarse, target: data.coarse}}}}]
  optimizer: {{sgd: 0.1}}
""")
    if width == 20:
        assert build_file(spec).facts is not None
        return
    with pytest.raises(SpecError, match="hint: end with `linear: 20`"):
        build_file(spec)


@pytest.mark.parametrize(
    ("fields", "message", "hint"),
    [
        ("also: [fine]", "`also` names the target's own labels, `fine`", "write `also: [coarse]`"),
        ("also: [coarse, coarse]", "`also` names `coarse` twice", "write `also: [coarse]`"),
        ("labels: middle", "expected fine or coarse", ""),
        ("also: fine", "expected a list of fine or coarse", ""),
    ],
)
def test_labels_are_named_once(fields: str, message: str, hint: str) -> None:
    problems: list[Problem] = []
    read_component("datasets", read_value(f"cifar100: {{{fields}}}", 1, problems), problems, "data.dataset")
    (problem,) = problems
    assert message in problem.message
    assert hint in (problem.hint or "")
