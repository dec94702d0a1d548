"""Well-known architectures as small specs; the project's own specs are compared with them nowhere."""

from __future__ import annotations

from textwrap import indent

STEM = """\
- conv: {channels: 64, kernel: 7, stride: 2, bias: false}
- batch_norm
- relu
- max_pool: {kernel: 3, stride: 2, padding: 1}
"""

CLASSIFIER = """\
- adaptive_avg_pool: 7
- flatten
- linear: 4096
- relu
- dropout: 0.5
- linear: 4096
- relu
- dropout: 0.5
- linear: 1000
"""


def spec(layers: str, blocks: str = "", size: int = 224) -> str:
    """Return a spec of an image classifier."""
    middle = "  blocks:\n" + indent(blocks, "    ") if blocks else ""
    return f"name: net\nmodel:\n  input: [3, {size}, {size}]\n{middle}  layers:\n" + indent(layers, "    ")


def vgg(*stages: int) -> str:
    """Return VGG with so many 3×3 convolutions in its five stages (Simonyan & Zisserman, 2015)."""
    layers = ""
    for channels, count in zip((64, 128, 256, 512, 512), stages, strict=True):
        layers += f"- conv: {channels}\n- relu\n" * count + "- max_pool: 2\n"
    return spec(layers + CLASSIFIER)


def resnet(*counts: int, block: str = "basic_block", extra: str = "", width: int = 64) -> str:
    """Return a residual net with so many blocks in its four stages (He et al., 2016)."""
    layers = STEM
    for stage, count in enumerate(counts):
        channels = width * 2**stage
        layers += f"- {block}: {{channels: {channels}, stride: {1 if stage == 0 else 2}{extra}}}\n"
        layers += f"- repeat: {{times: {count - 1}, layers: [{{{block}: {{channels: {channels}{extra}}}}}]}}\n"
    return spec(layers + "- global_avg_pool\n- linear: 1000\n")


def cifar_resnet(n: int, shortcut: str) -> str:
    """Return the 6n+2-layer residual net for 32×32 photos in ten classes."""
    layers = "- conv: {channels: 16, bias: false}\n- batch_norm\n- relu\n"
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        layers += f"- basic_block: {{channels: {channels}, stride: {stride}, shortcut: {shortcut}}}\n"
        layers += (
            f"- repeat: {{times: {n - 1}, layers: [basic_block: {{channels: {channels}, shortcut: {shortcut}}}]}}\n"
        )
    return spec(layers + "- global_avg_pool\n- linear: 10\n", size=32)


ALEXNET = spec("""\
- conv: {channels: 64, kernel: 11, stride: 4, padding: 2}
- relu
- max_pool: {kernel: 3, stride: 2}
- conv: {channels: 192, kernel: 5}
- relu
- max_pool: {kernel: 3, stride: 2}
- conv: 384
- relu
- conv: 256
- relu
- conv: 256
- relu
- max_pool: {kernel: 3, stride: 2}
- adaptive_avg_pool: 6
- flatten
- dropout: 0.5
- linear: 4096
- relu
- dropout: 0.5
- linear: 4096
- relu
- linear: 1000
""")

LENET = spec("""\
- conv: {channels: 6, kernel: 5}
- tanh
- avg_pool: 2
- conv: {channels: 16, kernel: 5, padding: 0}
- tanh
- avg_pool: 2
- flatten
- linear: 120
- tanh
- linear: 84
- tanh
- linear: 10
""").replace("[3, 224, 224]", "[1, 28, 28]")

DENSE_BLOCKS = """\
dense:
  params: {count: null, growth: 32}
  layers:
    - repeat:
        times: $count
        layers:
          - branches:
              merge: concat
              paths:
                - [identity]
                - - batch_norm
                  - relu
                  - conv: {channels: $(4 * growth), kernel: 1, bias: false}
                  - batch_norm
                  - relu
                  - conv: {channels: $growth, bias: false}
transition:
  layers: [batch_norm, relu, {conv: {channels: $(in // 2), kernel: 1, bias: false}}, {avg_pool: 2}]
"""

_DENSENET = "- dense: 6\n- transition\n- dense: 12\n- transition\n- dense: 24\n- transition\n- dense: 16\n"
_HEAD = "- batch_norm\n- relu\n- global_avg_pool\n"
DENSENET121 = spec(STEM + _DENSENET + _HEAD + "- linear: 1000\n", DENSE_BLOCKS)
DENSENET121_CIFAR = spec(
    "- conv: {channels: 64, bias: false}\n" + _DENSENET + _HEAD + "- linear: 10\n", DENSE_BLOCKS, size=32
)
DENSENET_BC100 = spec(
    "- conv: {channels: 24, bias: false}\n"
    + "- transition\n".join(["- dense: {count: 16, growth: 12}\n"] * 3)
    + _HEAD
    + "- linear: 10\n",
    DENSE_BLOCKS,
    size=32,
)

_INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def _inception(name: str) -> str:
    fields = ", ".join(f"{k}: {v}" for k, v in zip(("c1", "r3", "c3", "r5", "c5", "p"), _INCEPTIONS[name], strict=True))
    tag = f"- tag: after_{name}\n" if name in ("4a", "4d") else ""
    return f"- inception: {{{fields}}}\n{tag}"


_POOL = "- max_pool: {kernel: 3, stride: 2, ceil: true}\n"
_AUXILIARY = (
    "layers: [{adaptive_avg_pool: 4}, {unit: 128}, flatten, {linear: 1024}, relu, {dropout: 0.7}, {linear: 1000}]"
)
GOOGLENET_HEADS = "".join(
    f"- head: {{name: aux{number}, from: after_{tag}, eval: true, {_AUXILIARY}}}\n"
    for number, tag in ((1, "4a"), (2, "4d"))
)
GOOGLENET = spec(
    "- unit: {channels: 64, kernel: 7, stride: 2}\n"
    + _POOL
    + "- unit: 64\n- unit: {channels: 192, kernel: 3}\n"
    + _POOL
    + _inception("3a")
    + _inception("3b")
    + _POOL
    + "".join(_inception(name) for name in ("4a", "4b", "4c", "4d", "4e"))
    + "- max_pool: {kernel: 2, ceil: true}\n"
    + _inception("5a")
    + _inception("5b")
    + GOOGLENET_HEADS
    + "- global_avg_pool\n- dropout: 0.2\n- linear: 1000\n",
    """\
unit:
  params: {channels: null, kernel: 1, stride: 1}
  layers:
    - conv: {channels: $channels, kernel: $kernel, stride: $stride, bias: false}
    - batch_norm: {eps: 1e-3}
    - relu
inception:
  params: {c1: null, r3: null, c3: null, r5: null, c5: null, p: null}
  layers:
    - branches:
        merge: concat
        paths:
          - [{unit: $c1}]
          - [{unit: $r3}, {unit: {channels: $c3, kernel: 3}}]
          - [{unit: $r5}, {unit: {channels: $c5, kernel: 3}}]
          - [{max_pool: {kernel: 3, stride: 1, padding: 1}}, {unit: $p}]
""",
)

_STAGES = ((24, 2, 2), (32, 3, 2), (64, 4, 2), (96, 3, 1), (160, 3, 2), (320, 1, 1))
MOBILENET_V2 = spec(
    "- unit: {channels: 32, kernel: 3, stride: 2}\n- separable: 16\n"
    + "".join(f"- stage: {{channels: {c}, count: {n}, stride: {s}}}\n" for c, n, s in _STAGES)
    + "- unit: 1280\n- global_avg_pool\n- dropout: 0.2\n- linear: 1000\n",
    """\
unit:
  params: {channels: $in, kernel: 1, stride: 1, groups: 1}
  layers:
    - conv: {channels: $channels, kernel: $kernel, stride: $stride, groups: $groups, bias: false}
    - batch_norm
    - relu6
separable:
  params: {channels: null, stride: 1}
  layers:
    - unit: {kernel: 3, stride: $stride, groups: $in}
    - conv: {channels: $channels, kernel: 1, bias: false}
    - batch_norm
inverted:
  params: {channels: null, stride: 1}
  layers: [{unit: $(6 * in)}, {separable: {channels: $channels, stride: $stride}}]
stage:
  params: {channels: null, count: null, stride: 2}
  layers:
    - inverted: {channels: $channels, stride: $stride}
    - repeat:
        times: $(count - 1)
        layers: [{residual: {shortcut: identity, body: [{inverted: $channels}]}}]
""",
)

WIDE_RESNET28_10 = spec(
    "- conv: {channels: 16, bias: false}\n- stage: {channels: 160, stride: 1}\n- stage: 320\n- stage: 640\n"
    "- batch_norm\n- relu\n- global_avg_pool\n- linear: 10\n",
    """\
inside:
  params: {channels: null, stride: 1}
  layers:
    - conv: {channels: $channels, stride: $stride, bias: false}
    - batch_norm
    - relu
    - conv: {channels: $channels, bias: false}
stage:
  params: {channels: null, stride: 2}
  layers:
    - batch_norm
    - relu
    - residual:
        shortcut: [{conv: {channels: $channels, kernel: 1, stride: $stride, bias: false}}]
        body: [{inside: {channels: $channels, stride: $stride}}]
    - repeat:
        times: 3
        layers: [{residual: {body: [batch_norm, relu, {inside: $channels}], shortcut: identity}}]
""",
    size=32,
)
