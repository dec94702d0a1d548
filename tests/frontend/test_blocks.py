"""Blocks: parameters, shorthand, nesting, and what is said where one is used wrongly."""

from __future__ import annotations

import pytest

from nnctl.graph.build import build_text
from tests.frontend.helpers import graph, outputs, paths, problem_of, problems_of, spec

STAGE = """
blocks:
  stage:
    params: {channels: null, stride: 2, act: relu}
    layers:
      - conv: {channels: $channels, stride: $stride}
      - $act
"""


def test_the_first_parameter_is_what_the_shorthand_fills() -> None:
    short, long = graph("[stage: 4]", model=STAGE), graph("[{stage: {channels: 4}}]", model=STAGE)
    assert outputs(short) == outputs(long) == [(4, 4, 4), (4, 4, 4)]


def test_a_value_given_wins_over_the_default_and_null_does_not() -> None:
    built = graph("[{stage: {channels: 4, stride: 1, act: tanh}}, {stage: {channels: 4, stride: null}}]", model=STAGE)
    assert outputs(built) == [(4, 8, 8), (4, 8, 8), (4, 4, 4), (4, 4, 4)]
    assert [leaf.layer.kind for leaf in built.leaves] == ["conv", "tanh", "conv", "relu"]


def test_a_parameter_without_default_must_be_given() -> None:
    for entry in ("stage", "stage: {stride: 1}", "stage: {channels: null}"):
        problem = problem_of(spec(f"- {entry}", model=STAGE))
        assert problem.message == "the block `stage` needs `channels`"
        assert problem.hint == "write `stage: {channels: …}`"
        assert problem.position.line == 11


def test_an_unknown_parameter_is_suggested() -> None:
    problem = problem_of(spec("- stage: {chanels: 4}", model=STAGE))
    assert problem.message == "the block `stage` has no parameter `chanels`"
    assert problem.hint == "did you mean `channels`?"
    assert str(problem.position) == "spec.yaml:11:15"


def test_a_block_without_parameters_takes_none() -> None:
    model = "blocks: {plain: {layers: [relu]}}"
    assert paths(graph("[plain]", model=model)) == ["plain1.relu1"]
    assert problem_of(spec("[plain: 3]", model=model)).message == "the block `plain` has no parameters"
    assert problem_of(spec("[{plain: {a: 3}}]", model=model)).hint == "it has none"


@pytest.mark.parametrize("inner", ["[one]", "[{repeat: {times: 1, layers: [one]}}]", "[{residual: {body: [one]}}]"])
def test_a_block_never_uses_itself(inner: str) -> None:
    problem = problem_of(spec("[one]", model=f"blocks: {{one: {{layers: {inner}}}}}"))
    assert (problem.code, problem.message) == ("block", "the block `one` uses itself")
    assert problem.details[0] == "one → one"


def test_blocks_never_use_each_other_in_a_circle() -> None:
    problem = problem_of(spec("[a]", model="blocks: {a: {layers: [b]}, b: {layers: [c]}, c: {layers: [b]}}"))
    assert problem.message == "the block `b` uses itself"
    assert problem.details[0] == "b → c → b"


def test_a_circle_through_a_list_that_is_given_is_found_too() -> None:
    model = "blocks: {a: {params: {body: null}, layers: [$body]}}"
    found = problems_of(spec("[{a: {body: [{a: {body: [relu]}}]}}]", model=model))
    assert found[0].message == "the block `a` uses itself"


def test_blocks_may_use_other_blocks_and_stand_in_a_repeat() -> None:
    model = """
    blocks:
      unit: {params: {width: null}, layers: [{linear: $width}, relu]}
      pair: {params: {width: null}, layers: [{unit: $width}, {unit: $(width + 1)}]}
    """
    built = graph("[{repeat: {times: 2, index: i, layers: [{pair: $(i + 3)}]}}]", input="[5]", model=model)
    assert paths(built) == [
        f"repeat1.{turn}.pair1.unit{unit}.{layer}"
        for turn in (1, 2)
        for unit in (1, 2)
        for layer in ("linear1", "relu1")
    ]
    assert [shape[0] for shape in outputs(built)] == [3, 3, 4, 4, 4, 4, 5, 5]


def test_a_mistake_inside_names_the_entrys_line_and_the_uses() -> None:
    text = spec(
        """
        - conv: 4
        - outer
        """,
        model="""
        blocks:
          outer:
            layers:
              - inner: 5
          inner:
            params: {kernel: null}
            layers:
              - max_pool: 2
              - conv: {channels: 3, kernel: $kernel, padding: 0}
        """,
    )
    problem = problem_of(text)
    assert (problem.position.line, problem.where) == (12, "outer1.inner1.conv1")
    assert problem.details[-2:] == (
        "in the block `outer`, used at line 15",
        "in the block `inner`, used at line 7",
    )
    assert "(4, 4, 4) arrives from `outer1.inner1.max_pool1` (line 11)" in problem.details


