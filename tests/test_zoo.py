"""The architectures of specs/: their sizes are the published ones, and their multiply-adds those that torch counts."""

from __future__ import annotations

import math
import re
import runpy
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nnctl.graph.build import Graph, build_file
from nnctl.kinds.layers.shape import Shape
from nnctl.network import compile as compiler
from nnctl.network.compile import compile_graph

ROOT = Path(__file__).parent.parent
ZOO = sorted(path.relative_to(ROOT / "specs") for path in (ROOT / "specs").rglob("*.yaml"))

PARAMETERS = {
    "imagenet/alexnet": 61_100_840,
    "imagenet/vgg11": 132_863_336,
    "imagenet/vgg11_lrn": 132_863_336,
    "imagenet/vgg13": 133_047_848,
    "imagenet/vgg16_c": 133_638_952,
    "imagenet/vgg16": 138_357_544,
    "imagenet/vgg19": 143_667_240,
    "imagenet/vgg11_bn": 132_868_840,
    "imagenet/vgg13_bn": 133_053_736,
    "imagenet/vgg16_bn": 138_365_992,
    "imagenet/vgg19_bn": 143_678_248,
    "imagenet/googlenet": 13_004_888,
    "imagenet/resnet18": 11_689_512,
    "imagenet/resnet34": 21_797_672,
    "imagenet/resnet50": 25_557_032,
    "imagenet/resnet101": 44_549_160,
    "imagenet/resnet152": 60_192_808,
    "imagenet/resnext50_32x4d": 25_028_904,
    "imagenet/wide_resnet50_2": 68_883_240,
    "imagenet/se_resnet50": 28_088_024,
    "imagenet/densenet121": 7_978_856,
    "imagenet/efficientnet_b0": 5_288_548,
    "imagenet/mobilenet_v2": 3_504_872,
    "cifar/resnet20": 269_722,
    "cifar/resnet32": 464_154,
    "cifar/resnet44": 658_586,
    "cifar/resnet56": 853_018,
    "cifar/resnet110": 1_727_962,
    "cifar/resnet1202": 19_421_274,
    "cifar/resnet20_b": 272_474,
    "cifar/resnet32_b": 466_906,
    "cifar/resnet44_b": 661_338,
    "cifar/resnet56_b": 855_770,
    "cifar/resnet110_b": 1_730_714,
    "cifar/plain20": 269_722,
    "cifar/plain32": 464_154,
    "cifar/plain44": 658_586,
    "cifar/plain56": 853_018,
    "cifar/plain110": 1_727_962,
    # option B, whose two projections have batch norms that these have not
    "cifar/preact_resnet110": 1_730_714 - 2 * (32 + 64),
    "cifar/wide_resnet28_10": 36_479_194,
    "cifar/densenet121": 6_956_298,
    "cifar/densenet_bc100": 769_162,
    # option A; in place of its batch norms five numbers a branch, and two more
    "cifar/fixup_resnet110": 1_727_962 - 2 * (16 + 2 * 18 * (16 + 32 + 64)) + 5 * 54 + 2,
    "cifar/delta_orthogonal1000": (9 * 3 + 1) * 32 + 999 * (9 * 32 + 1) * 32 + (32 + 1) * 10,
    # patches, class token, positions; in each of six blocks two norms, four maps, two layers; norm, classes
    "cifar/vit_small": 49 * 192
    + 192
    + 65 * 192
    + 6 * (4 * 192 + 4 * 193 * 192 + 193 * 768 + 769 * 192)
    + 2 * 192
    + 193 * 10,
    "tiny_imagenet/resnet18": 11_279_112,
    "tiny_imagenet/vgg11": 9_231_114 - 513 * 10 + (4 * 512 + 1) * 200,  # that for 32×32 photos with another last layer
    # on the way down three pairs of 3×3 convolutions, on the way up two, and two that enlarge; 16, 32 and 64 channels
    "unet": sum(9 * (a + b) * b + 4 * b for a, b in ((3, 16), (16, 32), (32, 64), (64, 32), (32, 16)))
    + (4 * 64 + 1) * 32
    + (4 * 32 + 1) * 16
    + 17 * 3,
    "lstm_rows": 4 * 128 * (28 + 128 + 2) + 129 * 10,
    "highway50": (784 + 1) * 50 + 48 * 2 * (50 + 1) * 50 + (50 + 1) * 10,
}

