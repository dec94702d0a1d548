"""Ensembles: each member is the network that would have been trained alone, and averaging is worth what theory says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import nnctl
from nnctl.data.bootstrap import Bootstrap
from nnctl.data.load import load
from nnctl.errors import SpecError
from nnctl.graph.build import build_text
from nnctl.network.compile import compile_graph, compile_members, compile_whole
from nnctl.network.ensemble import Ensemble, mean_prediction

SPEC = """
name: bagged
data: {{dataset: {data}}}
model: {{layers: [{layers}]}}
train:
  epochs: 2
  batch_size: 50
  loss: {loss}
  optimizer: {{{optimizer}}}
  bagging: {members}
"""


def spec(**changes: object) -> str:
    usual = {
        "data": "iris",
        "layers": "{linear: 8}, tanh, {linear: $classes}",
        "loss": "cross_entropy",
        "optimizer": "sgd: {lr: 0.1, momentum: 0.9}",
        "members": 3,
    }
    return SPEC.format(**(usual | changes))


def ensemble(text: str) -> Ensemble:
    net = compile_whole(build_text(text))
    assert isinstance(net, Ensemble)
    return net


@pytest.mark.parametrize(
    "layers",
    [
        "{linear: 8}, tanh, {linear: $classes}",
        "{linear: {features: 8, bias: false}}, batch_norm, relu, {linear: $classes}",
    ],
    ids=str,
)
@pytest.mark.parametrize("optimizer", ["sgd: {lr: 0.1, momentum: 0.9, weight_decay: 0.01}", "adam: {lr: 0.01}"])
def test_each_member_is_trained_as_if_alone(tmp_path: Path, layers: str, optimizer: str) -> None:
    text = spec(layers=layers, optimizer=optimizer)
    (tmp_path / "a.yaml").write_text(text)
    nnctl.train(nnctl.load_spec(tmp_path / "a.yaml", ["train.monitor=train_loss"]), run=tmp_path / "run")
    state = max((tmp_path / "run" / "state").glob("step-*"), key=lambda path: int(path.name[5:]))
    trained = ensemble(text)
    from safetensors.torch import load_file

    trained.load_state_dict(load_file(state / "model.safetensors"))

    graph = build_text(text)
    assert graph.spec.data is not None
    train = load(graph.spec.data, graph.spec.seed).train
    bag = Bootstrap(train, 3, graph.spec.seed)
    for number in range(3):
        alone = compile_members(graph).members[number].train()
        rule: torch.optim.Optimizer = torch.optim.Adam(alone.parameters(), lr=0.01)
        if "sgd" in optimizer:
            weights = [p for p in alone.parameters() if p.dim() > 1]
            others = [p for p in alone.parameters() if p.dim() < 2]
            rule = torch.optim.SGD(
                [{"params": weights, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}],
                lr=0.1,
                momentum=0.9,
            )
        for epoch in (1, 2):
            generator_order = nnctl_order(len(train), graph.spec.seed, epoch)
            for places in torch.split(generator_order, 50):
                rows = bag.rows[places, number]
                batch = train.batch(rows)
                rule.zero_grad()
                torch.autograd.backward(nn.functional.cross_entropy(alone(batch.inputs["input"]), batch.target))
                rule.step()
        for (name, own), theirs in zip(
            alone.state_dict().items(), trained.members[number].state_dict().values(), strict=True
        ):
            assert torch.allclose(own, theirs, atol=2e-5), name


def nnctl_order(n: int, seed: int, epoch: int) -> torch.Tensor:
    from nnctl.data.order import epoch_order

    return epoch_order(n, seed, epoch)


@pytest.mark.parametrize(
    "layers",
    [
        "{linear: 8}, tanh, layer_norm, {linear: $classes}",
        "{weight_norm: {linear: 8}}, tanh, {spectral_norm: {linear: $classes}}",
        "{linear: 8}, {residual: {body: [{linear: 8}, relu]}}, softplus, {linear: $classes}",
        "{branches: {paths: [[{linear: 4}], [{linear: 4}, selu]], merge: concat}}, {linear: $classes}",
    ],
    ids=str,
)
def test_side_by_side_is_one_after_the_other(layers: str) -> None:
    net = ensemble(spec(layers=layers, members=4)).train()
    assert net._side_by_side
    x = torch.randn(20, 4)
    together = net(x)
    net._side_by_side = False
    assert torch.allclose(together, net(x), atol=1e-6)
    expected = torch.stack([net.members[i % 4](x[i : i + 1])[0] for i in range(20)])
    assert torch.allclose(together, expected, atol=1e-6)


def test_layers_that_draw_or_remember_are_computed_one_after_the_other() -> None:
    attention = "{reshape: {tokens: 2, features: 4}}, {attention: 2}, flatten"  # its kernel has no axis more
    noisy = "{residual: {body: [{linear: 8}, {stochastic_depth: 0.5}]}}"
    for layer in ("{dropout: 0.5}", "batch_norm", attention, noisy):
        assert not ensemble(spec(layers=f"{{linear: 8}}, {layer}, {{linear: $classes}}"))._side_by_side
    assert ensemble(spec())._side_by_side


def test_samples_are_mixed_with_those_of_the_same_member() -> None:
    """Blends of member m's samples stay blends of m's resample: their target has shares of its own labels alone."""
    graph = build_text(spec().replace("dataset: iris", "dataset: iris, augment: [{mixup: 1.0}]"))
    assert graph.spec.data is not None
    train = load(graph.spec.data, graph.spec.seed).train
    bag, places = Bootstrap(train, 3, graph.spec.seed), torch.arange(20)
    together = bag.batch(places, step=0)
    x, y = train.batch(slice(0, len(train))).inputs["input"], train.target
    for number in range(3):
        own = x[bag.rows[places, number]].double().numpy()
        mixed, labels = together.inputs["input"][number::3].double().numpy(), together.answer[number::3]
        assert torch.equal(labels, y[bag.rows[places, number]])
        partner = np.roll(own, 1, 0)
        away = np.abs(own - partner).sum(1) > 1e-6
        share = ((mixed - partner) * (own - partner)).sum(1)[away] / ((own - partner) ** 2).sum(1)[away]
        assert np.ptp(share) < 1e-4, "one share for all of a member's samples, each mixed with the one before it"
        assert np.abs(share[0] * own + (1 - share[0]) * partner - mixed).max() < 1e-5


def test_members_start_apart_and_none_is_the_single_network() -> None:
    first, second, third = (member.state_dict()["linear1.weight"] for member in ensemble(spec()).members)
    alone = compile_graph(build_text(spec())).state_dict()["linear1.weight"]
    assert len({tuple(w.flatten().tolist()) for w in (first, second, third, alone)}) == 4


def test_predictions_are_averaged() -> None:
    logits = torch.randn(5, 7, 3, dtype=torch.float64)
    found = mean_prediction(list(logits), "logits").softmax(1)
    assert torch.allclose(found, logits.softmax(2).mean(0))
    single = torch.randn(5, 7, 1, dtype=torch.float64)
    assert torch.allclose(mean_prediction(list(single), "logit").sigmoid(), single.sigmoid().mean(0))
    assert torch.allclose(mean_prediction(list(single), "values"), single.mean(0))


@pytest.mark.parametrize(
    ("data", "layers", "loss"),
    [
        ("iris", "{linear: 8}, tanh, {linear: $classes}", "cross_entropy"),
        ("diabetes", "{linear: 8}, tanh, {linear: 1}", "mse"),
    ],
)
def test_averaging_is_worth_what_theory_says(tmp_path: Path, data: str, layers: str, loss: str) -> None:
    (tmp_path / "a.yaml").write_text(spec(data=data, layers=layers, loss=loss, members=5, optimizer="adam: {lr: 0.01}"))
    run = nnctl.train(nnctl.load_spec(tmp_path / "a.yaml"), run=tmp_path / "run")
    assert run.stopped == "finished"
    found = nnctl.evaluate(tmp_path / "run").ensemble
    assert found is not None
    assert found.members == 5
    assert abs(found.predicted - found.measured) <= 1e-12 * found.measured
    assert 0 < found.c < found.v, "members differ, so that averaging helps"
    again = nnctl.evaluate(tmp_path / "run", split="validation")
    assert again.agrees_with_log


def test_an_ensemble_resumes_bit_for_bit(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(spec())
    whole = nnctl.train(nnctl.load_spec(tmp_path / "a.yaml"), run=tmp_path / "whole")
    (tmp_path / "whole" / "state").rename(tmp_path / "aside")
    nnctl.train(nnctl.load_spec(tmp_path / "a.yaml"), run=tmp_path / "cut")
    last = max((tmp_path / "cut" / "state").glob("step-*"), key=lambda path: int(path.name[5:]))
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    resumed = nnctl.train(nnctl.load_spec(tmp_path / "a.yaml"), run=tmp_path / "cut", resume=True)
    assert resumed.metrics == whole.metrics
    first, second = (nnctl.evaluate(tmp_path / name / "best.safetensors").as_json() for name in ("whole", "cut"))
    assert first["ensemble"] == second["ensemble"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("  clip: {norm: 1.0}", "`train.clip.norm` bounds all members' gradients together"),
        ("  bagging: 1", None),
    ],
)
def test_what_members_cannot_share_is_refused(extra: str, message: str | None) -> None:
    text = spec() + extra if message else spec(members=1)
    with pytest.raises(SpecError) as caught:
        build_text(text)
    assert (message or "`members` is 1, expected a whole number from 2 to 1000") in caught.value.problems[0].message


def test_an_ensemble_is_predicted_with_exported_and_inspected(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(spec(data="digits", layers="flatten, {linear: 8}, tanh, {linear: $classes}"))
    nnctl.train(nnctl.load_spec(tmp_path / "a.yaml"), run=tmp_path / "run")
    assert nnctl.export(tmp_path / "run", tmp_path / "out.safetensors").tensors == 12
    assert [layer.kind for layer in nnctl.inspect(tmp_path / "run").layers] == ["flatten", "linear", "tanh", "linear"]
    from PIL import Image

    Image.new("L", (8, 8), 90).save(tmp_path / "photo.png")
    (found,) = nnctl.predict(tmp_path / "run", [tmp_path / "photo.png"]).predictions
    assert found.probability is not None
    assert 0.1 < found.probability < 1
