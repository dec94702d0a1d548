"""What optimisers accept, and which weights decay."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from torch import nn

from nnctl.optim.groups import parameter_groups
from tests.recipe.helpers import make


def test_sgd_has_no_default_rate() -> None:
    with pytest.raises(ValidationError):
        make("optimizers", "sgd")


def test_nesterov_needs_momentum() -> None:
    with pytest.raises(ValidationError, match="needs a `momentum` above 0"):
        make("optimizers", "sgd", lr=0.1, nesterov=True)


def test_only_weights_decay() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2, bias=False))
    component = make("optimizers", "sgd", lr=0.1, weight_decay=0.5)
    decaying, others = parameter_groups(net, component)
    assert [id(p) for p in decaying["params"]] == [id(net[0].weight), id(net[2].weight)]
    assert decaying["weight_decay"] == 0.5
    assert [id(p) for p in others["params"]] == [id(p) for p in (net[0].bias, net[1].weight, net[1].bias)]
    assert others["weight_decay"] == 0.0


def test_everything_decays_where_asked() -> None:
    net = nn.Linear(3, 4)
    (group,) = parameter_groups(net, make("optimizers", "sgd", lr=0.1, weight_decay=0.5, decay_on="all"))
    assert group["params"] == [net.weight, net.bias]


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        ("sgd", {"lr": 0.1, "nesterov": True, "form": "notes"}, "needs a `momentum` above 0"),
        ("rmsprop", {"nesterov": True, "form": "notes"}, "needs a `momentum` above 0"),
        (
            "rmsprop",
            {"nesterov": True, "momentum": 0.9},
            "torch's RMSProp has no Nesterov momentum; write `form: notes`",
        ),
        ("sgd", {"lr": 0.1, "momentum": 1.0, "form": "notes"}, "less than 1"),
        ("apg", {"lr": 0.0}, "greater than 0"),
        ("apg", {}, "Field required"),
        ("adagrad", {"form": "notes", "eps": 0.0}, "greater than 0"),
    ],
)
def test_what_cannot_work_is_refused(kind: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make("optimizers", kind, **fields)
