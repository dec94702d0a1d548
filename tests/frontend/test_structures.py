"""repeat, residual, branches, highway, tag, from and head: shapes, paths, names and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from nnctl.graph.build import Graph
from nnctl.graph.names import TAKEN
from nnctl.graph.nodes import Head, Residual
from nnctl.kinds.layers.shape import Shape
from nnctl.kinds.layers.structure._pad import smallest_stride
from nnctl.network.compile import compile_graph
from tests.frontend.helpers import graph, paths, problem_of, problems_of, spec


def compiled(built: Graph) -> Any:
    """Return the network, whose modules are read by attribute here."""
    return compile_graph(built)


# paths


def test_layer_paths_are_those_of_the_design() -> None:
    built = graph(
        """
        - conv: 4
        - stage: {name: stage2}
        - branches:
            merge: concat
            paths: [[identity], [{conv: 4}]]
        - repeat: {times: 3, layers: [{conv: 8}]}
        - head: {name: aux1, layers: [flatten, {linear: 3}]}
        - flatten
        - linear: 6
        - highway: {body: [{linear: 6}], gate: [{linear: 6}, sigmoid]}
        - linear: {features: 2, name: last}
        - linear: 2
        """,
        model="blocks: {stage: {layers: [{basic_block: {channels: 8, stride: 2}}]}}",
    )
    assert paths(built) == [
        "conv1",
        "stage2.basic_block1.residual1.body.conv1",
        "stage2.basic_block1.residual1.body.batch_norm1",
        "stage2.basic_block1.residual1.body.relu1",
        "stage2.basic_block1.residual1.body.conv2",
        "stage2.basic_block1.residual1.body.batch_norm2",
        "stage2.basic_block1.residual1.shortcut.conv1",
        "stage2.basic_block1.residual1.shortcut.batch_norm1",
        "stage2.basic_block1.relu1",
        "branches1.paths1.identity1",
        "branches1.paths2.conv1",
        "repeat1.1.conv1",
        "repeat1.2.conv1",
        "repeat1.3.conv1",
        "aux1.flatten1",
        "aux1.linear1",
        "flatten1",
        "linear1",
        "highway1.body.linear1",
        "highway1.gate.linear1",
        "highway1.gate.sigmoid1",
        "last",
        "linear3",
    ]
    modules = dict(compiled(built).named_modules())
    assert all(path in modules for path in paths(built))


def test_an_ordinal_counts_its_own_kind_tags_and_joins_apart() -> None:
    layers = "[relu, {tag: a}, {linear: 5}, {from: {tag: a, merge: add}}, relu, {tag: b}, {linear: 5}]"
    assert paths(graph(layers, input="[5]")) == ["relu1", "linear1", "relu2", "linear2"]


@pytest.mark.parametrize(
    "layers",
    [
        "[{linear: {features: 3, name: x}}, {relu: {name: x}}]",
        "[{linear: {features: 3, name: relu1}}, relu]",
        "[relu, {linear: {features: 3, name: relu1}}]",
        "[{repeat: {times: 0, name: x, layers: []}}, {relu: {name: x}}]",
        "[{head: {name: x, layers: []}}, {relu: {name: x}}]",
    ],
)
def test_equal_paths_are_an_error_with_both_lines(layers: str) -> None:
    problem = problem_of(spec(layers, input="[3]"))
    assert problem.code == "name"
    assert problem.message.startswith("two layers of one list are called")
    assert problem.details == ("the first is at line 5",)


def test_equal_names_in_different_lists_are_fine() -> None:
    layers = "[{residual: {name: x, body: [{linear: {features: 3, name: x}}]}}]"
    assert paths(graph(layers, input="[3]")) == ["x.body.x"]


def test_taken_names_are_exactly_those_of_torchs_modules() -> None:
    built = graph("[relu, {tag: a}]", input="[3]")
    network = compiled(built)
    public = {name for name in (*dir(nn.Module()), *dir(network)) if not name.startswith("_")}
    assert public - {"relu1"} <= TAKEN
    assert all(hasattr(network, name) or name in {"mtia", "ipu", "xpu"} for name in TAKEN)


@pytest.mark.parametrize("name", ["train", "type", "forward", "half", "training", "_x", "outputs", "state_dict"])
@pytest.mark.parametrize(
    "entry", ["relu: {{name: {0}}}", "repeat: {{name: {0}, times: 1, layers: []}}", "head: {{name: {0}, layers: []}}"]
)
def test_names_that_torch_modules_have_are_refused(name: str, entry: str) -> None:
    problem = problem_of(spec(f"- {entry.format(name)}", input="[3]"))
    assert problem.message == f"`{name}` cannot name a layer: torch's modules use the word themselves"


@pytest.mark.parametrize("name", ["a.b", "2nd", '"a b"', '""', "5", "true", "[a]"])
@pytest.mark.parametrize(
    "entry", ["relu: {{name: {0}}}", "repeat: {{name: {0}, times: 1, layers: []}}", "head: {{name: {0}, layers: []}}"]
)
def test_a_name_is_a_word(name: str, entry: str) -> None:
    problem = problem_of(spec(f"- {entry.format(name)}", input="[3]"))
    assert "expected a name of letters, digits and `_` that does not start with a digit" in problem.message


# repeat


def test_a_repeat_of_no_turns_changes_nothing() -> None:
    built = graph("[{repeat: {times: 0, layers: [{linear: 9}]}}]", input="[3]")
    assert paths(built) == []
    assert built.output.shape.dims == (3,)
    x = torch.randn(2, 3)
    assert torch.equal(compiled(built)(x), x)


# residual


@pytest.mark.parametrize(
    ("before", "after", "stride"),
    [(8, 8, 1), (8, 4, 2), (7, 4, 2), (7, 3, 3), (9, 3, 3), (10, 4, 3), (5, 1, 5), (8, 5, 0)],
)
def test_the_smallest_stride_is_the_first_whose_ceiling_fits(before: int, after: int, stride: int) -> None:
    fits = [s for s in range(1, before + 1) if (before + s - 1) // s == after]
    assert fits[:1] == ([stride] if stride else [])
    found = smallest_stride(Shape((2, before)), Shape((5, after)))
    assert found == ((stride,) if stride else None)


@pytest.mark.parametrize(
    ("shortcut", "body", "expected"),
    [
        ("identity", "{conv: 3}", []),
        ("auto", "{conv: 3}", []),
        ("auto", "{conv: 4}", ["conv1", "batch_norm1"]),
        ("auto", "{conv: {channels: 3, stride: 2}}", ["conv1", "batch_norm1"]),
        ("projection", "{conv: 3}", ["conv1", "batch_norm1"]),
        ("pad", "{conv: {channels: 7, stride: 2}}", ["pad1"]),
        ("pad", "{conv: 3}", ["pad1"]),
        ("[{conv: {channels: 4, kernel: 1}}, tanh]", "{conv: 4}", ["conv1", "tanh1"]),
        ("[]", "{conv: 3}", []),
    ],
)
def test_the_shortcuts_of_a_residual(shortcut: str, body: str, expected: list[str]) -> None:
    built = graph(f"[{{residual: {{body: [{body}], shortcut: {shortcut}}}}}]")
    found = [path.removeprefix("residual1.shortcut.") for path in paths(built) if ".shortcut." in path]
    assert found == expected
    network = compiled(built)
    x = torch.randn(2, 3, 8, 8)
    assert network(x).shape[1:] == built.output.shape.dims


def test_the_default_shortcut_is_auto() -> None:
    assert len(paths(graph("[{residual: {body: [{conv: 4}]}}]"))) == 3
    assert len(paths(graph("[{residual: {body: [{conv: 3}]}}]"))) == 1


def test_without_a_shortcut_the_body_stands_alone() -> None:
    built = graph("[{residual: {body: [{conv: {channels: 9, stride: 3}}], shortcut: none}}]")
    assert built.output.shape.dims == (9, 3, 3)
    assert isinstance(built.network.steps[0], Residual)
    network, x = compiled(built), torch.randn(2, 3, 8, 8)
    assert torch.equal(network(x), network.residual1.body(x))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_residual_adds_body_and_shortcut(stride: int) -> None:
    body = f"{{conv: {{channels: 4, stride: {stride}}}}}"
    x = torch.randn(2, 3, 7, 7)
    projected = compiled(graph(f"[{{residual: {{body: [{body}]}}}}]", input="[3, 7, 7]")).eval().residual1
    conv = projected.shortcut.conv1
    assert conv.bias is None
    assert conv.kernel_size == (1, 1)
    expected = nn.functional.conv2d(x, conv.weight, stride=stride) if stride == 1 else None
    if stride > 1:
        expected = nn.functional.conv2d(x[:, :, ::stride, ::stride], conv.weight)
    assert expected is not None
    expected = projected.body.conv1(x) + expected / (1 + 1e-5) ** 0.5
    assert torch.allclose(projected(x), expected, atol=1e-6)

    padded = compiled(graph(f"[{{residual: {{body: [{body}], shortcut: pad}}}}]", input="[3, 7, 7]")).residual1
    zeros = torch.zeros(2, 1, *x[0, 0, ::stride, ::stride].shape)
    assert torch.equal(padded(x), padded.body.conv1(x) + torch.cat([x[:, :, ::stride, ::stride], zeros], 1))


def test_a_projection_of_a_vector_is_linear_and_normed() -> None:
    built = graph("[{residual: {body: [{linear: 7}]}}]", input="[5]")
    assert paths(built) == ["residual1.body.linear1", "residual1.shortcut.linear1", "residual1.shortcut.batch_norm1"]
    assert built.parameters == (5 + 1) * 7 + 5 * 7 + 2 * 7


@pytest.mark.parametrize(
    ("residual", "message"),
    [
        ("{body: [{conv: 4}], shortcut: identity}", "the two ways of a residual end in different shapes"),
        ("{body: [{conv: 4}], shortcut: [{conv: 5}]}", "the two ways of a residual end in different shapes"),
        ("{body: [{conv: 2}], shortcut: pad}", "no `pad` shortcut leads from (3, 8, 8) to (2, 8, 8)"),
        ("{body: [{conv: {channels: 3, kernel: 4}}]}", "no `auto` shortcut leads from (3, 8, 8) to (3, 5, 5)"),
        ("{body: [flatten]}", "no `auto` shortcut leads from (3, 8, 8) to (192,)"),
        ("{body: [{conv: 3}], shortcut: idetity}", '`shortcut` is "idetity", expected identity, projection, pad, auto'),
        ("{body: [{conv: 3}], shortcut: 5}", "`shortcut` is 5, expected identity, projection, pad, auto"),
        ("{body: [{conv: 3}], shortcut: true}", "`shortcut` is true, expected identity, projection, pad, auto"),
        ("{body: [{conv: 3}], shortcut: {conv: 3}}", "`shortcut` is a mapping, expected identity, projection, pad"),
        ("{shortcut: auto}", "`residual` needs `body`"),
        ("{body: relu}", 'expected a list of layers, found "relu"'),
        ("relu", 'expected a list of layers, found "relu"'),
        ("{body: [relu], shortcuts: pad}", "`residual` has no field `shortcuts`"),
    ],
)
def test_residuals_that_cannot_be(residual: str, message: str) -> None:
    assert problem_of(spec(f"- residual: {residual}")).message.startswith(message)


# branches and joins


@pytest.mark.parametrize(
    ("merge", "paths_", "shape"),
    [
        ("concat", "[[identity], [{conv: 5}], []]", (11, 8, 8)),
        ("add", "[[identity], [{conv: 3}]]", (3, 8, 8)),
        ("multiply", "[[identity], [{adaptive_avg_pool: 1}]]", (3, 8, 8)),
        ("add", "[[{conv: 1}], [{adaptive_avg_pool: 1}]]", (3, 8, 8)),
        ("concat", "[[identity]]", (3, 8, 8)),
    ],
)
def test_branches_are_joined_along_the_features(merge: str, paths_: str, shape: tuple[int, ...]) -> None:
    built = graph(f"[{{branches: {{merge: {merge}, paths: {paths_}}}}}]")
    assert built.output.shape.dims == shape
    network, x = compiled(built), torch.randn(2, 3, 8, 8)
    ends = [path(x) for path in network.branches1.children()]
    expected = torch.cat(ends, 1) if merge == "concat" else ends[0]
    for end in ends[1:] if merge != "concat" else ():
        expected = expected + end if merge == "add" else expected * end
    assert torch.equal(network(x), expected)
    assert network(x).shape[1:] == shape


@pytest.mark.parametrize(
    ("branches", "message"),
    [
        ("{merge: concat, paths: [[identity], [{max_pool: 2}]]}", "these values cannot be joined by `concat`"),
        ("{merge: add, paths: [[identity], [{conv: 4}]]}", "these values cannot be joined by `add`"),
        ("{merge: add, paths: [[identity], [flatten]]}", "these values cannot be joined by `add`"),
        ("{merge: sum, paths: [[identity]]}", '`merge` is "sum", expected concat, add or multiply'),
        ("{merge: concat, paths: [identity, relu]}", 'a path is a list of layers, found "identity"'),
        ("{merge: concat, paths: []}", "`paths` is a list of lists of layers, found an empty one"),
        ("{merge: concat, paths: relu}", '`paths` is a list of lists of layers, found "relu"'),
        ("{paths: [[identity]]}", "`branches` needs `merge`"),
        ("{merge: concat}", "`branches` needs `paths`"),
    ],
)
def test_branches_that_cannot_be(branches: str, message: str) -> None:
    assert problems_of(spec(f"- branches: {branches}"))[0].message.startswith(message)


def test_a_join_that_fails_says_what_arrives_from_where() -> None:
    problem = problem_of(
        spec(
            """
            - branches:
                merge: concat
                paths:
                  - - conv: 4
                  - - max_pool: 2
            """
        )
    )
    assert problem.details == (
        "(4, 8, 8) from `branches1.paths1.conv1` (line 8)",
        "(3, 4, 4) from `branches1.paths2.max_pool1` (line 9)",
    )


def test_a_highway_mixes_by_its_gate() -> None:
    built = graph("[{highway: {body: [{linear: $in}, relu], gate: [{linear: $in}, sigmoid]}}]", input="[6]")
    highway, x = compiled(built).highway1, torch.randn(4, 6)
    h, t = highway.body(x), highway.gate(x)
    assert torch.allclose(highway(x), h * t + x * (1 - t), atol=1e-6)


@pytest.mark.parametrize(
    "lists", ["body: [{linear: 5}], gate: [{linear: 6}]", "body: [{linear: 6}], gate: [{linear: 1}]"]
)
def test_a_highway_keeps_the_shape(lists: str) -> None:
    problem = problem_of(spec(f"- highway: {{{lists}}}", input="[6]"))
    assert problem.message == "a highway's body and gate keep the shape"


# tags and heads


def test_a_tag_is_gone_on_from_and_joined() -> None:
    layers = "[{linear: 4}, {tag: a}, {linear: 6}, {from: {tag: a, merge: concat}}, {tag: b}, {linear: 2}, {from: b}]"
    built = graph(layers, input="[5]")
    network, x = compiled(built), torch.randn(3, 5)
    first = network.linear1(x)
    assert torch.equal(network(x), torch.cat([network.linear2(first), first], 1))
    assert built.output.shape.dims == (10,)


@pytest.mark.parametrize("merge", ["add", "multiply"])
def test_a_join_stretches_axes_of_size_one(merge: str) -> None:
    built = graph(f"[{{tag: a}}, {{adaptive_avg_pool: 1}}, {{from: {{tag: a, merge: {merge}}}}}]")
    network, x = compiled(built), torch.randn(2, 3, 8, 8)
    mean = x.mean((2, 3), keepdim=True)
    assert torch.allclose(network(x), mean + x if merge == "add" else mean * x)


def test_the_input_is_a_tag() -> None:
    built = graph("[{linear: 4}, {from: {tag: data.input, merge: concat}}]", input="[5]")
    network, x = compiled(built), torch.randn(3, 5)
    assert torch.equal(network(x), torch.cat([network.linear1(x), x], 1))


def test_a_tag_is_seen_inside_later_lists_and_not_outside_its_own() -> None:
    inside = "[{tag: a}, {residual: {body: [{branches: {merge: add, paths: [[{from: a}], []]}}]}}]"
    assert graph(inside, input="[5]").output.shape.dims == (5,)
    for layers in (
        "[{residual: {body: [{tag: a}]}}, {from: a}]",
        "[{from: a}, {tag: a}]",
        "[{repeat: {times: 2, index: i, layers: [{repeat: {times: $i, layers: [{from: a}]}}, {tag: a}]}}]",
        "[{branches: {merge: add, paths: [[{tag: a}], [{from: a}]]}}]",
        "[{one: 3}, {from: a}]",
    ):
        model = "blocks: {one: {params: {x: null}, layers: [{tag: a}]}}"
        problem = problem_of(spec(layers, input="[5]", model=model))
        assert (problem.code, problem.message) == ("unknown-tag", "there is no tag `a` here")


def test_a_tag_inside_may_take_the_name_of_one_outside() -> None:
    layers = "[{tag: a}, {residual: {body: [{linear: 5}, {tag: a}, relu, {from: a}]}}, {from: {tag: a, merge: add}}]"
    network, x = compiled(graph(layers, input="[5]")), torch.randn(3, 5)
    assert torch.allclose(network(x), network.residual1.body.linear1(x) + x + x)


def test_a_tag_is_set_once_in_a_list() -> None:
    problem = problem_of(spec("[{tag: a}, relu, {tag: a}]", input="[5]"))
    assert problem.message == "the tag `a` is set twice in one list"


def test_a_tag_that_is_nearly_known_is_suggested() -> None:
    problem = problem_of(spec("[{tag: stem}, relu, {from: stm}]", input="[5]"))
    assert problem.hint == "did you mean `stem`?"


HEADS = """
- linear: 4
- tag: early
- linear: 6
- head: {name: late, layers: [{linear: 2}]}
- head: {name: aux, from: early, eval: true, layers: [{linear: 3}]}
- relu
"""


def test_a_head_starts_at_its_tag_or_here_and_changes_nothing() -> None:
    built = graph(HEADS, input="[5]")
    assert paths(built) == ["linear1", "linear2", "late.linear1", "aux.linear1", "relu1"]
    assert {name: head.output.shape.dims for name, head in built.heads.items()} == {"late": (2,), "aux": (3,)}
    network, x = compiled(built), torch.randn(3, 5)
    first = network.linear1(x)
    second = network.linear2(first)
    found = network.outputs(x)
    assert set(found) == {"early", "late", "aux", "output"}
    assert torch.equal(found["early"], first)
    assert torch.equal(found["late"], network.late.linear1(second))
    assert torch.equal(found["aux"], network.aux.linear1(first))
    assert torch.equal(found["output"], second.relu())
    assert torch.equal(network(x), second.relu())


def test_a_head_runs_in_evaluation_only_where_it_says_so() -> None:
    network = compiled(graph(HEADS, input="[5]")).eval()
    assert set(network.outputs(torch.randn(3, 5))) == {"early", "aux", "output"}


def test_a_head_may_follow_the_last_layer() -> None:
    built = graph("[{linear: 4}, {head: {name: aux, layers: [{linear: 2}]}}]", input="[5]")
    assert isinstance(built.network.steps[-1], Head)
    assert built.output.shape.dims == (4,)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("[{head: {layers: [relu]}}]", "`head` needs `name`"),
        ("[{head: {name: a, layers: [relu], from: b}}]", "there is no tag `b` here"),
        ("[{head: {name: output, layers: [relu]}}]", "a head cannot be called `output`"),
        ("[{head: {name: a}}]", "`head` needs `layers`"),
        ("[{head: {name: 5, layers: [relu]}}]", "`name` is 5, expected a name"),
        ("[{repeat: {times: 2, layers: [{head: {name: a, layers: [relu]}}]}}]", "two heads are called `a`"),
        ("[{tag: a}, {head: {name: a, layers: [relu]}}]", "a tag and a head are both called `a`"),
        ("[{head: {name: a, layers: [relu]}}, {tag: a}]", "a tag and a head are both called `a`"),
        ("[{tag: output}]", "a tag cannot be called `output`"),
        ("[{tag: 5}]", "`label` is 5, expected a name"),
        ("[{tag: a.b}]", '`label` is "a.b", expected a name'),
        ("[{from: {tag: data.input, merge: max}}]", '`merge` is "max", expected concat, add or multiply'),
        ("[from]", "`from` needs `tag`"),
    ],
)
def test_tags_and_heads_that_cannot_be(layers: str, message: str) -> None:
    assert problem_of(spec(layers, input="[5]")).message.startswith(message)


def test_several_fields_begin_with_from_or_branches() -> None:
    built = graph(
        "[{branches: {merge: concat, paths: [[{from: data.left}], [{from: data.right}, {conv: 2}, flatten]]}}]",
        input="{left: [4], right: [1, 3, 3]}",
    )
    assert built.output.shape.dims == (22,)
    network = compiled(built)
    left, right = torch.randn(2, 4), torch.randn(2, 1, 3, 3)
    found = network({"left": left, "right": right})
    assert torch.equal(found, torch.cat([left, network.branches1.paths2.conv1(right).flatten(1)], 1))
    assert problem_of(spec("[relu]", input="{left: [4], right: [3]}")).message == "no value arrives at `relu`"