def test_a_blocks_body_is_checked_at_each_use_with_its_shapes() -> None:
    model = "blocks: {shrink: {layers: [{max_pool: 3}]}}"
    assert outputs(graph("[shrink]", model=model)) == [(3, 2, 2)]
    problem = problem_of(spec("[shrink, shrink]", model=model))
    assert problem.where == "shrink2.max_pool1"


def test_a_block_that_is_not_used_is_not_expanded() -> None:
    assert paths(graph("[relu]", model="blocks: {unused: {layers: [{conv: {channels: 3, kernel: 99}}]}}")) == ["relu1"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("blocks: {conv: {layers: [relu]}}", "`conv` is already a kind of layer"),
        ("blocks: {mine: [relu]}", "a block is a mapping of `params` and `layers`, found a list"),
        ("blocks: {mine: {params: {a: 1}}}", "the block `mine` needs `layers`"),
        ("blocks: {mine: {layers: [relu], layer: 3}}", "`model.blocks.mine` has no key `layer`"),
        ("blocks: {mine: {params: {name: 1}, layers: [relu]}}", "`name` cannot be a parameter"),
        ("blocks: {mine: {params: 3, layers: [relu]}}", "`params` is 3, expected a mapping"),
        ("blocks: 3", "`blocks` is 3, expected a mapping"),
    ],
)
def test_blocks_that_cannot_be(model: str, message: str) -> None:
    assert problem_of(spec("[relu]", model=model)).message == message


def test_a_users_block_may_take_the_place_of_a_shipped_one() -> None:
    model = "blocks: {basic_block: {params: {channels: null}, layers: [{conv: $channels}]}}"
    assert paths(graph("[basic_block: 4]", model=model)) == ["basic_block1.conv1"]


@pytest.mark.parametrize("name", ["a.b", "2nd", "a b", "", "é"])
def test_a_blocks_name_is_a_name(name: str) -> None:
    problem = problem_of(spec(f'- stage: {{channels: 4, name: "{name}"}}', model=STAGE))
    assert "expected a name of letters, digits and `_`" in problem.message


def test_a_blocks_name_is_text() -> None:
    problem = problem_of(spec("- stage: {channels: 4, name: 3}", model=STAGE))
    assert problem.message.startswith("`name` is 3, expected a name")


def test_a_block_may_take_its_name_from_a_parameter() -> None:
    model = """
    params: {called: stem}
    blocks: {unit: {params: {width: 4}, layers: [{linear: {features: $width, name: $called}}]}}
    """
    assert paths(graph("[{unit: {name: $called}}]", input="[5]", model=model)) == ["stem.stem"]


def test_basic_block_and_bottleneck_have_the_lines_of_their_use() -> None:
    built = graph("[{basic_block: {channels: 8, stride: 2}}, {bottleneck: {channels: 4}}]")
    assert {leaf.position.line for leaf in built.leaves} == {5}
    assert built.output.shape.dims == (16, 4, 4)
    problem = problem_of(spec("[{basic_block: {channels: 8, stride: 2, shortcut: identity}}]"))
    assert str(problem.position) == "spec.yaml:5:7"
    assert problem.where == "basic_block1.residual1"
    assert "inside the shipped block `basic_block`" in problem.details


def test_the_grouped_bottleneck_is_resnexts() -> None:
    built = graph("[{bottleneck: {channels: 64, groups: 32, base: 4}}]", input="[256, 8, 8]")
    convs = [leaf for leaf in built.leaves if leaf.layer.kind == "conv"]
    assert [leaf.output.shape.features for leaf in convs] == [128, 128, 256]
    assert convs[1].layer.model_dump()["groups"] == 32


def test_a_shipped_block_tells_its_missing_parameter() -> None:
    problem = problem_of(spec("[basic_block]"))
    assert problem.message == "the block `basic_block` needs `channels`"


def test_too_many_layers_are_refused_before_memory_is() -> None:
    model = "blocks: {ten: {layers: [{repeat: {times: 1000, layers: [relu]}}]}}"
    problem = problem_of(spec("[{repeat: {times: 1000, layers: [ten]}}]", model=model))
    assert (problem.code, problem.message) == ("limit", "the network has more than 100,000 layers")


def test_turns_without_layers_are_counted_too() -> None:
    problem = problem_of(spec("[{repeat: {times: 2000000000, layers: []}}]"))
    assert problem.code == "limit"


def test_an_extended_blocks_file_is_told(tmp_path: object) -> None:
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    (tmp_path / "base.yaml").write_text(
        "model:\n  input: [3]\n  blocks:\n    wide:\n      layers:\n        - conv: 3\n"
    )
    child = tmp_path / "child.yaml"
    text = f"extends: {tmp_path / 'base.yaml'}\nname: child\nmodel:\n  layers:\n    - wide\n"
    child.write_text(text)
    problem = problem_of(text)
    assert problem.position.file is not None
    assert problem.position.file.endswith("base.yaml")
    assert problem.position.line == 6
    assert "in the block `wide`, used at spec.yaml:5:7" in problem.details
    assert build_text(text.replace("wide", "{linear: 2}")).output.shape.dims == (2,)
