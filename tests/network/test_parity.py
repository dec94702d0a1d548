"""The same numbers as torchvision: its tensors copied over in the order of `state_dict()`, then output by output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision.models as reference
from torch import Tensor, nn
from torchvision.ops import StochasticDepth

from nnctl.graph.build import Graph, build_file, build_text
from nnctl.network import compile as compiler
from nnctl.network.compile import compile_graph
from nnctl.network.modules import Network

TOLERANCE = 1e-5
IMAGENET = Path(__file__).parent.parent.parent / "specs" / "imagenet"


@pytest.fixture(autouse=True)
def own_weights_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are replaced, and drawing 140 million takes longer than the comparison."""
    monkeypatch.setattr(compiler, "initialise", lambda *_: None)


def images(size: int) -> Tensor:
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(1))


def without_chance(model: nn.Module) -> None:
    for part in model.modules():
        if isinstance(part, (nn.Dropout, StochasticDepth)):
            part.p = 0.0


def randomised(model: nn.Module, size: int = 224) -> nn.Module:
    """Give batch norms weights, biases and running statistics that a mistake in them cannot hide behind."""
    generator = torch.Generator().manual_seed(0)
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    without_chance(model)
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5, generator=generator)
            norm.bias.normal_(0.0, 0.2, generator=generator)
            norm.momentum = None
        model.train()
        for _ in range(2 if norms else 0):
            model(torch.randn(2, 3, size, size, generator=generator))
    return model


def text_of(name: str) -> str:
    return (IMAGENET / f"{name}.yaml").read_text()


def copied(model: nn.Module, graph: Graph) -> Network:
    """Return the graph's network with the model's tensors, in order; drops nothing, as the model does."""
    network = compile_graph(graph)
    theirs, ours = model.state_dict(), network.state_dict()
    assert [tensor.shape for tensor in ours.values()] == [tensor.shape for tensor in theirs.values()]
    network.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    without_chance(network)
    return network


def distance(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


@torch.no_grad()
def difference(model: nn.Module, graph: Graph, training: bool = False, size: int = 224) -> float:
    network, x = copied(model, graph).train(training), images(size)
    return distance(network(x), _output(model.train(training)(x)))


def _output(found: Any) -> Tensor:
    output = found if isinstance(found, Tensor) else found[0]
    assert isinstance(output, Tensor)
    return output


QUICK = ("vgg11", "resnet18")
SMALL = 112
"""The size of photos for the others, which work at any: a quarter of the time."""
NAMES = [
    *QUICK,
    *("alexnet", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"),
    *("resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d", "wide_resnet50_2"),
    *("densenet121", "efficientnet_b0", "mobilenet_v2"),
]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in NAMES]
)
def test_the_outputs_are_torchvisions(name: str) -> None:
    size = 224 if name in QUICK else SMALL
    model = randomised(getattr(reference, name)(weights=None), size)
    graph = build_file(IMAGENET / f"{name}.yaml")
    assert difference(model, graph, size=size) <= TOLERANCE
    assert difference(model, graph, training=True, size=size) <= TOLERANCE


def test_every_name_that_torchvision_has_is_compared() -> None:
    shipped = {path.stem for path in IMAGENET.glob("*.yaml")}
    assert {name for name in shipped if hasattr(reference, name)} == {*NAMES, "googlenet"}


@torch.no_grad()
def test_the_vision_transformer_is_torchvisions() -> None:
    model = reference.VisionTransformer(32, 4, num_layers=6, num_heads=3, hidden_dim=192, mlp_dim=768, num_classes=10)
    generator = torch.Generator().manual_seed(0)
    for tensor in model.parameters():
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * 0.1)  # torchvision starts its last layer at 0
    network = compile_graph(build_file(IMAGENET.parent / "cifar" / "vit_small.yaml"))
    token, weight, bias, *others = model.state_dict().values()
    theirs = (weight, bias, token, *others)  # here the class token is written behind the patches, to which it is added
    ours = network.state_dict()
    network.load_state_dict({name: value.view(ours[name].shape) for name, value in zip(ours, theirs, strict=True)})
    x = torch.randn(2, 3, 32, 32, generator=generator)
    for training in (False, True):
        assert distance(network.train(training)(x), model.train(training)(x)) <= TOLERANCE


def googlenet() -> nn.Module:
    return randomised(reference.googlenet(weights=None, aux_logits=True, init_weights=False), SMALL)


@torch.no_grad()
def googlenet_differences(model: nn.Module, graph: Graph) -> tuple[float, float, float]:
    network, x = copied(model, graph).train(), images(SMALL)
    theirs, ours = model.train()(x), network.outputs(x)
    assert distance(network(x), theirs.logits) == distance(ours["output"], theirs.logits)
    return (
        distance(ours["output"], theirs.logits),
        distance(ours["aux1"], theirs.aux_logits1),
        distance(ours["aux2"], theirs.aux_logits2),
    )


@pytest.mark.slow
def test_googlenet_and_both_its_heads_are_torchvisions() -> None:
    model, graph = googlenet(), build_file(IMAGENET / "googlenet.yaml")
    assert difference(model, graph, size=SMALL) <= TOLERANCE
    assert max(googlenet_differences(model, graph)) <= TOLERANCE


@pytest.mark.slow
def test_heads_in_another_order_fail_the_check() -> None:
    text, model = text_of("googlenet"), googlenet()
    first, second = (line for line in text.splitlines() if "- head:" in line)
    # the heads' tensors differ in shape (512 and 528 channels), so that the order alone is refused
    for wrong in (
        text.replace(first, "FIRST").replace(second, first).replace("FIRST", second),
        text.replace("from: after_4a", "from: X").replace("from: after_4d", "from: after_4a").replace("X", "after_4d"),
    ):
        with pytest.raises(AssertionError):
            copied(model, build_text(wrong))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("- relu\n    - max_pool", "- leaky_relu\n    - max_pool"),
        ("- batch_norm\n    - relu", "- batch_norm: {eps: 1e-3}\n    - relu"),
        ("- max_pool: {kernel: 3, stride: 2, padding: 1}", "- avg_pool: {kernel: 3, stride: 2, padding: 1}"),
        ("- conv: {channels: 64, kernel: 7, ", "- conv: {channels: 64, kernel: 7, padding_mode: reflect, "),
    ],
)
def test_a_wrong_activation_eps_pool_or_padding_fails_the_check(right: str, wrong: str) -> None:
    text = text_of("resnet18")
    assert text.count(right) == 1
    model = randomised(reference.resnet18(weights=None))
    assert difference(model, build_text(text.replace(right, wrong))) > 10 * TOLERANCE
