"""`nnctl gradcheck` as it is used: exit codes, the page, the JSON object."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.cli.conftest import Run, Write

PLAIN = """\
name: plain
model:
  input: [3]
  layers:
    - linear: 4
    - tanh
    - linear: 2
"""
CANCELLED = PLAIN.replace("- tanh", "- batch_norm")

VANISHED = """\
name: vanished
model:
  input: [4]
  init: xavier
  layers:
    - repeat: {times: 14, layers: [{linear: 4}, sigmoid]}
    - linear: 2
"""


def test_right_gradients(nnctl: Run, write: Write) -> None:
    ran = nnctl("gradcheck", write(PLAIN), "--strict")
    assert ran.code == 0
    assert "pass: 5 pass" in ran.out
    value = nnctl("gradcheck", "spec.yaml", "--json", "--samples", "6", "--seed", "3").json
    assert (value["verdict"], value["samples"], value["seed"]) == ("pass", 6, 3)
    assert nnctl("gradcheck", "spec.yaml", "model.layers[0].linear=7", "--joint").code == 0


def test_what_stays_open_fails_only_when_strict(nnctl: Run, write: Write) -> None:
    """Fourteen sigmoids bring the first layer's gradient below what differences resolve."""
    ran = nnctl("gradcheck", write(VANISHED))
    assert ran.code == 0
    assert "repeat1.1.linear1.weight: the gradient, " in ran.out
    assert "its layer by itself is right to" in ran.out
    assert nnctl("gradcheck", "spec.yaml", "--strict").code == 1


def test_what_has_no_effect_passes_when_strict(nnctl: Run, write: Write) -> None:
    ran = nnctl("gradcheck", write(CANCELLED), "--strict")
    assert ran.code == 0
    assert "linear1.bias: without effect: nothing of it is left behind batch_norm1" in ran.out


def test_a_wrong_gradient_is_told_with_its_layer(nnctl: Run, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    def forward(self: nn.Tanh, x: Tensor) -> Tensor:
        y = torch.tanh(x)
        return y.detach() + x - x.detach()  # a derivative of 1

    monkeypatch.setattr(nn.Tanh, "forward", forward)
    ran = nnctl("gradcheck", write(PLAIN))
    assert ran.code == 1
    assert "wrong by itself: `tanh1` (tanh, line 6), for input" in ran.out
    failed = [t["name"] for t in nnctl("gradcheck", "spec.yaml", "--json").json["tensors"] if t["verdict"] == "fail"]
    assert failed == ["linear1.weight", "linear1.bias", "input"]


@pytest.mark.parametrize("arguments", [["nowhere.yaml"], ["spec.yaml", "--samples", "0"], ["spec.yaml", "nonsense"]])
def test_bad_input(nnctl: Run, write: Write, arguments: list[str]) -> None:
    write(PLAIN)
    ran = nnctl("gradcheck", *arguments)
    assert ran.code == 2
    assert ran.err