built = cache(build_file)  # a spec serves several tests

PLAIN = "model.blocks.unit.layers[0].basic_block.shortcut=none"
VARIANTS = [
    ("imagenet/resnet18", ["model.params.classes=10"], 11_181_642),
    ("imagenet/resnet18", ["model.params.classes=200"], 11_279_112),
    ("imagenet/resnet18", [PLAIN], 11_515_688),
    ("imagenet/resnet34", [PLAIN], 21_623_848),
    ("imagenet/resnext50_32x4d", ["model.params.n3=23", "model.params.base=8"], 88_791_336),  # ResNeXt-101 32×8d
    ("imagenet/densenet121", ["model.layers[5].dense=32", "model.layers[7].dense=32"], 14_149_480),  # 169
    ("imagenet/densenet121", ["model.layers[5].dense=48", "model.layers[7].dense=32"], 20_013_928),  # 201
    (
        "imagenet/densenet121",  # 161
        ["model.params.growth=48", "model.layers[5].dense=36", "model.layers[7].dense=24"],
        28_681_000,
    ),
    (
        "imagenet/alexnet",  # the original, in two groups
        [
            *("model.layers[0].conv.channels=96", "model.layers[3].conv.channels=256", "model.layers[8].conv=384"),
            *(f"model.layers[{index}].conv.groups=2" for index in (3, 8, 10)),
        ],
        60_965_224,
    ),
]


def graph(name: str | Path, *overrides: str) -> Graph:
    path = (ROOT / "specs" / name).with_suffix(".yaml")
    return build_file(path, overrides) if overrides else built(path)


@pytest.mark.parametrize(("name", "parameters"), PARAMETERS.items())
def test_has_the_published_number_of_parameters(name: str, parameters: int) -> None:
    assert graph(name).parameters == parameters


@pytest.mark.parametrize(("name", "overrides", "parameters"), VARIANTS)
def test_variants_by_override_have_theirs(name: str, overrides: list[str], parameters: int) -> None:
    assert graph(name, *overrides).parameters == parameters


def test_googlenet_without_its_heads() -> None:
    found = graph("imagenet/googlenet")
    heads = sum(row.params for row in found.rows if row.path.startswith("aux"))
    assert found.parameters - heads == 6_624_904


def test_the_shared_stem_of_resnets_for_other_photos() -> None:
    found = graph("resnet18")
    assert found.parameters == 11_173_962
    assert graph("resnet18", "data.dataset=tiny_imagenet").parameters == 11_271_432


def in_words(number: int) -> str:
    if number >= 10**9:
        return f"{number / 10**9:.2f} billion"
    return f"{number / 10**6:.{1 if number < 10**8 else 0}f} million"


@pytest.mark.parametrize(
    "path", [path for path in ZOO if path.parts[0] in ("imagenet", "cifar", "tiny_imagenet")], ids=str
)
def test_its_first_lines_say_its_true_cost(path: Path) -> None:
    lines = (ROOT / "specs" / path).read_text().splitlines()
    head = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    found = graph(path)
    assert f"Cost: {found.parameters:,} parameters, {in_words(found.macs)} multiply-adds a photo." in head
    assert re.search(r"Expect: .*\. Cost: .*\. Papers?: .*, (19|20)\d\d", head)


def test_the_page_of_architectures_is_up_to_date() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "zoo.py"))
    assert script["page"](built) == (ROOT / "docs" / "zoo.md").read_text(encoding="utf-8"), "run python docs/zoo.py"


# multiply-adds

SHORTER = {
    **{f"cifar/{kind}{depth}": "n=3" for kind in ("resnet", "plain") for depth in (32, 44, 56, 1202)},
    **{f"cifar/resnet{depth}_b": "n=3" for depth in (32, 44, 56, 110)},
    "cifar/plain110": "n=3",
    "cifar/delta_orthogonal1000": "depth=10",
}
"""Of families that have a member counted in full: fewer turns of the same repeats."""


