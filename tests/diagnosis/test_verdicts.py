"""Networks made ill, one for each verdict; every fix is applied and the verdict is gone. Healthy ones have none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from nnctl.diagnosis.judging.fixes import as_overrides
from nnctl.diagnosis.judging.line import has_trend, slope
from nnctl.diagnosis.judging.rules import COLLAPSED, VANISHING
from nnctl.diagnosis.result import InspectResult
from nnctl.diagnosis.signals import inspect
from nnctl.diagnosis.verdict import Verdict
from nnctl.network.compile import compile_model
from nnctl.spec.load import loads
from nnctl.spec.resolved import to_yaml
from nnctl.spec.sections import Spec
from tests.diagnosis.helpers import net_of, normal, spec_of

SPECS = Path(__file__).parents[2] / "specs"
X, LABELS = normal(256, 16), torch.arange(256) % 4


def stack(kind: Any, times: int, width: int = 24) -> list[Any]:
    body = [{"linear": width}, *([kind] if isinstance(kind, str) else kind)]
    return [{"repeat": {"times": times, "layers": body}}, {"linear": 4}]


def ill(layers: list[Any], **parts: Any) -> Spec:
    """Return a spec on N(0, 1) inputs and random labels."""
    model = {"input": [16], **parts.pop("model", {})}
    return spec_of(layers, model=model, **{"loss": "cross_entropy", "batch_size": 64, **parts})


def verdict_of(result: InspectResult, code: str) -> Verdict:
    return next(verdict for verdict in result.verdicts if verdict.code == code)


ILL = {
    "vanishing": (ill(stack("relu", 24), model={"init": "lecun"}), 0),
    "exploding": (ill(stack("relu", 12), model={"init": {"normal": 0.8}}), 0),
    "saturated": (ill(stack("tanh", 3), model={"init": {"normal": 5.0}}), 0),
    "collapsed": (ill(stack("sigmoid", 6), model={"init": "xavier"}), 0),
    "dead": (ill(stack("relu", 2), optimizer={"sgd": {"lr": 6.0}}), 12),
    "update_large": (ill(stack("relu", 2), optimizer={"sgd": 60.0}), 0),
    "update_small": (ill(stack("relu", 2), optimizer={"sgd": 1e-7}), 0),
    "unused": (ill(stack("relu", 2), model={"init": "zero"}), 0),
}


@pytest.mark.parametrize("code", list(ILL))
def test_a_fix_applied_takes_the_verdict_away(code: str) -> None:
    spec, steps = ILL[code]
    verdict = verdict_of(inspect(spec, steps=steps), code)
    assert verdict.fix is not None
    assert verdict.tried
    assert verdict.cause
    mended = loads(to_yaml(spec), as_overrides(tuple(verdict.fix.splitlines())))
    assert code not in {left.code for left in inspect(mended, steps=steps).verdicts}


def test_what_a_verdict_says() -> None:
    verdict = verdict_of(inspect(ILL["vanishing"][0]), "vanishing")
    assert (verdict.severity, verdict.threshold, verdict.path, verdict.line) == ("fail", 1e-3, "repeat1.1.linear1", 1)
    assert verdict.predicted == pytest.approx(2 ** (-23 / 2), rel=0.01)
    assert verdict.what == "‖δ‖ at repeat1.1.linear1 over that at repeat1.24.linear1"
    assert "theory expects 0.707 of this initialisation and relu" in verdict.cause
    assert verdict.fix == "model.init: kaiming"


def test_a_result_is_printed_in_a_few_lines() -> None:
    result = inspect(ILL["vanishing"][0])
    first, *verdicts, last = str(result).splitlines()
    assert first == f"at initialisation: 49 layers, 64 samples of random, loss {result.loss:.4g}"
    assert verdicts[0].startswith("fail: vanishing at repeat1.1.linear1, line 1: on its way back through 24 layers")
    assert verdicts[0].endswith("; change model.init: kaiming")
    assert (len(verdicts), last) == (len(result.verdicts), "verdict fail")


def test_batch_norm_without_shortcuts_explodes_and_shortcuts_mend_it() -> None:
    body = [{"linear": {"features": 24, "bias": False}}, "batch_norm"]
    residual = {"residual": {"body": [*body, "relu", *body], "shortcut": "none"}}
    spec = ill([{"linear": 24}, {"repeat": {"times": 20, "layers": [residual, "relu"]}}, {"linear": 4}])
    (verdict,) = (v for v in inspect(spec).verdicts if v.code == "exploding")
    assert verdict.path == "linear1"
    assert "Batch norm divides by the deviation" in verdict.cause
    assert verdict.fix == "model.layers[1].repeat.layers[0].residual.shortcut: auto"


def test_one_abnormal_input_kills_relus() -> None:
    """A single sample a thousand times too large, and one step later units are dead for all others."""
    usual_x = X.abs()
    x = usual_x.clone()
    x[7] *= 1000
    layers = [{"linear": {"features": 64, "bias": True}}, "relu", {"linear": 4}]
    options: dict[str, Any] = {"loss": "cross_entropy", "optimizer": {"sgd": 0.5}}
    usual, abnormal = spec_of(layers, usual_x, LABELS, **options), spec_of(layers, x, LABELS, **options)
    assert "dead" not in {v.code for v in inspect(usual, steps=3).verdicts}
    net = compile_model(abnormal)
    assert verdict_of(inspect(abnormal, steps=3), "dead").value
    assert (inspect(net, abnormal).layers[1].dead or 0) < 0.05


def test_trained_weights_get_a_fix_that_a_fresh_start_was_tried_with() -> None:
    spec = ILL["vanishing"][0]
    net = net_of(spec)
    with torch.no_grad():
        net.get_parameter("linear1.bias").add_(0.01)
    result = inspect(net, spec)
    verdict = verdict_of(result, "vanishing")
    assert (verdict.fix, verdict.tried, verdict.afresh) == ("model.init: kaiming", True, True)
    assert result.variances == "weights"


def test_few_inputs_make_no_dead_unit() -> None:
    """Of 4 inputs a sixteenth of all ReLUs see only negative ones."""
    spec = spec_of([{"linear": 400}, "relu", {"linear": 2}], normal(4, 6), torch.arange(4) % 2, loss="cross_entropy")
    result = inspect(spec)
    assert (result.layers[1].dead or 0) > 0.02
    assert result.verdicts == ()


def test_deep_relus_are_alike_but_not_dead() -> None:
    """At depth 24 inputs have cosine 0.95, so that 1,024 of them agree in sign in many units: theory expects it."""
    spec = spec_of(stack("relu", 24, width=64), model={"input": [64]})
    result = inspect(spec)
    assert max(layer.dead or 0 for layer in result.layers) > 0.1
    assert "dead" not in {v.code for v in result.verdicts}


@pytest.mark.parametrize("name", ["quickstart", "spirals", "xor", "toy", "linear_regression"])
def test_healthy_specs_have_no_verdicts(name: str) -> None:
    result = inspect(SPECS / f"{name}.yaml")
    assert (result.verdicts, result.verdict) == ((), "ok")


def test_a_failed_check_fails_the_whole() -> None:
    result = inspect(spec_of([{"linear": 4}], X, LABELS, loss="cross_entropy"), preflight=True)
    assert result.preflight is not None
    assert result.verdict == "ok"
    broken = replace(result, preflight=(replace(result.preflight[0], ok=False),))
    assert broken.verdict == "fail"


def test_slopes_and_their_significance() -> None:
    growth, t = slope([1.0, 10.0, 100.0, 1000.0])
    assert growth == pytest.approx(1.0)
    assert t == float("inf")
    assert has_trend([1.0, 0.5, 0.25, 0.125, 0.07])
    assert not has_trend([1.0, 300.0, 0.5, 200.0, 0.002])
    assert slope([3.0, 3.0, 3.0, 3.0])[0] == 0


def test_bounds() -> None:
    assert [VANISHING.judge(value) for value in (0.5, 5e-3, 5e-4)] == [None, ("warn", 1e-2), ("fail", 1e-3)]
    assert [COLLAPSED.judge(value) for value in (0.9, 0.9995, 1.0)] == [None, ("warn", 0.999), ("fail", 0.9999)]


@pytest.mark.parametrize("name", ["diabetes", "recipes/bagging"])
def test_weights_that_start_near_zero_may_leap(name: str) -> None:
    """A tenth of the rate leaves a linear map that is at 0.01 of its size without a chance."""
    spec = SPECS / f"{name}.yaml"
    assert "update_large" not in {verdict.code for verdict in inspect(spec).verdicts}
    result = inspect(spec, overrides=["train.optimizer.adam.lr=1000"])
    wild = verdict_of(result, "update_large")
    assert wild.severity == "fail"
    assert wild.value == next(layer.update_ratio for layer in result.layers if layer.path == wild.path)


@pytest.mark.parametrize(("bias", "severity"), [(-2, None), (-3, "warn"), (-4, "fail"), (-5, "fail")])
def test_one_bias_that_kills_units(bias: float, severity: str | None) -> None:
    """The more units are dead, the graver: over a tenth is told, over a half fails."""
    first = {"linear": {"features": 64, "init": {"weight": "kaiming", "bias": {"constant": bias}}}}
    spec = spec_of([first, "relu", {"linear": 4}], 0.5 + X, LABELS, loss="cross_entropy")
    result = inspect(spec)
    share = result.layers[1].dead or 0.0
    assert (share > 0.5, share > 0.1) == (severity == "fail", severity is not None)
    assert next((v.severity for v in result.verdicts if v.code == "dead"), None) == severity
    assert len({verdict.fix for verdict in result.verdicts} - {None}) <= 1  # what mends one mends all


def test_layers_that_nothing_comes_of_are_taken_away() -> None:
    aside = [{"tag": "t"}, {"linear": 8}, "relu", {"linear": 5}, {"from": "t"}]
    spec = ill([{"linear": 24}, "relu", *aside, {"linear": 4}])
    (verdict,) = inspect(spec).verdicts
    assert (verdict.code, verdict.severity, verdict.tried) == ("unused", "warn", True)
    assert verdict.fix == "model.layers[3]: identity\nmodel.layers[5]: identity"
    assert "what leaves them goes nowhere" in verdict.cause
    mended = loads(to_yaml(spec), as_overrides(tuple(verdict.fix.splitlines())))
    assert inspect(mended).verdicts == ()
