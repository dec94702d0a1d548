"""A network that no machine can hold is described by `check`, and refused by `train` before anything is allocated."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from nnctl import memory
from nnctl.errors import ResourceError
from nnctl.graph.build import build, build_text
from nnctl.memory import check_memory
from nnctl.training.run import train
from tests.training.helpers import spec_of

GPT4 = """
name: gpt4
data: {dataset: digits}
model:
  layers:
    - flatten
    - linear: 35355
    - repeat: {times: 120, layers: [{linear: $(in * 6)}, gelu, {linear: $(in // 6)}]}
    - linear: $classes
train: {epochs: 1, loss: cross_entropy, optimizer: {adamw: {lr: 1e-4}}, precision: bf16}
"""


def test_a_network_of_the_size_of_gpt4_is_refused_with_the_sum(tmp_path: Path) -> None:
    graph = build_text(GPT4)
    hidden = 6 * 35355
    expected = 120 * (2 * 35355 * hidden + hidden + 35355) + 65 * 35355 + 10 * 35355 + 10
    assert graph.parameters == expected
    assert expected == pytest.approx(1.8e12, rel=0.001)
    with pytest.raises(ResourceError) as caught:
        train(graph, run=tmp_path / "run")
    (problem,) = caught.value.problems
    assert caught.value.exit_code == 4
    assert problem.message.startswith("training takes 26.2 TiB, this machine's cpu has ")
    weights = "6.5 TiB"  # 4 bytes each, and as many for gradients; two moments
    assert problem.details[0].startswith(
        f"26.2 TiB = {weights} weights + {weights} gradients + 13.1 TiB optimiser state"
    )
    assert not (tmp_path / "run").exists()


def test_the_bound_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, device = build(spec_of()), torch.device("cpu")
    monkeypatch.setattr(memory, "physical_memory", lambda: graph.memory.total)
    check_memory(graph, device)
    monkeypatch.setattr(memory, "physical_memory", lambda: graph.memory.total - 1)
    with pytest.raises(ResourceError, match="needs less"):
        check_memory(graph, device)
    monkeypatch.setattr(memory, "physical_memory", lambda: None)
    check_memory(graph, device)
