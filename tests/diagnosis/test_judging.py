"""The rules by themselves: statistics written down by hand, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from nnctl.diagnosis.judging import rules
from nnctl.diagnosis.judging.causes import expected_dead, expected_saturation
from nnctl.diagnosis.judging.judge import verdicts_of, with_fixes
from nnctl.diagnosis.judging.line import main_line, places
from nnctl.diagnosis.result import InspectResult, LayerSignals
from nnctl.diagnosis.theory.prediction import Prediction
from nnctl.diagnosis.verdict import Code, Verdict
from nnctl.errors import DivergedError, Problem
from nnctl.graph.build import Graph, build
from tests.diagnosis.helpers import spec_of


def graph_of(layers: list[Any], **parts: Any) -> Graph:
    model = {"input": [16], **parts.pop("model", {})}
    return build(spec_of(layers, model=model, **{"loss": "cross_entropy", **parts}))


Fields = Mapping[str, dict[str, Any]]


def result_of(graph: Graph, own: Fields | None = None, samples: int = 1024) -> InspectResult:
    """Return statistics that are nothing to speak of; `own` changes fields of layers, by path."""
    layers = []
    for row, leaf in zip(graph.rows, graph.leaves, strict=True):
        learns = row.params > 0
        number = 1.0 if learns else None
        fields: dict[str, Any] = {
            "path": row.path, "kind": row.kind, "line": row.line, "file": None, "units": leaf.output.shape.size,
            "input_rms": number, "forward_rms": 1.0, "delta_rms": leaf.output.shape.size**-0.5, "grad_norm": number,
            "weight_norm": number, "grad_weight_ratio": number, "update_ratio": 1e-3 if learns else None,
            "learning": "learns" if learns else None, "one_signed": None, "noise_scale": None, "dead": None,
            "zero": None, "saturated": None, "cosine": 0.2, "nonfinite": 0.0, "underflow": 0.0, "prediction": None,
        }  # fmt: skip
        layers.append(LayerSignals(**fields | (own or {}).get(row.path, {})))
    return InspectResult(tuple(layers), "random", 1.0, 0, 64, samples, None, 1.0, "initialiser")


def codes(rule: rules.Rule, graph: Graph, result: InspectResult) -> list[tuple[Code, str, str]]:
    return [(verdict.code, verdict.severity, verdict.path) for verdict in rule(graph, result)]


def predicted(**known: float) -> Prediction:
    names = (
        "input_rms",
        "input_cosine",
        "forward_rms",
        "forward_spread",
        "cosine",
        "delta_rms",
        "delta_spread",
        "factor",
    )
    return Prediction(*(known.get(name) for name in names))


FIVE = graph_of([{"linear": 64}, {"linear": 64}, {"linear": 64}, {"linear": 64}, {"linear": 4}])


def test_nothing_is_wrong_with_what_is_usual() -> None:
    assert verdicts_of(FIVE, result_of(FIVE)) == ()


def test_the_error_is_compared_as_a_whole_whatever_the_units() -> None:
    """From 250,000 units to 16 the same ‖δ‖ has root mean squares of 1 to 125."""
    tapered = graph_of([{"linear": units} for units in (250_000, 25_000, 1600, 16, 4)])
    assert codes(rules.error_signal, tapered, result_of(tapered)) == []
    shrinking = {f"linear{n}": {"delta_rms": 10.0 ** (n - 5)} for n in range(1, 6)}
    wide = graph_of([{"linear": 100}] * 5)
    (verdict,) = rules.error_signal(wide, result_of(wide, shrinking))
    assert (verdict.code, verdict.severity, verdict.path) == ("vanishing", "warn", "linear1")
    assert verdict.value == pytest.approx(1e-3)  # against the fourth layer: δ of the last is the loss's own
    assert "through 4 layers with weights the error shrinks, by 0.1 a layer" in verdict.cause


def test_an_error_that_grows() -> None:
    growing = {f"linear{n}": {"delta_rms": 20.0 ** (5 - n)} for n in range(1, 6)}
    (verdict,) = rules.error_signal(FIVE, result_of(FIVE, growing))
    assert (verdict.code, verdict.severity) == ("exploding", "fail")
    assert verdict.value == pytest.approx(8000)
    assert "the error grows, by 20 a layer" in verdict.cause


def test_a_signal_that_shrinks_or_grows() -> None:
    arriving = {f"linear{n}": {"input_rms": 0.1 ** (n - 1)} for n in range(1, 6)}
    (verdict,) = rules.signal(FIVE, result_of(FIVE, arriving))
    assert (verdict.code, verdict.severity, verdict.path) == ("vanishing", "fail", "linear5")
    assert verdict.value == pytest.approx(1e-4)
    assert "the signal shrinks, by 0.1 a layer" in verdict.cause
    arriving = {f"linear{n}": {"input_rms": 4.0 ** (n - 1)} for n in range(1, 6)}
    (verdict,) = rules.signal(FIVE, result_of(FIVE, arriving))
    assert (verdict.code, verdict.severity, verdict.value) == ("exploding", "warn", 256)
    assert "the signal grows, by 4 a layer" in verdict.cause


def test_what_stands_beside_the_line_is_not_on_it() -> None:
    head = {"head": {"name": "aux", "layers": [{"linear": 3}]}}
    graph = graph_of(
        [
            {"linear": 8},
            {"residual": {"body": [{"linear": 8}], "shortcut": [{"linear": 8}]}},
            {"highway": {"body": [{"linear": 8}], "gate": [{"linear": 8}, "sigmoid"]}},
            head,
            {"linear": 4},
        ]
    )
    line = [place.leaf.path for place in main_line(graph, result_of(graph))]
    assert line == ["linear1", "residual1.body.linear1", "highway1.body.linear1", "linear2"]


RELUS = graph_of([{"linear": 64}, "relu", {"linear": 4}])


@pytest.mark.parametrize(
    ("dead", "samples", "found"),
    [(0.05, 1024, []), (0.3, 1024, ["warn"]), (0.8, 1024, ["fail"]), (0.8, 99, []), (0.8, 100, ["fail"])],
)
def test_dead_units(dead: float, samples: int, found: list[str]) -> None:
    result = result_of(RELUS, {"relu1": {"dead": dead}}, samples)
    assert [verdict.severity for verdict in rules.dead(RELUS, result)] == found


def test_units_that_are_dead_because_inputs_are_alike() -> None:
    """With cosine c among N inputs, P(all negative) = P(g < 0) → ½ as c → 1."""
    alike = {"linear1": {"cosine": 0.9999}, "relu1": {"dead": 0.5}}
    assert codes(rules.dead, RELUS, result_of(RELUS, alike)) == []
    assert codes(rules.dead, RELUS, result_of(RELUS, alike | {"linear1": {"cosine": 0.0}})) == [
        ("dead", "warn", "relu1")
    ]
    before, place = places(RELUS, result_of(RELUS, alike))[:2]
    assert expected_dead(place, before, result_of(RELUS)) == pytest.approx(0.5, abs=0.03)
    later = replace(result_of(RELUS), variances="weights")  # what has killed units may have made them alike
    assert expected_dead(place, before, later) == 0


def test_few_units_stray_from_what_is_expected_of_many() -> None:
    """Of 8 units with a chance of a quarter, 6 are 3.3 deviations off: no surprise; of 800, it is one of 33."""
    few, many = (graph_of([{"linear": units}, "relu", {"linear": 4}]) for units in (8, 800))
    found = {"dead": 0.75, "prediction": predicted(input_cosine=0.97)}
    for graph, expected in ((few, []), (many, ["dead"])):
        result = replace(result_of(graph, {"relu1": found}), variances="weights")
        assert 0.1 < expected_dead(places(graph, result)[1], None, result) < 0.4
        assert [verdict.code for verdict in rules.dead(graph, result)] == expected


def test_saturation_matters_inside_only() -> None:
    gate = {"highway": {"body": [{"linear": 64}, "tanh"], "gate": [{"linear": 64}, "sigmoid"]}}
    graph = graph_of([{"linear": 64}, "tanh", "relu", gate, {"linear": 4}, "sigmoid"])
    flat = {"saturated": 0.9}
    result = result_of(graph, {"sigmoid1": flat, "relu1": flat, "highway1.gate.sigmoid1": flat})
    assert codes(rules.saturated, graph, result) == []
    result = result_of(graph, {"tanh1": {"saturated": 0.4}, "highway1.body.tanh1": {"saturated": 0.35}})
    assert codes(rules.saturated, graph, result) == [("saturated", "warn", "tanh1")]


SLOPES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sigmoid": lambda z: 4 * z.sigmoid() * (1 - z.sigmoid()),
    "tanh": lambda z: 1 - z.tanh() ** 2,
}


@pytest.mark.parametrize("kind", SLOPES)
def test_the_share_that_theory_expects_to_be_saturated(kind: str) -> None:
    graph = graph_of([{"linear": 64}, kind, {"linear": 4}])
    place = places(graph, result_of(graph, {f"{kind}1": {"prediction": predicted(input_rms=3.0)}}))[1]
    z = torch.linspace(-30, 30, 600_001, dtype=torch.float64)
    density = torch.exp(-((z / 3) ** 2) / 2)
    share = float(density[SLOPES[kind](z) < 0.05].sum() / density.sum())
    assert expected_saturation(place) == pytest.approx(share, abs=1e-4)


def test_outputs_of_few_units_may_be_alike() -> None:
    graph = graph_of([{"linear": 4}, "tanh", {"linear": 64}, "tanh", {"linear": 4}])
    alike = {"cosine": 0.9995}
    assert codes(rules.collapsed, graph, result_of(graph, {"linear1": alike, "linear3": alike})) == []
    assert codes(rules.collapsed, graph, result_of(graph, {"linear2": alike})) == [("collapsed", "warn", "linear2")]


def test_steps_are_judged_at_the_largest_rate_of_the_recipe() -> None:
    small = {f"linear{n}": {"update_ratio": 1e-7} for n in range(1, 6)}
    assert codes(rules.updates, FIVE, result_of(FIVE, small)) == [("update_small", "fail", "linear5")]
    warming = replace(result_of(FIVE, small), rate_share=1e-4)  # its first step
    assert codes(rules.updates, FIVE, warming) == []


def test_one_layer_that_moves_is_enough_and_one_that_leaps_no_harm() -> None:
    small = {f"linear{n}": {"update_ratio": 1e-7} for n in range(1, 5)}
    assert codes(rules.updates, FIVE, result_of(FIVE, small)) == []
    assert codes(rules.updates, FIVE, result_of(FIVE, {"linear1": {"update_ratio": 5.0}})) == []
    large = {f"linear{n}": {"update_ratio": 0.5} for n in range(1, 4)}
    assert [code for code, _, _ in codes(rules.updates, FIVE, result_of(FIVE, large))] == ["update_large"]
    still = {f"linear{n}": {"update_ratio": 0.0} for n in range(1, 6)}  # no gradient at all has a verdict of its own
    assert codes(rules.updates, FIVE, result_of(FIVE, still)) == []


def test_a_leap_that_lowers_the_loss_is_none_too_many() -> None:
    leaps = result_of(
        FIVE, {f"linear{n}": {"update_ratio": ratio} for n, ratio in enumerate((0.1, 7, 0.5, 0.2, 0.9), 1)}
    )
    (verdict,) = rules.updates(FIVE, replace(leaps, loss_after=1.5))
    assert (verdict.path, verdict.value, verdict.severity) == ("linear3", 0.5, "warn")
    assert "by 0.5 of its size or more, after which the loss of the same batch is 1.5, not 1" in verdict.cause
    assert codes(rules.updates, FIVE, replace(leaps, loss_after=0.9)) == []
    assert codes(rules.updates, FIVE, replace(leaps, loss_after=float("nan")))


def test_after_infinities_nothing_else_is_judged() -> None:
    result = result_of(FIVE, {"linear2": {"nonfinite": 0.1}, "linear3": {"nonfinite": 1.0, "learning": "zero"}})
    assert [(v.code, v.path) for v in verdicts_of(FIVE, result)] == [("nonfinite", "linear2")]
    gone = replace(result_of(FIVE, {"linear3": {"learning": "zero"}}), loss=float("nan"))
    assert [(v.code, v.path) for v in verdicts_of(FIVE, gone)] == [("nonfinite", "linear5")]


@pytest.mark.parametrize("field", ["delta_rms", "grad_norm"])
def test_the_last_layer_that_a_gradient_without_end_comes_back_to(field: str) -> None:
    result = result_of(FIVE, {"linear1": {field: float("nan")}, "linear2": {field: float("inf")}})
    (verdict,) = verdicts_of(FIVE, result)
    assert (verdict.code, verdict.severity, verdict.path) == ("nonfinite", "fail", "linear2")
    assert "every value is finite, the gradient that arrives at linear2 is not" in verdict.cause


def test_failures_come_first() -> None:
    result = result_of(FIVE, {"linear1": {"learning": "none"}, "linear2": {"learning": "zero"}})
    assert [verdict.severity for verdict in verdicts_of(FIVE, result)] == ["fail", "warn"]


def test_one_bias_for_all_units_is_not_what_inputs_share() -> None:
    """A bias of −2 makes outputs alike (cosine 0.97) and kills units; what arrives has cosine 0.2."""
    biased = {"features": 64, "init": {"weight": "kaiming", "bias": {"constant": -2.0}}}
    for layer, dead, found in ((64, 0.3, []), (biased, 0.3, ["warn"]), (64, 0.9, ["fail"]), (biased, 0.55, ["fail"])):
        graph = graph_of(["flatten", {"linear": layer}, "relu", {"linear": 4}])
        own = {"linear1": {"cosine": 0.97}, "relu1": {"dead": dead}}
        assert [verdict.severity for verdict in rules.dead(graph, result_of(graph, own))] == found


def fixes(outcomes: dict[str, set[Code] | None], *wrong: Code) -> list[tuple[str | None, bool]]:
    """Return the fix of each verdict, where changes that start with these words leave those verdicts."""
    template = next(iter(rules.unused(FIVE, result_of(FIVE, {"linear2": {"learning": "zero"}}))))
    found = tuple(replace(template, code=code, value=2.0) for code in wrong)

    def again(changes: list[str]) -> tuple[Verdict, ...]:
        left = next((codes for words, codes in outcomes.items() if changes[0].startswith(words)), set(wrong))
        if left is None:
            raise DivergedError(Problem("diverged", "it diverges"))
        return tuple(replace(template, code=code) for code in left)

    return [(verdict.fix, verdict.tried) for verdict in with_fixes(FIVE, found, again)]


def test_the_first_change_that_leaves_nothing_is_taken() -> None:
    kaiming, xavier, orthogonal = (f"model.init={rule}" for rule in ("kaiming", "xavier", "{orthogonal"))
    assert (
        fixes({kaiming: {"collapsed"}, xavier: set()}, "vanishing", "collapsed") == [("model.init: xavier", True)] * 2
    )
    assert fixes({kaiming: None, orthogonal: set()}, "vanishing") == [("model.init: {orthogonal: auto}", True)]


def test_else_the_first_that_takes_the_verdict_away_and_brings_no_other() -> None:
    kaiming, xavier = ("model.init=kaiming", "model.init=xavier")
    mended = fixes({kaiming: {"exploding"}, xavier: {"collapsed"}}, "vanishing", "collapsed")
    assert mended == [("model.init: xavier", True), (None, False)]
    assert fixes({kaiming: {"exploding"}}, "vanishing") == [(None, False)]


def test_of_all_changes_that_were_tried_the_one_that_leaves_fewest_is_offered() -> None:
    """The rate takes its own verdict away and leaves two; what was tried against those leaves none."""
    xavier, slower = "model.init=xavier", "train.optimizer.sgd"
    found = fixes({xavier: set(), slower: {"exploding"}}, "exploding", "update_large")
    assert found == [("model.init: xavier", True)] * 2
    found = fixes({xavier: {"dead"}, slower: {"exploding"}}, "exploding", "update_large", "dead")
    assert found[0] == ("model.init: xavier", True)
    assert str(found[1][0]).startswith("train.optimizer.sgd: ")
