"""What is said where the shape that arrives does not fit a layer."""

from __future__ import annotations

import pytest

from nnctl.errors import SpecError
from nnctl.graph.build import build_text
from nnctl.kinds.layers.base import Shape, ShapeError
from tests.components import image, layer, tokens

VECTOR_NEEDED_SPACE = (
    "expected (channels, length), (channels, height, width) or (channels, depth, height, width), got (8,)",
    "put `reshape: [channels, height, width]` before it",
)

SHAPE_ERRORS = [
    (
        "linear: 10",
        image(16, 4, 4),
        "`linear` takes a vector or tokens, not an image",
        "expected (features,) or (tokens, features), got (16, 4, 4)",
        "put `flatten` before it",
    ),
    (
        "conv: {channels: 8, kernel: 5, padding: 0}",
        image(16, 4, 4),
        "Kernel is larger than its input",
        "`kernel` is 5, input is (16, 4, 4), `padding` is 0",
        "set `padding: same`, or a smaller `kernel`, or remove a pool or stride before it",
    ),
    (
        "conv: {channels: 8, kernel: [4, 2], dilation: 2}",
        image(16, 4, 4),
        "Kernel is larger than its input",
        "`kernel` is [4, 2] (dilated: [7, 3]), input is (16, 4, 4), `padding` is 0",
        "set `padding: 2`, or a smaller `kernel`, or remove a pool or stride before it",
    ),
    (
        "conv: 8",
        tokens(7, 4),
        "`conv` takes a signal, an image or a volume, not tokens",
        "expected (channels, length), (channels, height, width) or (channels, depth, height, width), got (7, 4) tokens",
        "put `reshape: [channels, height, width]` before it",
    ),
    (
        "conv: {channels: 8, groups: 4}",
        image(6, 4, 4),
        "The channels that arrive cannot be cut into 4 equal groups",
        "`groups` is 4, input is (6, 4, 4)",
        "choose `groups` among the divisors of 6",
    ),
    (
        "conv: {channels: 8, kernel: [3, 3, 3]}",
        image(6, 4, 4),
        "`kernel` has 3 numbers, but the input has 2 spatial axes",
        "`kernel` is [3, 3, 3], input is (6, 4, 4)",
        "give a single number, or one for each axis",
    ),
    (
        "conv: {channels: 8, kernel: 5, padding_mode: reflect}",
        image(1, 2, 4),
        "`padding_mode: reflect` has too few rows to take the padding from",
        "padding is 2, input is (1, 2, 4), so it may be [1, 3] at most",
        "set `padding_mode: zeros`, or a smaller `kernel`",
    ),
    (
        "max_pool: 2",
        image(8, 1, 1),
        "Kernel is larger than its input",
        "`kernel` is 2, input is (8, 1, 1), `padding` is 0",
        "set a smaller `kernel`, or remove a pool or stride before it",
    ),
    (
        "avg_pool: {kernel: 3, padding: 2}",
        image(8, 5, 5),
        "Padding is more than half the kernel: some windows would hold nothing but padding",
        "`padding` is 2, `kernel` is 3",
        "set `padding: 1` or less",
    ),
    (
        "adaptive_max_pool: [2, 2]",
        image(8, 5),
        "`size` has 2 numbers, but the input has 1 spatial axis",
        "`size` is [2, 2], input is (8, 5)",
        "give a single number, or one for each axis",
    ),
    (
        "batch_norm",
        tokens(7, 4),
        "`batch_norm` takes a vector, a signal, an image or a volume, not tokens",
        "expected (features,) or (channels, space…), got (7, 4) tokens",
        "put `flatten` before it, or remove it",
    ),
    (
        "spatial_dropout: 0.2",
        image(9),
        "`spatial_dropout` takes a signal, an image or a volume, not a vector",
        "expected (channels, length), (channels, height, width) or (channels, depth, height, width), got (9,)",
        "use `dropout`",
    ),
    (
        "reshape: [16, 5, 5]",
        image(16, 6, 6),
        "The new shape has another count of numbers than the old one",
        "expected 16·6·6 = 576 for (16, 6, 6), got 16·5·5 = 400 for (16, 5, 5)",
        "choose numbers whose product is 576",
    ),
    (
        "group_norm: 4",
        image(6, 2, 2),
        "The features that arrive cannot be cut into 4 equal groups",
        "`groups` is 4, input is (6, 2, 2)",
        "choose `groups` among the divisors of 6",
    ),
    (
        "group_norm: 6",
        image(6),
        "Each group would hold a single number, whose deviation from its mean is 0",
        "`groups` is 6, input is (6,)",
        "choose fewer `groups`",
    ),
    (
        "group_norm: 2",
        tokens(3, 4),
        "`group_norm` takes a vector, a signal, an image or a volume, not tokens",
        "expected (features,) or (channels, space…), got (3, 4) tokens",
        "use `layer_norm`",
    ),
    (
        "instance_norm",
        image(6, 1, 1),
        "Each channel is a single number, whose deviation from its mean is 0",
        "input is (6, 1, 1)",
        "use `batch_norm` or `layer_norm`, or fewer pools or strides before it",
    ),
    *(
        (
            entry,
            image(8),
            f"`{entry.partition(':')[0]}` takes a signal, an image or a volume, not a vector",
            *VECTOR_NEEDED_SPACE,
        )
        for entry in (
            "conv: 8",
            "global_avg_pool",
            "instance_norm",
            "local_response_norm",
            "switchable_norm",
            "squeeze_excite: 2",
            "transposed_conv: 2",
            "upsample: 2",
            "local_conv: 2",
            "cosine_conv: 2",
            "patch_embedding: {features: 4, patch: 2}",
        )
    ),
    (
        "transposed_conv: {channels: 2, output_padding: [1, 2]}",
        image(3, 4, 4),
        "`output_padding` must be smaller than the stride",
        "`output_padding` is [1, 2], `stride` is 2",
        "set it to 1 or less",
    ),
    (
        "transposed_conv: {channels: 2, padding: 1}",
        image(3, 1, 4),
        "Padding cuts off everything there is",
        "`padding` is 1, `kernel` is 2, input is (3, 1, 4)",
        "set a smaller `padding`",
    ),
    (
        "upsample: {factor: 2, mode: bilinear}",
        image(3, 4),
        "`mode: bilinear` does not interpolate a signal",
        "input is (3, 4)",
        "set `mode: linear`, or `mode: nearest`",
    ),
    (
        "local_conv: {channels: 2, kernel: 4}",
        image(3, 2, 5),
        "Kernel is larger than its input",
        "`kernel` is 4, input is (3, 2, 5), `padding` is 0",
        "set `padding: 1`, or a smaller `kernel`, or remove a pool or stride before it",
    ),
    (
        "patch_embedding: {features: 8, patch: 5}",
        image(3, 32, 32),
        "Patches do not fill the image",
        "`patch` is 5, input is (3, 32, 32)",
        "choose `patch` among the divisors of 32",
    ),
    (
        "attention: 3",
        tokens(5, 8),
        "The features cannot be shared out among 3 heads",
        "`heads` is 3, input is (5, 8) tokens",
        "choose `heads` among the divisors of 8",
    ),
    *(
        (
            entry,
            image(3, 8, 8),
            f"`{entry.partition(':')[0]}` takes tokens, not an image",
            "expected (tokens, features) tokens, got (3, 8, 8)",
            "put `reshape: {tokens: …, features: …}` before it, or `patch_embedding`",
        )
        for entry in ("attention: 1", "class_token", "position_embedding", "take: 0", "lstm: 4", "gru: 4", "rnn: 4")
    ),
    *(
        (
            f"take: {index}",
            tokens(3, 4),
            "There is no such token",
            f"`index` is {index}, input is (3, 4) tokens",
            "choose one of 0 to 2, or of -3 to -1 from the end",
        )
        for index in (3, -4)
    ),
    (
        "embedding: 4",
        image(3),
        "`embedding` takes whole-number codes, not a vector",
        "expected codes with a `vocabulary`, got (3,)",
        "use `linear` for numbers, or declare `model.input: {tokens: 8, vocabulary: 128}`",
    ),
    (
        "maxout: 4",
        image(3, 2),
        "`maxout` takes a vector or tokens, not a signal",
        "expected (features,) or (tokens, features), got (3, 2)",
        "put `flatten` before it",
    ),
]