@pytest.mark.parametrize("path", ZOO, ids=str)
def test_multiply_adds_are_half_of_the_operations_that_torch_counts(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorter = SHORTER.get(str(path.with_suffix("")))
    found = graph(path, f"model.params.{shorter}") if shorter else graph(path)
    monkeypatch.setattr(compiler, "initialise", lambda *_: None)  # nothing is computed: shapes alone count
    network = compile_graph(found).to("meta").train()
    with FlopCounterMode(display=False) as counter:
        network.outputs({name: nothing(shape) for name, shape in found.inputs.items()})
    assert 2 * 2 * found.macs == counter.get_total_flops()


def nothing(shape: Shape) -> torch.Tensor:
    """Return two samples of a field without values."""
    dtype = torch.float32 if shape.vocabulary is None else torch.int64
    return torch.empty(2, *shape.dims, dtype=dtype, device="meta")


def test_multiply_adds_of_a_recurrent_layer_follow_the_formula() -> None:
    row = next(row for row in graph("lstm_rows").rows if row.kind == "lstm")
    assert row.macs == 28 * 4 * (28 + 128) * 128  # at each step four gates, of the row and of the last output


# behaviour


def test_fixup_starts_at_the_loss_of_a_guess() -> None:
    found = graph("cifar/fixup_resnet110", "model.params.n=3")
    network = compile_graph(found)
    x = torch.randn(10, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert nn.functional.cross_entropy(network(x), torch.arange(10)).item() == pytest.approx(math.log(10), abs=1e-6)
    deviation = network.get_parameter("repeat1.1.keep1.residual1.body.branch1.conv1.weight").std().item()
    assert deviation == pytest.approx(math.sqrt(2 / (9 * 16)) / 3, rel=0.05)  # nine branches of two layers: He's / √9


def test_delta_orthogonal_layers_keep_the_norm() -> None:
    network = compile_graph(graph("cifar/delta_orthogonal1000", "model.params.depth=8"))
    convolution = network.get_submodule("repeat2.3.conv1")
    assert isinstance(convolution, nn.Conv2d)
    x = torch.randn(2, 32, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ratio = (convolution(x) - convolution(torch.zeros_like(x))).norm() / x.norm()
    assert ratio.item() == pytest.approx(math.sqrt(1.05), rel=1e-5)


def test_a_zero_initialised_block_behind_a_relu_changes_no_bit(tmp_path: Path) -> None:
    """Nested function classes (N20): the larger net contains the smaller one."""
    small = compile_graph(graph("cifar/resnet20", "model.params.n=1"))
    x = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for _ in range(2):
        parameters = list(small.parameters())
        gradients = torch.autograd.grad(nn.functional.cross_entropy(small(x), torch.arange(6)), parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(0.05 * gradient)
    spec = tmp_path / "deeper.yaml"
    spec.write_text(f"""
extends: {ROOT / "specs" / "cifar" / "resnet20.yaml"}
model:
  params: {{n: 1}}
  blocks:
    stage:
      params: {{channels: null, stride: 2}}
      layers:
        - basic_block: {{channels: $channels, stride: $stride, shortcut: $shortcut}}
        - repeat: {{times: $(n - 1), layers: [{{basic_block: $channels}}]}}
        - residual:
            name: new
            shortcut: identity
            body: [{{conv: $in}}, relu, {{conv: {{channels: $in, init: zero}}}}]
        - {{relu: {{name: after}}}}
""")
    large = compile_graph(build_file(spec))
    missing, unexpected = large.load_state_dict(small.state_dict(), strict=False)
    assert not unexpected
    assert [name.split(".")[:2] for name in missing] == [[f"stage{i}", "new"] for i in (1, 2, 3) for _ in range(4)]
    assert large.get_parameter("stage1.new.body.conv1.weight").any()
    for training in (True, False):
        with torch.no_grad():
            assert torch.equal(large.train(training)(x), small.train(training)(x))
