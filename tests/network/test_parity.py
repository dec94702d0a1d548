"""The same numbers as torchvision: its tensors copied over in the order of `state_dict()`, then output by output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision.models as reference
from torch import Tensor, nn

from nnctl.graph.build import build_text
from nnctl.network.compile import compile_graph
from nnctl.network.modules import Network
from tests.network.architectures import (
    ALEXNET,
    DENSENET121,
    GOOGLENET,
    GOOGLENET_HEADS,
    MOBILENET_V2,
    resnet,
    vgg,
)

TOLERANCE = 1e-5
Model = Callable[..., nn.Module]


def images(batch: int = 2) -> Tensor:
    return torch.randn(batch, 3, 224, 224, generator=torch.Generator().manual_seed(1))


def randomised(model: nn.Module) -> nn.Module:
    """Give batch norms weights, biases and running statistics that a mistake in them cannot hide behind."""
    generator = torch.Generator().manual_seed(0)
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    for part in model.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    with torch.no_grad():
        for norm in norms:
            norm.weight.uniform_(0.5, 1.5, generator=generator)
            norm.bias.normal_(0.0, 0.2, generator=generator)
            norm.momentum = None
        model.train()
        for _ in range(2 if norms else 0):
            model(torch.randn(2, 3, 224, 224, generator=generator))
    return model


def copied(model: nn.Module, text: str) -> Network:
    """Return the spec's network with the model's tensors, in order; drops nothing, as the model does."""
    network = compile_graph(build_text(text))
    theirs, ours = model.state_dict(), network.state_dict()
    assert [tensor.shape for tensor in ours.values()] == [tensor.shape for tensor in theirs.values()]
    network.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    for part in network.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.0
    return network


def distance(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


@torch.no_grad()
def difference(model: nn.Module, text: str, training: bool = False) -> float:
    network, x = copied(model, text).train(training), images()
    return distance(network(x), _output(model.train(training)(x)))


def _output(found: Any) -> Tensor:
    output = found if isinstance(found, Tensor) else found[0]
    assert isinstance(output, Tensor)
    return output


SPECS: dict[str, tuple[Model, str, int]] = {
    "vgg11": (reference.vgg11, vgg(1, 1, 2, 2, 2), 132_863_336),
    "resnet18": (reference.resnet18, resnet(2, 2, 2, 2), 11_689_512),
    "alexnet": (reference.alexnet, ALEXNET, 61_100_840),
    "resnet50": (reference.resnet50, resnet(3, 4, 6, 3, block="bottleneck"), 25_557_032),
    "mobilenet_v2": (reference.mobilenet_v2, MOBILENET_V2, 3_504_872),
    "densenet121": (reference.densenet121, DENSENET121, 7_978_856),
}
NAMES = [name if name in ("vgg11", "resnet18") else pytest.param(name, marks=pytest.mark.slow) for name in SPECS]


@pytest.mark.parametrize("name", NAMES)
def test_the_outputs_are_torchvisions(name: str) -> None:
    build, text, parameters = SPECS[name]
    model = randomised(build(weights=None))
    assert build_text(text).parameters == parameters
    assert difference(model, text) <= TOLERANCE
    assert difference(model, text, training=True) <= TOLERANCE


def googlenet() -> nn.Module:
    return randomised(reference.googlenet(weights=None, aux_logits=True, init_weights=False))


@torch.no_grad()
def googlenet_differences(model: nn.Module, text: str) -> tuple[float, float, float]:
    network, x = copied(model, text).train(), images()
    theirs, ours = model.train()(x), network.outputs(x)
    assert distance(network(x), theirs.logits) == distance(ours["output"], theirs.logits)
    return (
        distance(ours["output"], theirs.logits),
        distance(ours["aux1"], theirs.aux_logits1),
        distance(ours["aux2"], theirs.aux_logits2),
    )


@pytest.mark.slow
def test_googlenet_and_both_its_heads_are_torchvisions() -> None:
    model = googlenet()
    assert build_text(GOOGLENET).parameters == 13_004_888
    assert difference(model, GOOGLENET) <= TOLERANCE
    assert max(googlenet_differences(model, GOOGLENET)) <= TOLERANCE


@pytest.mark.slow
def test_heads_in_another_order_fail_the_check() -> None:
    first, second = GOOGLENET_HEADS.splitlines(keepends=True)
    swapped = GOOGLENET.replace("from: after_4a", "from: X").replace("from: after_4d", "from: after_4a")
    model = googlenet()
    # the heads' tensors differ in shape (512 and 528 channels), so that the order alone is refused
    with pytest.raises(AssertionError):
        copied(model, swapped.replace("from: X", "from: after_4d"))
    indented = [f"    {line}" for line in (first, second)]
    with pytest.raises(AssertionError):
        copied(model, GOOGLENET.replace("".join(indented), indented[1] + indented[0]))


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
    text = SPECS["resnet18"][1]
    assert text.count(right) == 1
    model = randomised(reference.resnet18(weights=None))
    assert difference(model, text.replace(right, wrong)) > 10 * TOLERANCE