@pytest.mark.parametrize(("text", "x", "message", "detail", "hint"), SHAPE_ERRORS)
def test_a_shape_error_says_what_arrives_and_what_helps(
    text: str, x: Shape, message: str, detail: str, hint: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        layer(text).output(x)
    assert (caught.value.message, caught.value.detail, caught.value.hint) == (message, detail, hint)


@pytest.mark.parametrize("entry", ["flatten", "linear: 4", "relu", "{lstm: 3}", "{dropout: 0.2}"])
@pytest.mark.parametrize("shape", ["{tokens: 5, vocabulary: 9}", "{vocabulary: 9}"])
def test_codes_go_through_an_embedding_first(entry: str, shape: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(f"name: a\nmodel:\n  input: {shape}\n  layers: [{entry}]\n")
    (problem,) = caught.value.problems
    kind = entry.strip("{").partition(":")[0]
    assert problem.message == f"`{kind}` takes numbers, not codes"
    assert problem.details[0] == "the input is whole numbers below 9"
    assert problem.position.line == 4
    assert problem.hint == "put `embedding: 32` before it"


@pytest.mark.parametrize("entry", ["linear: $in", "repeat: {times: $in, layers: [relu]}", "linear: $(2 * in)"])
def test_nothing_arrives_before_a_field_is_chosen(entry: str) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(f"name: a\nmodel:\n  input: {{a: [2], b: [3]}}\n  layers:\n    - {entry}\n")
    (problem,) = caught.value.problems
    assert problem.message == "`$in` is not known here"
    assert problem.position.line == 5
    assert problem.hint is not None
    assert problem.hint.startswith("the data's fields are chosen by name: begin with `from: data.a` or `from: data.b`")


def test_a_single_code_has_one_feature() -> None:
    text = (
        "name: a\nmodel: {input: {vocabulary: 7}, params: {width: $(4 * in)}, layers: [embedding: $(width + features)]}"
    )
    assert build_text(text).output.shape == image(5)
