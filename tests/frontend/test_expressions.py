"""`$name`, `$(…)`: their arithmetic, and which names are known where."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.document.expression import ExpressionError, compute
from nnctl.document.node import UNKNOWN, Unknown
from tests.frontend.helpers import graph, outputs, problem_of, problems_of, spec

NAMES = {"a": 7, "b": 2, "x_1": 0.5, "e": 3}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("7 / 2", 3.5),
        ("8 / 2", 4.0),
        ("2 - 3 - 4", -5),
        ("100 // 7 // 2", 7),
        ("-(1 + 2)", -3),
        ("--3", 3),
        ("2 * -3", -6),
        ("1.5e1 + .5", 15.5),
        ("a*b - a // b", 11),
        ("((((a))))", 7),
        ("x_1 * 4", 2.0),
        ("1e3 * e", 3000.0),
        (" a  +b ", 9),
        ("5. * 2", 10.0),
        ("0 * -1", 0),
    ],
)
def test_arithmetic_is_that_of_python(text: str, value: float) -> None:
    found = compute(f"$({text})", NAMES.__getitem__)
    assert found == value
    assert type(found) is type(value)


def expressions() -> st.SearchStrategy[tuple[str, Callable[[], float]]]:
    """Return expressions as text, each with a function that computes its value without a parser."""
    leaf = st.integers(0, 99).map(lambda number: (str(number), lambda: number))

    def binary(parts: Any) -> tuple[str, Callable[[], float]]:
        (left, first), symbol, (right, second) = parts
        functions = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv}
        return f"({left} {symbol} {right})", lambda: functions[symbol](first(), second())

    return st.recursive(
        leaf, lambda inner: st.tuples(inner, st.sampled_from(["+", "-", "*", "//"]), inner).map(binary), max_leaves=12
    )


@settings(max_examples=200, deadline=None)
@given(expressions())
def test_any_expression_has_the_value_of_its_tree(expression: tuple[str, Callable[[], float]]) -> None:
    text, value = expression
    try:
        expected = value()
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="divides by zero"):
            compute(f"$({text})", NAMES.__getitem__)
        return
    if abs(expected) < 2**63:
        assert compute(f"$({text})", NAMES.__getitem__) == expected


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ("$(a b)", "`b` is not expected here in `$(a b)`", 4),
        ("$()", "`$()` breaks off", 2),
        ("$(a +)", "`$(a +)` breaks off", 5),
        ("$((a)", "a `)` is missing in `$((a)`", 2),
        ("$(a))", "`)` is not expected here in `$(a))`", 3),
        ("$(a ** 2)", "`*` is not expected here in `$(a ** 2)`", 5),
        ("$(a % 2)", "`%` has no meaning in `$(a % 2)`", 4),
        ("$(a.b)", "`.` has no meaning in `$(a.b)`", 3),
        ("$('a')", "`'` has no meaning in `$('a')`", 2),
        ("$(a ^ b)", "`^` has no meaning in `$(a ^ b)`", 4),
        ("$(a / 0)", "`$(a / 0)` divides by zero", 4),
        ("$(a // (b - 2))", "`$(a // (b - 2))` divides by zero", 4),
        ("$(1e300 * 1e300)", "`$(1e300 * 1e300)` is too large a number", 8),
        ("$(1e999)", "`$(1e999)` is too large a number", 0),
        ("$(9999999999 * 9999999999)", "`$(9999999999 * 9999999999)` is too large a number", 13),
        ("$(٣)", "`٣` has no meaning in `$(٣)`", 2),
        ("$(é)", "`é` has no meaning in `$(é)`", 2),
        ("$(max(1, 2))", "`,` has no meaning in `$(max(1, 2))`", 7),
        ("$(int(1))", "`(` is not expected here in `$(int(1))`", 5),
    ],
)
def test_mistakes_name_the_token_and_its_place(text: str, message: str, offset: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        compute(text, {**NAMES, "int": 1}.__getitem__)
    assert str(caught.value) == message
    assert caught.value.offset == offset


@pytest.mark.parametrize("text", ["$(" + "(" * 1000 + "1" + ")" * 1000 + ")", "$(" + "-" * 3000 + "1)"])
def test_deep_nesting_is_refused_not_overflown(text: str) -> None:
    with pytest.raises(ExpressionError, match="nested too deeply"):
        compute(text, NAMES.__getitem__)


def test_a_long_sum_is_not_deep() -> None:
    assert compute("$(" + "1 + " * 900 + "1)", NAMES.__getitem__) == 901


def test_an_unknown_name_makes_the_value_unknown() -> None:
    assert isinstance(compute("$(2 * q + 1)", lambda _: UNKNOWN), Unknown)
    assert isinstance(compute("$(1 // q)", lambda _: UNKNOWN), Unknown)


# names in specs


def widths(layers: str, **parts: str) -> list[int]:
    return [shape[-1] for shape in outputs(graph(layers, input="[6]", **parts))]


def test_a_parameter_is_any_kind_of_value() -> None:
    built = graph(
        """
        - conv: {channels: $width, kernel: $window, bias: $no}
        - $activation
        - $other
        - $tail
        """,
        model="params: {width: 4, window: [3, 1], no: false, activation: relu, other: {leaky_relu: 0.1}, "
        "tail: [flatten, {linear: 2}]}",
    )
    assert [leaf.layer.kind for leaf in built.leaves] == ["conv", "relu", "leaky_relu", "flatten", "linear"]
    assert built.leaves[0].layer.model_dump()["kernel"] == (3, 1)
    assert built.leaves[2].layer.model_dump()["slope"] == 0.1


def test_in_is_what_arrives_where_it_is_written() -> None:
    assert widths("[{linear: $(2 * in)}, {linear: $(in + 1)}, {linear: $in}]") == [12, 13, 13]


def test_in_of_an_image_is_its_channels() -> None:
    assert [shape[0] for shape in outputs(graph("[{conv: $(in * 2)}, {conv: $(in * 2)}]"))] == [6, 12]


def test_a_given_argument_sees_the_callers_in_and_a_default_the_blocks_entry() -> None:
    model = """
    blocks:
      narrow:
        params: {width: null, entering: $in}
        layers: [{linear: $width}, {linear: $entering}, {linear: $in}]
    """
    assert widths("[{linear: 8}, {narrow: $(in // 4)}]", model=model) == [8, 2, 8, 8]
    assert widths("[{linear: 8}, {narrow: {width: 3, entering: $(in - 1)}}]", model=model) == [8, 3, 7, 7]


def test_a_default_sees_the_parameters_before_it() -> None:
    model = "blocks: {two: {params: {width: null, wide: $(4 * width)}, layers: [{linear: $wide}, {linear: $width}]}}"
    assert widths("[two: 3]", model=model) == [12, 3]


def test_model_parameters_may_build_on_each_other_and_on_the_data() -> None:
    model = "params: {width: $(2 * features), wide: $(width + 1)}"
    assert widths("[{linear: $width}, {linear: $wide}]", model=model) == [12, 13]


def test_model_parameters_shadow_the_datas_and_a_blocks_shadow_the_models() -> None:
    model = """
    params: {classes: 7, width: 5}
    blocks:
      one: {params: {width: null}, layers: [{linear: $width}]}
    """
    layers = "[{linear: $width}, {one: 9}, {linear: $width}, {linear: $classes}]"
    assert widths(layers, model=model) == [5, 9, 5, 7]


def test_a_parameter_may_be_the_built_in_of_its_own_name() -> None:
    assert widths("[{linear: $features}]", model="params: {features: $(features * 2)}") == [12]


def test_classes_come_from_the_data_set() -> None:
    text = "name: x\ndata: {dataset: digits}\nmodel: {layers: [flatten, {linear: $classes}]}"
    from nnctl.graph.build import build_text

    assert build_text(text).output.shape.dims == (10,)


def test_without_data_classes_are_not_known() -> None:
    problem = problem_of(spec("[{linear: $classes}]", input="[4]"))
    assert (problem.code, problem.message) == ("unknown-name", "`$classes` is not known here")


def test_the_index_of_a_repeat_counts_from_zero() -> None:
    assert widths("[{repeat: {times: 3, index: i, layers: [{linear: $(i + 1)}]}}]") == [1, 2, 3]


def test_indices_nest_and_the_inner_one_shadows() -> None:
    layers = """
    - repeat:
        times: 2
        index: i
        layers:
          - repeat: {times: 2, index: j, layers: [{linear: $(10 * i + j + 1)}]}
          - repeat: {times: 2, index: i, layers: [{linear: $(i + 1)}]}
          - linear: $(i + 5)
    """
    assert widths(layers) == [1, 2, 1, 2, 5, 11, 12, 1, 2, 6]


def test_an_index_is_not_known_behind_its_repeat() -> None:
    problem = problem_of(spec("[{repeat: {times: 1, index: i, layers: [relu]}}, {linear: $i}]", input="[4]"))
    assert problem.message == "`$i` is not known here"


def test_a_block_does_not_see_the_callers_index() -> None:
    model = "blocks: {one: {layers: [{linear: $(i + 1)}]}}"
    found = problems_of(spec("[{repeat: {times: 2, index: i, layers: [one]}}]", input="[4]", model=model))
    assert {problem.message for problem in found} == {"`$i` is not known here"}


def test_a_list_given_to_a_block_keeps_the_callers_names() -> None:
    model = """
    params: {width: 5}
    blocks:
      around:
        params: {inside: null, width: 9}
        layers: [{linear: $width}, $inside, {linear: $width}]
      outer:
        params: {width: 7}
        layers:
          - around: {inside: [{linear: $width}, {linear: $(in + 1)}]}
    """
    assert widths("[{around: {inside: [{linear: $width}]}}]", model=model) == [9, 5, 9]
    assert widths("[outer]", model=model) == [9, 7, 8, 9]


def test_a_list_that_passes_through_two_blocks_keeps_the_first_callers_names() -> None:
    model = """
    blocks:
      inner: {params: {body: null, width: 2}, layers: [{residual: {body: $body, shortcut: none}}]}
      outer: {params: {body: null, width: 3}, layers: [{inner: {body: $body}}]}
    """
    layers = "[{repeat: {times: 2, index: i, layers: [{outer: {body: [{linear: $(i + 10)}]}}]}}]"
    assert widths(layers, model=model) == [10, 11]


def test_a_list_given_as_paths_keeps_the_callers_names() -> None:
    model = """
    params: {width: 5}
    blocks:
      fork: {params: {paths: null, width: 1}, layers: [{branches: {merge: concat, paths: $paths}}]}
    """
    assert graph(
        "[{fork: {paths: [[{linear: $width}], [{linear: 2}]]}}]", input="[6]", model=model
    ).output.shape.dims == (7,)


def test_numbers_inside_a_list_that_is_given_keep_the_callers_names() -> None:
    model = """
    params: {k: 3}
    blocks:
      one: {params: {window: null, k: 7}, layers: [{conv: {channels: 2, kernel: $window}}]}
    """
    built = graph("[{one: {window: [$k, 1]}}]", model=model)
    assert built.leaves[0].layer.model_dump()["kernel"] == (3, 1)


def test_a_shipped_block_does_not_see_the_users_names() -> None:
    built = graph("[{basic_block: 4}]", model="params: {stride: 5}")
    assert built.output.shape.dims == (4, 8, 8)


@pytest.mark.parametrize(
    ("entry", "message", "column"),
    [
        ("linear: $widht", "`$widht` is not known here", 15),
        ("linear: $(2 * widht)", "`$widht` is not known here", 15),
        ("linear: $2", "`$2` is neither `$name` nor `$(…)`", 15),
        ("linear: $(width", "`$(width` is neither `$name` nor `$(…)`", 15),
        ("linear: $(kind + 1)", '`kind` in `$(kind + 1)` is "relu", not a number', 15),
        ("linear: $(flag + 1)", "`flag` in `$(flag + 1)` is true, not a number", 15),
        ("linear: $(list * 2)", "`list` in `$(list * 2)` is a list, not a number", 15),
        ("linear: $(width - )", "`$(width - )` breaks off", 25),
        ("linear: $(width / 2)", "`features` is 2.5, expected a whole number of at least 1", 15),
        ("linear: $(width - 5)", "`features` is 0, expected a whole number of at least 1", 15),
    ],
)
def test_mistakes_point_at_the_expression(entry: str, message: str, column: int) -> None:
    problem = problem_of(spec(f"- {entry}", input="[4]", model="params: {width: 5, kind: relu, flag: true, list: [1]}"))
    assert problem.message == message
    assert (problem.position.line, problem.position.column) == (6, column)


def test_a_name_that_is_nearly_known_is_suggested() -> None:
    problem = problem_of(spec("[{linear: $widht}]", input="[4]", model="params: {width: 5}"))
    assert problem.hint == "did you mean `width`?"


def test_half_of_a_whole_number_says_how_to_divide() -> None:
    problem = problem_of(spec("[{linear: $(8 / 2)}]", input="[4]"))
    assert problem.hint == "write 4; in `$(…)`, `//` divides whole numbers"


def test_a_mistake_in_a_parameter_is_told_once() -> None:
    problem = problem_of(spec("[{linear: $a}, {linear: $a}]", input="[4]", model="params: {a: $(b + 1)}"))
    assert problem.message == "`$b` is not known here"


def test_numbers_keep_their_kind() -> None:
    assert compute("$(4 // 2)", NAMES.__getitem__) == 2
    assert math.isclose(float(compute("$(1 / 3)", NAMES.__getitem__)), 1 / 3)  # type: ignore[arg-type]
