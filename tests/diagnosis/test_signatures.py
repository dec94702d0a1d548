"""The textbook failures on the laboratory's specs: what happens to signal and error over thirty layers of 256 units.

Decimal logarithms of the published ratios (mean field, infinite width) have to be met within 0.3.
"""

from __future__ import annotations

from math import log10
from pathlib import Path

import pytest

from nnctl.diagnosis.signals import inspect
from nnctl.graph.build import load_spec
from tests.diagnosis.helpers import by_path, net_of

LABS = Path(__file__).parents[2] / "specs" / "labs"

ROWS = [
    ("sigmoid30", [], 5.9e-19, 0.95, {"vanishing", "collapsed"}),
    ("sigmoid30", ["model.init=torch"], 2.2e-25, None, {"vanishing", "collapsed"}),
    ("relu30", [], 1.0, 0.95, set()),
    ("relu30", ["model.init=xavier"], 4.3e-5, 4e-5, {"vanishing"}),
    ("tanh30", [], 0.158, 0.21, set()),
    ("tanh30", ["model.init.xavier.gain=1.6666667"], 11.9, 0.86, set()),
    ("tanh30", ["model.init=orthogonal"], 0.159, 0.21, set()),
    ("chain", [], 0.8**29, 0.8**29, {"vanishing"}),
    ("chain", ["model.init.normal=0.075"], 1.2**29, 1.2**29, {"exploding"}),
    ("chain", ["model.init=orthogonal"], 1.0, 1.0, set()),
    ("relu30", ["model.init={normal: 0.05}"], 6.7e-8, None, {"vanishing"}),
    ("relu30", ["model.init={normal: 0.075}"], 8.5e-3, None, {"vanishing"}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "overrides", "error", "signal", "codes"), ROWS)
def test_signature(name: str, overrides: list[str], error: float, signal: float | None, codes: set[str]) -> None:
    spec = load_spec(LABS / f"{name}.yaml", overrides)
    net = net_of(spec)
    result = inspect(net, spec)
    layers = by_path(result)
    first, last = layers["repeat1.1.linear1"], layers["repeat1.30.linear1"]
    assert first.delta_rms
    assert last.delta_rms
    assert log10(first.delta_rms / last.delta_rms) == pytest.approx(log10(error), abs=0.3)
    ends = [layer for layer in result.layers if layer.path.startswith(("repeat1.1.", "repeat1.30."))]
    if signal is not None:
        begin, end = ends[len(ends) // 2 - 1].forward_rms, ends[-1].forward_rms
        assert begin
        assert end
        assert log10(end / begin) == pytest.approx(log10(signal), abs=0.3)
    assert {verdict.code for verdict in result.verdicts} == codes
    for verdict in result.verdicts:
        assert verdict.fix is not None
        assert verdict.tried


def test_the_weights_gradients_hide_what_the_error_shows() -> None:
    """Xavier before ReLU: ‖∂W‖ of first and last layer are alike, δ has lost four decades."""
    spec = load_spec(LABS / "relu30.yaml", ["model.init=xavier", "model.params.depth=16"])
    layers = by_path(inspect(net_of(spec), spec))
    first, last = layers["repeat1.1.linear1"], layers["repeat1.16.linear1"]
    assert first.grad_norm
    assert last.grad_norm
    assert first.delta_rms
    assert last.delta_rms
    assert abs(log10(first.grad_norm / last.grad_norm)) < 0.3
    assert log10(first.delta_rms / last.delta_rms) == pytest.approx(-15 * log10(2) / 2, abs=0.3)
