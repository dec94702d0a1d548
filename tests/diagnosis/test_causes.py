"""What a verdict says of its cause, and that the change it proposes follows from that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
import torch

from nnctl.diagnosis.judging.fixes import as_overrides, candidates
from nnctl.diagnosis.judging.judge import with_fixes
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.signals import inspect
from nnctl.diagnosis.verdict import Code, Verdict
from nnctl.graph.build import build
from nnctl.network.compile import compile_model
from nnctl.spec.load import loads
from nnctl.spec.resolved import to_yaml
from nnctl.spec.sections import Spec
from tests.diagnosis.helpers import by_path, spec_of


def ill(layers: list[Any], **parts: Any) -> Spec:
    """Return a spec on N(0, 1) inputs and random labels."""
    model = {"input": [16], **parts.pop("model", {})}
    return spec_of(layers, model=model, **{"loss": "cross_entropy", "batch_size": 64, **parts})


def verdict_of(result: InspectResult, code: str) -> Verdict:
    return next(verdict for verdict in result.verdicts if verdict.code == code)


def changed(spec: Spec, verdict: Verdict) -> Spec:
    assert verdict.fix is not None
    return loads(to_yaml(spec), as_overrides(tuple(verdict.fix.splitlines())))


SOME = Verdict("dead", "fail", "relu1", 1, None, 0.9, 0.5, None, "share", "why", None)
RELUS = [{"linear": 32}, "relu", {"linear": 32}, "relu", {"linear": 4}]
SIGMOIDS = [{"repeat": {"times": 6, "layers": [{"linear": 16}, "sigmoid"]}}, {"linear": 4}]


@pytest.mark.parametrize("code", get_args(Code))
@pytest.mark.parametrize("init", ["kaiming", "xavier", {"weight": "kaiming", "bias": "zero"}])
def test_no_change_is_proposed_that_the_spec_says_already(code: Code, init: Any) -> None:
    spec = ill(RELUS, model={"init": init})
    for fix in candidates(build(spec), replace(SOME, code=code), learned=True):
        assert to_yaml(loads(to_yaml(spec), as_overrides(fix))) != to_yaml(spec), fix


def test_trained_weights_get_the_fix_that_a_fresh_start_was_tried_with() -> None:
    spec = ill(SIGMOIDS)
    net = compile_model(spec)
    with torch.no_grad():
        net.get_parameter("linear1.bias").add_(0.01)
    verdict = verdict_of(inspect(net, spec), "vanishing")
    assert (verdict.fix, verdict.tried, verdict.afresh) == ("model.layers[0].repeat.layers[1]: relu", True, True)
    assert verdict.cause.startswith("at initialisation already, before any step: on its way back through 6 layers")
    own = verdict_of(inspect(spec), "vanishing")
    assert (own.fix, own.afresh) == (verdict.fix, False)


def test_weights_of_zero_send_zero_and_what_follows_is_dead_in_consequence() -> None:
    verdict = verdict_of(inspect(ill(RELUS, model={"init": "zero"})), "dead")
    assert verdict.path == "relu1"
    assert "exactly 0 for every input: the weights and the bias of linear1 are 0" in verdict.cause
    assert "relu2 is dead in consequence of relu1" in verdict.cause
    assert "below 0" not in verdict.cause


SUNK = [{"linear": {"features": 32, "init": {"bias": {"constant": -30}}}}, *RELUS[1:]]


def test_a_bias_that_holds_units_below_zero_is_named_with_its_size() -> None:
    spec = ill(SUNK)
    result = inspect(spec)
    verdict = verdict_of(result, "dead")
    made = float(compile_model(spec).get_parameter("linear1.weight").detach().square().sum() / 32) ** 0.5
    size = (30**2 + made**2) ** 0.5
    told = verdict.cause.partition("of an output of size ")[2].split(";")[0].split(" they make ")
    assert [float(number) for number in told] == pytest.approx([size, made], rel=0.1)
    assert verdict.path == "relu1"
    assert verdict.fix == "model.layers[0].linear.init: kaiming"


def test_what_was_there_before_any_step_is_not_laid_at_the_steps() -> None:
    verdict = verdict_of(inspect(ill(SUNK), steps=5), "dead")
    assert verdict.path == "relu1"
    assert verdict.cause.startswith("at initialisation already, before any step: their pre-activations are below 0")
    assert "learning rate" not in verdict.cause
    assert verdict.fix == "model.layers[0].linear.init: kaiming"


@pytest.mark.parametrize(
    ("optimizer", "steps", "code"), [({"adam": {"lr": 3.0}}, 10, "dead"), ({"sgd": {"lr": 500.0}}, 3, "exploding")]
)
def test_what_the_steps_brought_is_laid_at_them_and_mended_by_their_rate(
    optimizer: dict[str, Any], steps: int, code: str
) -> None:
    spec = ill(RELUS, optimizer=optimizer)
    ((kind, fields),) = optimizer.items()
    verdict = verdict_of(inspect(spec, steps=steps), code)
    said = f"not there at initialisation: {steps} steps with `{kind}` at the learning rate {fields['lr']:g} brought it"
    assert verdict.cause.startswith(f"{said}, too far at a time: the first changed the weights by ")
    assert "this initialisation" not in verdict.cause
    assert verdict.fix is not None
    assert verdict.fix.startswith(f"train.optimizer.{kind}.lr: ")
    assert verdict.tried
    assert inspect(changed(spec, verdict), steps=steps).verdict == "ok"


def test_a_rate_too_small_is_told_by_how_much_and_raised_to_what_moves_the_weights() -> None:
    spec = ill(RELUS, optimizer={"sgd": {"lr": 3e-6}})
    verdict = verdict_of(inspect(spec), "update_small")
    assert verdict.value is not None
    assert f"they need {1 / verdict.value:.0e} steps to change by their own size" in verdict.cause
    mended = inspect(changed(spec, verdict))
    assert 3e-4 < max(layer.update_ratio or 0.0 for layer in mended.layers) < 3e-3


def test_batch_norm_alone_gets_shortcuts_around_what_is_repeated() -> None:
    turn: list[Any] = [{"linear": {"features": 16, "bias": False}}, "batch_norm", "relu"]
    spec = ill([{"repeat": {"times": 36, "layers": turn}}, {"linear": 4}])
    verdict = verdict_of(inspect(spec), "exploding")
    assert "shortcuts would carry it past them" in verdict.cause
    body = "[{linear: {features: 16, bias: false}}, batch_norm]"
    assert verdict.fix == f"model.layers[0].repeat.layers: [{{residual: {{body: {body}}}}}, relu]"
    assert "exploding" not in {left.code for left in inspect(changed(spec, verdict)).verdicts}


def test_weights_of_zero_are_named_where_outputs_are_alike_and_only_they_are_changed() -> None:
    held = {"linear": {"features": 16, "init": {"weight": "zero", "bias": {"constant": -1}}}}
    paths = [[{"linear": 16}], [held, "relu", {"linear": 16}]]
    spec = ill([{"linear": 16}, "relu", {"branches": {"merge": "add", "paths": paths}}, {"linear": 4}])
    result = inspect(spec)
    collapsed = verdict_of(result, "collapsed")
    assert "the weights of branches1.paths2.linear1 are 0: its output is its bias" in collapsed.cause
    assert {verdict.fix for verdict in result.verdicts} == {"model.layers[2].branches.paths[1][0].linear.init: kaiming"}


def test_of_several_lines_those_that_do_nothing_are_left_out() -> None:
    graph = build(ill(RELUS))
    (whole,) = (fix for fix in candidates(graph, SOME) if len(fix) == 2)

    def again(changes: list[str]) -> tuple[Verdict, ...]:
        return () if whole[1].replace(": ", "=", 1) in changes else (SOME,)

    (verdict,) = with_fixes(graph, (SOME,), again)
    assert verdict.fix == whole[1]


def test_changes_tried_in_vain_are_told() -> None:
    graph = build(ill(RELUS))
    tried = [" ".join(as_overrides(fix)) for fix in candidates(graph, SOME)]
    (verdict,) = with_fixes(graph, (SOME,), lambda changes: (SOME,))
    assert verdict.fix is None
    assert verdict.cause.startswith(f"why. None of the {len(tried)} changes tried takes it away: ")
    assert all(name.split("=")[0] in verdict.cause for name in tried)


def test_what_zero_padding_takes_from_the_signal_is_told() -> None:
    turn: list[Any] = [{"conv": {"channels": 16, "kernel": 3}}, "relu"]
    spec = ill(
        [{"repeat": {"times": 16, "layers": turn}}, "global_avg_pool", {"linear": 4}], model={"input": [1, 2, 2]}
    )
    ones = torch.ones(1, 1, 2, 2)
    share = float(torch.nn.functional.conv2d(ones, torch.ones(1, 1, 3, 3) / 9, padding=1).mean())
    verdict = next(v for v in inspect(spec).verdicts if v.code == "vanishing")
    assert f"Zero padding: {100 * (1 - share):.0f}% of what kernels look at lies outside" in verdict.cause
    assert f"which alone makes {share**0.5:.3g} a layer" in verdict.cause
    assert verdict.fix == "model.layers[0].repeat.layers[0].conv.padding_mode: reflect"


def test_the_sizes_of_a_step_are_compared_with_those_before_it() -> None:
    """The first step's size in the cause is what inspect measures there."""
    spec = ill(RELUS, optimizer={"adam": {"lr": 3.0}})
    first = verdict_of(inspect(spec), "update_large").value
    assert f"the first changed the weights by {first:.3g} of" in verdict_of(inspect(spec, steps=10), "dead").cause
    assert (by_path(inspect(spec))["linear2"].update_ratio or 0.0) > 1
