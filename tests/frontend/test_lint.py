"""Lint: each code has a spec that triggers it and a near miss that does not; `lint.allow` silences it."""

from __future__ import annotations

import pytest

from nnctl.errors import SpecError
from nnctl.graph.build import build_text
from nnctl.graph.lint import CODES

HEAD = "name: test\n"
DIGITS = "data: {dataset: digits}\n"
DEEP = "linear: 9}, sigmoid, {"


def recipe(**fields: str) -> str:
    lines = {"epochs": "2", "loss": "cross_entropy", "optimizer": "{sgd: 0.1}", **fields}
    return "train:\n" + "".join(f"  {key}: {value}\n" for key, value in lines.items())


def net(layers: str, rest: str = "", model: str = "") -> str:
    return f"{HEAD}{DIGITS}model:\n  {model}layers: [{layers}]\n{rest}"


def chain(count: int, activation: str) -> str:
    return ", ".join(["flatten", *[f"{{linear: 9}}, {activation}"] * count, "{linear: $classes}"])


PLAIN = "flatten, {linear: $classes}"
NORMED = "flatten, {linear: {features: 9, bias: false}}, batch_norm, relu, {linear: $classes}"

CASES = [
    ("full-batch", net(PLAIN, recipe(optimizer="lbfgs")), net(PLAIN, recipe(optimizer="lbfgs", batch_size="all"))),
    (
        "noisy-objective",
        net(f"{{dropout: 0.1}}, {PLAIN}", recipe(optimizer="newton", batch_size="all")),
        net(f"{{dropout: 0.1}}, {PLAIN}", recipe()),
    ),
    ("softmax-before-loss", net(f"{PLAIN}, softmax", recipe()), net(f"{PLAIN}, softmax", recipe(loss="mse"))),
    ("softmax-before-loss", net(f"{PLAIN}, log_softmax", recipe()), net(f"softmax, {PLAIN}", recipe())),
    (
        "softmax-before-loss",
        net(
            f"{{head: {{name: aux, layers: [{PLAIN}, softmax]}}}}, {PLAIN}",
            recipe(loss="[cross_entropy, {cross_entropy: {at: aux}}]"),
        ),
        net(f"{{head: {{name: aux, layers: [{PLAIN}, softmax]}}}}, {PLAIN}", recipe()),
    ),
    ("bias-before-norm", net("{conv: 4}, batch_norm, relu"), net("{conv: {channels: 4, bias: false}}, batch_norm")),
    ("bias-before-norm", net("{conv: 4}, batch_norm"), net("{conv: 4}, relu, batch_norm")),
    ("bias-before-norm", net("{residual: {body: [{conv: 4}, batch_norm]}}"), net("basic_block: 4")),
    (
        "bias-before-norm",
        net("{repeat: {times: 1, layers: [{conv: 4}]}}, batch_norm"),
        net("{conv: 4}, {residual: {body: [relu]}}, batch_norm"),
    ),
    ("linear-after-linear", net("flatten, {linear: 5}, {linear: 5}"), net("flatten, {linear: 5}, relu, {linear: 5}")),
    ("linear-after-linear", net("flatten, {linear: 5}, {dropout: 0.5}, {linear: 5}"), net("{conv: 4}, {conv: 4}")),
    ("linear-after-linear", net("{conv: 4}, flatten, {linear: 5}"), net("{conv: 4}, relu, flatten, {linear: 5}")),
    ("squashing-in-depth", net(chain(5, "sigmoid")), net(chain(4, "sigmoid"))),
    ("squashing-in-depth", net(chain(6, "tanh")), net(chain(6, "relu"))),
    ("squashing-in-depth", net(chain(6, "tanh")), net(chain(6, "tanh").replace("flatten", "flatten, batch_norm"))),
    (
        "squashing-in-depth",
        net(chain(5, "sigmoid")),
        net("flatten, {repeat: {times: 6, layers: [{highway: {body: [{linear: $in}, relu], "
            "gate: [{linear: $in}, sigmoid]}}]}}, {linear: $classes}"),
    ),
    (
        "dropout-before-norm",
        net("{dropout: 0.5}, {conv: {channels: 4, bias: false}}, batch_norm, relu"),
        net("{conv: {channels: 4, bias: false}}, batch_norm, relu, {dropout: 0.5}"),
    ),
    ("dropout-before-norm", net("{spatial_dropout: 0.5}, batch_norm"), net("batch_norm, {spatial_dropout: 0.5}")),
    ("tiny-image", net("{max_pool: 8}, {conv: 4}"), net("{max_pool: 8}, {conv: {channels: 4, kernel: 1}}")),
    ("tiny-image", net("{max_pool: 8}, {conv: 4}"), net("{max_pool: 8}, {conv: {channels: 4, kernel: [1, 1]}}")),
    ("tiny-image", net("{max_pool: 8}, {conv: 4}"), net("{max_pool: 4}, {conv: 4}")),
    # what is dropped is told once, and not where a join, a later `from`, a loss or a head takes it
    ("dropped-output", net(f"{{tag: a}}, {{conv: 4}}, relu, {{from: a}}, {PLAIN}"),
     net(f"{{tag: a}}, {{conv: 4}}, relu, {{from: {{tag: a, merge: concat}}}}, {PLAIN}")),
    ("dropped-output", net(f"{{tag: a}}, {{residual: {{body: [{{conv: $in}}]}}}}, {{from: a}}, {PLAIN}"),
     net(f"{{tag: a}}, {{conv: 4}}, {{tag: b}}, {{from: a}}, {{from: {{tag: b, merge: concat}}}}, {PLAIN}")),
    ("dropped-output", net(f"{{conv: 4}}, {{branches: {{paths: [[{{from: data.input}}]], merge: concat}}}}, {PLAIN}"),
     net(f"{{conv: 4}}, {{branches: {{paths: [[{{from: data.input}}], [identity]], merge: concat}}}}, {PLAIN}")),
    ("dropped-output", net(f"{{tag: a}}, {PLAIN}, {{tag: b}}, {{from: a}}, {PLAIN}", recipe()),
     net(f"{{tag: a}}, {PLAIN}, {{tag: b}}, {{from: a}}, {PLAIN}", recipe(loss="[cross_entropy, {mse: {at: b}}]"))),
    ("dropped-output", net(f"{{tag: a}}, {PLAIN}, {{from: a}}, {PLAIN}"),
     net(f"{{tag: a}}, {PLAIN}, {{tag: b}}, {{from: a}}, {PLAIN}")),
    ("dropped-output", net(f"{{tag: a}}, {{conv: 4}}, {{from: a}}, {PLAIN}"),
     net(f"{{tag: a}}, {{conv: 4}}, {{head: {{name: aux, layers: [{PLAIN}]}}}}, {{from: a}}, {PLAIN}")),
    ("dropped-output", net(f"{{tag: a}}, {{repeat: {{times: 2, layers: [{{conv: 4}}]}}}}, {{from: a}}, {PLAIN}"),
     net(f"{{conv: 1}}, {{highway: {{body: [{{from: data.input}}], gate: [{{from: data.input}}]}}}}, {PLAIN}")),
    ("classes", net("flatten, {linear: 7}", recipe()), net(PLAIN, recipe())),
    ("classes", net("flatten, {linear: 11}", recipe()), net("flatten, {linear: 10}", recipe())),
    ("classes", net("flatten, {linear: 7}", recipe(loss="mse")), net("flatten, {linear: 10}", recipe(loss="mse"))),
    ("no-parameters", net("flatten, softmax", recipe(loss="output")), net(PLAIN, recipe(loss="output"))),
    ("no-samples", net(PLAIN, recipe()).replace("digits}", "digits, validation: 1.0}"),
     net(PLAIN, recipe()).replace("digits}", "digits, validation: 0.9}")),
    ("outputs", net("{linear: 2}", recipe(loss="mse")).replace("digits", "diabetes"),
     net("{linear: 1}", recipe(loss="mse")).replace("digits", "diabetes")),
    ("input", net(PLAIN, recipe(), model="input: [1, 9, 9]\n  "), net(PLAIN, recipe(), model="input: [1, 8, 8]\n  ")),
    ("long-schedule", net(PLAIN, recipe(schedule="{step: 2}")), net(PLAIN, recipe(schedule="{step: 1}"))),
    ("long-schedule", net(PLAIN, recipe(schedule="{step: {milestones: [3]}}")), net(PLAIN, recipe(schedule="cosine"))),
    ("tiny-batches", net(NORMED, recipe(batch_size="7")), net(NORMED, recipe(batch_size="8"))),
    ("tiny-batches", net(NORMED, recipe(batch_size="64", accumulate="16")), net(PLAIN, recipe(batch_size="7"))),
    ("tiny-batches", net(NORMED, recipe(batch_size="7")), net(NORMED, recipe(batch_size="all"))),
    ("large-batch", net(PLAIN, recipe(batch_size="5000")), net(PLAIN, recipe(batch_size="all"))),
    ("large-batch", net(PLAIN, recipe(batch_size="1296")), net(PLAIN, recipe(batch_size="1295"))),
    ("long-schedule", net(PLAIN, recipe(schedule="{plateau: {patience: 1}}")),
     net(PLAIN, recipe(epochs="3", schedule="{plateau: {patience: 1}}"))),
    ("rbm-range", net("flatten, {rbm: 4}, {linear: $classes}"), net("flatten, sigmoid, {rbm: 4}, {linear: $classes}")),
    ("accumulate", net(PLAIN, recipe(batch_size="8", accumulate="9")),
     net(PLAIN, recipe(batch_size="8", accumulate="8"))),
    ("accumulate", net(PLAIN, recipe(accumulate="2", loss="[cross_entropy, triplet]")),
     net(PLAIN, recipe(loss="[cross_entropy, triplet]"))),
    ("nothing-to-compare", net(PLAIN, recipe(batch_size="1", loss="[cross_entropy, triplet]")),
     net(PLAIN, recipe(batch_size="2", loss="[cross_entropy, triplet]"))),
    ("unused-param", net(PLAIN, model="params: {width: 4}\n  "),
     net("flatten, {linear: $width}", model="params: {width: 4}\n  ")),
    ("unused-param", net(PLAIN, model="params: {width: 4}\n  "),
     net("flatten, {linear: $half}", model="params: {width: 4, half: $(width // 2)}\n  ")),
]  # fmt: skip


