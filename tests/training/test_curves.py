"""The picture of a run's history."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from nnctl.svg import ticks
from nnctl.training.curves import draw_curves

SVG = "{http://www.w3.org/2000/svg}"


def epochs(count: int, **extra: Any) -> list[dict[str, Any]]:
    return [
        {
            "epoch": e,
            "train_loss": 2.0 / e,
            "val_loss": 2.5 / e,
            "train_accuracy": 1 - 1 / e,
            "val_accuracy": 1 - 1.2 / e,
        }
        | extra
        for e in range(1, count + 1)
    ]


def texts(picture: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(picture).iter(f"{SVG}text")]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.0, 1.0, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (1.0, 4.0, [1, 2, 3, 4]), (0.11, 0.19, [0.12, 0.14, 0.16, 0.18])],
)
def test_ticks_are_round_numbers(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == pytest.approx(expected)


def test_two_panels_with_two_curves_each() -> None:
    picture = draw_curves("net <1> & co", epochs(5), "val_accuracy")
    lines = list(ElementTree.fromstring(picture).iter(f"{SVG}polyline"))
    assert [len(line.attrib["points"].split()) for line in lines] == [5, 5, 5, 5]
    assert {"net <1> & co", "loss", "accuracy", "training", "validation", "epoch"} <= set(texts(picture))


def test_points_lie_where_their_values_say() -> None:
    picture = draw_curves("x", [{"epoch": 1, "train_loss": 0.0}, {"epoch": 3, "train_loss": 4.0}], "train_loss")
    (line,) = ElementTree.fromstring(picture).iter(f"{SVG}polyline")
    (x1, y1), (x2, y2) = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert x2 > x1
    assert y2 < y1  # upwards is towards smaller y
    assert (x1, y1) == (64.0, 308.0)


@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_any_number_of_epochs_can_be_drawn(count: int) -> None:
    ElementTree.fromstring(draw_curves("x", epochs(count), "val_accuracy"))


def test_what_was_not_measured_is_left_out() -> None:
    picture = draw_curves("x", [{"epoch": 1, "train_loss": 1.0, "val_loss": None}], "train_loss")
    assert len(list(ElementTree.fromstring(picture).iter(f"{SVG}polyline"))) == 1
    assert "validation" not in texts(picture)
