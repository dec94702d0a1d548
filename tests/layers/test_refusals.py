"""What is said where a shape or an argument does not fit the layers that norm, gate, enlarge, and work on tokens."""

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


ARGUMENTS = [
    (
        "squeeze_excite: {squeeze: 2, activation: rela}",
        '`activation` is "rela", expected the name of an activation, such as relu or silu',
    ),
    (
        "squeeze_excite: {squeeze: 2, activation: conv}",
        '`activation` is "conv", expected the name of an activation, such as relu or silu',
    ),
    ("squeeze_excite: 0", "`squeeze` is 0, expected a whole number of at least 1"),
    ("stochastic_depth: 1", "`p` is 1, expected a number from 0 to below 1"),
    ("stochastic_depth", "`stochastic_depth` needs `p` or `keep`, one of them"),
    ("layer_norm: {eps: 0}", "`eps` is 0, expected a number above 0"),
    ("layer_norm: 1e-6", "`layer_norm` takes no value, found 1e-06"),
    ("group_norm", "`group_norm` needs `groups`"),
    ("local_response_norm: {k: 0}", "`k` is 0, expected a number above 0"),
    ("switchable_norm: {momentum: 1.5}", "`momentum` is 1.5, expected a number from 0 to 1"),
    ("take: 0.5", "`index` is 0.5, expected a whole number: 0 is the first token, -1 the last"),
    ("transposed_conv: {channels: 2, stride: 0}", None),
    ("upsample: {factor: 1.5}", None),
    (
        "upsample: {factor: 2, mode: cubic}",
        '`mode` is "cubic", expected nearest, linear, bilinear, trilinear or bicubic',
    ),
    ("attention: 0", "`heads` is 0, expected a whole number of at least 1"),
    ("embedding: -3", "`features` is -3, expected a whole number of at least 1"),
    ("lstm: {features: 4, dropout: 0.5}", "`dropout` acts between recurrent layers, and there is one"),
    ("lstm: {features: 4, layers: 2, dropout: 1.0}", "`dropout` is 1.0, expected a number from 0 to below 1"),
    ("rnn: {features: 4, activation: sigmoid}", '`activation` is "sigmoid", expected tanh or relu'),
    ("maxout: {features: 4, pieces: 0}", "`pieces` is 0, expected a whole number of at least 1"),
    ("stepped_sigmoid: 0", "`units` is 0, expected a whole number of at least 1"),
    ("exponential_kernel: 0", "`sigma` is 0, expected a number above 0"),
    ("mish: 2", "`mish` takes no value, found 2"),
]


@pytest.mark.parametrize(("entry", "message"), ARGUMENTS)
def test_an_argument_out_of_range_is_refused_where_it_is_written(entry: str, message: str | None) -> None:
    with pytest.raises(SpecError) as caught:
        build_text(f"name: a\nmodel:\n  input: {{tokens: 4, features: 8}}\n  layers:\n    - {entry}\n")
    (problem,) = caught.value.problems
    sizes = "expected a whole number of at least 1, or a list with one for each axis"
    assert problem.message == message or (message is None and problem.message.endswith(sizes))
    assert problem.position.line == 5


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