def codes(text: str) -> list[str]:
    return [warning.code for warning in build_text(text).warnings]


@pytest.mark.parametrize(("code", "wrong", "right"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_a_code_is_triggered_and_its_near_miss_is_not(code: str, wrong: str, right: str) -> None:
    assert codes(wrong).count(code) == 1
    assert code not in codes(right)


@pytest.mark.parametrize(("code", "wrong", "_right"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_lint_allow_silences_it(code: str, wrong: str, _right: str) -> None:
    before = codes(wrong)
    assert codes(f"{wrong}lint: {{allow: [{code}]}}\n") == [other for other in before if other != code]


def test_a_warning_names_layer_line_and_cure() -> None:
    (warning,) = build_text(f"{HEAD}{DIGITS}model:\n  layers:\n    - conv: 4\n    - batch_norm\n").warnings
    assert (warning.where, str(warning.position)) == ("conv1", "spec.yaml:5:7")
    assert warning.hint == "write `bias: false`"


def test_every_code_has_a_case_and_no_other_is_known() -> None:
    assert {case[0] for case in CASES} == set(CODES)


def test_outputs_to_spare_do_not_keep_a_spec_from_being_trained() -> None:
    assert build_text(net("flatten, {linear: 11}", recipe())).refusals == ()
    assert [p.code for p in build_text(net("flatten, {linear: 9}", recipe())).refusals] == ["classes"]
    two = net("{linear: 1}", recipe(loss="bce")).replace("digits", "breast_cancer")
    assert build_text(two).refusals == ()


def test_an_unknown_code_in_lint_allow_is_an_error() -> None:
    with pytest.raises(SpecError) as caught:
        build_text(f"{net(PLAIN)}lint: {{allow: [tiny-image, tiny-batch]}}\n")
    (problem,) = caught.value.problems
    assert (problem.code, problem.hint) == ("unknown-code", "did you mean `tiny-batches`?")
    assert problem.position.column == 28


def test_good_specs_have_no_warnings() -> None:
    layers = "basic_block: 4, {max_pool: 2}, flatten, {linear: 9}, relu, {dropout: 0.5}, {linear: $classes}"
    text = net("{" + layers.replace("basic_block: 4", "basic_block: 4}", 1), recipe(schedule="cosine"))
    assert codes(text) == []


def test_an_entry_met_many_times_is_one_warning() -> None:
    turn = "[{conv: {channels: 4, kernel: 1}}, batch_norm, relu]"
    text = f"{HEAD}model:\n  input: [4, 8, 8]\n  layers:\n    - repeat: {{times: 30, layers: {turn}}}\n"
    (warning,) = build_text(text).warnings
    assert (warning.code, warning.position.line) == ("bias-before-norm", 5)
    assert warning.details == ("and 29 more like it",)


def test_two_entries_are_two_warnings() -> None:
    text = net("{conv: 4}, batch_norm, {conv: 4}, batch_norm, flatten, {linear: $classes}")
    assert [(w.code, w.details) for w in build_text(text).warnings] == [("bias-before-norm", ())] * 2


def test_a_dropped_output_names_its_layers_and_the_line_that_drops_it() -> None:
    lines = ["{tag: stem}", "{conv: 4}", "relu", "{from: stem}", "flatten", "{linear: 10}"]
    text = f"{HEAD}{DIGITS}model:\n  layers:\n" + "".join(f"    - {line}\n" for line in lines)
    (warning,) = build_text(text).warnings
    assert (warning.where, str(warning.position)) == ("conv1", "spec.yaml:6:8")
    assert warning.message == "nothing uses what `conv1`, `relu1` compute: the `from` in line 8 takes another value"
