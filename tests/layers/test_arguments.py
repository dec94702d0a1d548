"""Arguments that layers and initialisers refuse, whatever shape arrives."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from nnctl.component.base import Component
from nnctl.component.family import find
from nnctl.errors import SpecError
from nnctl.graph.build import build_text

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


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("linear", {"features": 0}),
        ("linear", {"features": 2.5}),
        ("linear", {"features": True}),
        ("conv", {"channels": 4, "kernel": 0}),
        ("conv", {"channels": 4, "kernel": (3, 0)}),
        ("conv", {"channels": 4, "stride": 0}),
        ("conv", {"channels": 4, "padding": -1}),
        ("conv", {"channels": 4, "padding": "valid"}),
        ("conv", {"channels": 4, "padding_mode": "replicate"}),
        ("conv", {"channels": 10, "groups": 4}),
        ("conv", {"channels": 2**31}),
        ("max_pool", {"kernel": 0}),
        ("max_pool", {}),
        ("adaptive_avg_pool", {"size": 0}),
        ("dropout", {"p": 1.0}),
        ("dropout", {"p": -0.1}),
        ("dropout", {"keep": 0.0}),
        ("dropout", {"keep": 1.1}),
        ("dropout", {}),
        ("dropout", {"p": 0.2, "keep": 0.8}),
        ("spatial_dropout", {}),
        ("batch_norm", {"eps": 0.0}),
        ("batch_norm", {"momentum": 1.5}),
        ("reshape", {}),
        ("reshape", {"shape": ()}),
        ("reshape", {"shape": (1, 2, 3, 4, 5)}),
        ("reshape", {"shape": (-1, 2)}),
        ("reshape", {"tokens": 3}),
        ("reshape", {"shape": (3, 2), "tokens": 3, "features": 2}),
        ("scale", {}),
        ("scale", {"form": "shift"}),
        ("leaky_relu", {"slope": -0.1}),
        ("elu", {"alpha": 0.0}),
        ("softplus", {"beta": 0.0}),
        ("softplus", {"beta": float("inf")}),
        ("gelu", {"approximate": "sigmoid"}),
        ("prelu", {"per": "layer"}),
        ("relu", {"inplace": True}),
    ],
)
def test_numbers_out_of_range_are_refused(kind: str, fields: dict[str, object]) -> None:
    refuse("layers", kind, fields)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("normal", {"std": 0.0}),
        ("normal", {}),
        ("uniform", {}),
        ("uniform", {"bound": 0.1, "low": 0.0}),
        ("uniform", {"low": 0.1}),
        ("uniform", {"low": 1.0, "high": 1.0}),
        ("uniform", {"bound": -1.0}),
        ("kaiming", {"fan": "both"}),
        ("kaiming", {"gain": 0.0}),
        ("xavier", {"gain": "relu"}),
        ("orthogonal", {"gain": -1.0}),
        ("lecun", {"distribution": "cauchy"}),
        ("constant", {}),
    ],
)
def test_initialisers_out_of_range_are_refused(kind: str, fields: dict[str, object]) -> None:
    refuse("initializers", kind, fields)


def refuse(family: str, kind: str, fields: dict[str, object]) -> None:
    cls = find(family, kind)
    assert cls is not None
    assert issubclass(cls, Component)
    with pytest.raises(ValidationError):
        cls.model_validate(fields)
