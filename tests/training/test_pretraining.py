"""Layer-wise pretraining against the same written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import nnctl
from nnctl.data.load import Splits, load
from nnctl.data.order import batch_slices, epoch_order
from nnctl.errors import SpecError
from nnctl.graph.build import Graph, build_text
from nnctl.network.compile import compile_graph
from nnctl.randomness import derive
from nnctl.training.begin import begin
from nnctl.training.reporter import Reporter

SPEC = """
name: greedy
data: {dataset: iris}
model:
  layers:
    [{linear: {features: 5, name: first}}, sigmoid, {linear: {features: 4, name: second}}, tanh, {linear: $classes}]
train:
  epochs: 1
  batch_size: 16
  loss: cross_entropy
  optimizer: {sgd: {lr: 0.1, momentum: 0.5}}
  pretrain: {autoencoder: {stages: [first, second], epochs: 3}}
"""


def prepared(text: str = SPEC) -> tuple[Graph, Splits, list[slice]]:
    graph = build_text(text)
    assert graph.spec.data is not None
    splits = load(graph.spec.data, graph.spec.seed)
    return graph, splits, batch_slices(len(splits.train), 16, False)


@pytest.mark.parametrize("more", ["", "clip: {norm: 0.05}", "clip: {value: 0.01}", "precision: bf16"])
def test_stages_learn_as_in_a_loop_written_by_hand(more: str) -> None:
    graph, splits, batches = prepared(f"{SPEC}  {more}\n")
    half = torch.autocast("cpu", torch.bfloat16, enabled="bf16" in more)
    found = begin(graph, splits.train, batches, Reporter()).state_dict()
    net = compile_graph(graph)
    start = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    x = splits.train.batch(slice(0, len(splits.train))).inputs["input"]
    for path, layer in (("first", net.first), ("second", net.second)):
        seed = derive(graph.spec.seed, "pretrain", path)
        mean = x.mean(0)
        deviation = ((x - mean) ** 2).mean().sqrt()
        decoder = nn.Linear(layer.out_features, layer.in_features)  # type: ignore[union-attr,arg-type]
        generator = torch.Generator().manual_seed(derive(seed, "decoder"))
        with torch.no_grad():
            decoder.weight.copy_(torch.randn(decoder.weight.shape, generator=generator) / decoder.in_features**0.5)
            decoder.bias.zero_()
        learned = [*layer.parameters(), *decoder.parameters()]  # type: ignore[union-attr]
        optimizer = torch.optim.SGD(learned, lr=0.1, momentum=0.5)
        for epoch in range(3):
            order = epoch_order(len(x), seed, epoch)
            for places in batches:
                rows = x[order[places]]
                optimizer.zero_grad()
                with half:
                    rebuilt = decoder(layer(rows))  # type: ignore[operator]
                error = ((rebuilt.float() - (rows - mean) / deviation) ** 2).mean()
                torch.autograd.backward(error)
                if "norm" in more:
                    nn.utils.clip_grad_norm_(learned, 0.05)
                if "value" in more:
                    nn.utils.clip_grad_value_(learned, 0.01)
                optimizer.step()
        with torch.no_grad(), half:
            x = layer(x).sigmoid().float()  # type: ignore[operator]
    for name in ("first.weight", "first.bias", "second.weight", "second.bias"):
        assert torch.allclose(found[name], net.state_dict()[name], atol=1e-5), name
        assert not torch.equal(found[name], start[name])
    assert torch.equal(found["linear3.weight"], start["linear3.weight"]), "what is no stage stays as it was"


def test_corruption_changes_what_is_learned_and_repeats() -> None:
    corrupt = SPEC.replace("epochs: 3}", "epochs: 3, corrupt: 0.5}")
    first, again, clean = (
        begin(*prepared(text)[0:1], prepared(text)[1].train, prepared(text)[2], Reporter()).state_dict()["first.weight"]
        for text in (corrupt, corrupt, SPEC)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, clean)


def test_a_run_with_pretraining_resumes_and_repeats(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("greedy")
    (place / "a.yaml").write_text(SPEC)
    first = nnctl.train(nnctl.load_spec(place / "a.yaml"), run=place / "one")
    second = nnctl.train(nnctl.load_spec(place / "one" / "spec.yaml"), run=place / "two")
    assert first.metrics == second.metrics
    assert nnctl.train(nnctl.load_spec(place / "a.yaml"), run=place / "one", resume=True).metrics == first.metrics


def test_gradients_are_taken_where_the_optimiser_looks() -> None:
    """Nesterov's momentum in torch's form and in that of the notes are one method while the rate stands still: torch's
    weights are the point ahead, θ + αv."""
    text = SPEC.replace("stages: [first, second], epochs: 3", "stages: [first], epochs: 2")
    found = {}
    for form in ("torch", "notes"):
        rule = f"lr: 0.1, momentum: 0.5, nesterov: true, form: {form}"
        graph, splits, batches = prepared(text.replace("lr: 0.1, momentum: 0.5", rule))
        found[form] = begin(graph, splits.train, batches, Reporter()).state_dict()["first.weight"]
    plain = text.replace("lr: 0.1, momentum: 0.5", "lr: 0.1, momentum: 0.5, form: notes")
    graph, splits, batches = prepared(plain)
    without = begin(graph, splits.train, batches, Reporter()).state_dict()["first.weight"]
    near = float((found["torch"] - found["notes"]).abs().max())
    assert near < 0.2 * float((found["torch"] - without).abs().max()), "a last half step of the velocity apart"


def test_a_batch_norm_in_a_stage_counts_the_steps_it_learned_in() -> None:
    text = SPEC.replace("first}}, sigmoid", "first}}, {batch_norm: {name: norm}}, sigmoid")
    text = text.replace("stages: [first, second], epochs: 3", "stages: [norm], epochs: 2")
    graph, splits, batches = prepared(text)
    found = begin(graph, splits.train, batches, Reporter()).state_dict()
    assert int(found["norm.num_batches_tracked"]) == 2 * len(batches)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ("[frist]", "`model.layers` has no entry `frist`"),
        ("[sigmoid1]", "`sigmoid1` has nothing to learn"),
        ("[second, first]", "stages are not named in the order of the layers"),
        ("[]", "stages are not named in the order of the layers"),
    ],
)
def test_stages_that_cannot_be_are_refused(stages: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(SPEC.replace("[first, second]", stages))
    problem = caught.value.problems[0]
    assert problem.message == message
    assert problem.position.line == 12
