"""How many layers fit in little room: rows that are told apart, charts on the same decades."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from math import inf, nan
from typing import Any

import pytest

from nnctl.cli.render.layer_paths import short_paths
from nnctl.cli.render.layer_table import layer_table
from nnctl.cli.render.multiples import SHARES, Point, decades, panel
from nnctl.cli.render.signals_page import signals_page
from nnctl.diagnosis.result import InspectResult, LayerSignals
from nnctl.diagnosis.spectrum import Band, Spectrum, Values
from tests.cli.conftest import Run, Write

RESIDUAL = [
    f"stage{stage}.{turn}basic_block1.residual1.body.{last}"
    for stage in (1, 2, 3)
    for turn in ("", *(f"repeat1.{n}." for n in range(1, 9)))
    for last in ("conv1", "batch_norm1", "conv2", "batch_norm2")
]


def layer(path: str, **values: Any) -> LayerSignals:
    nothing: dict[str, Any] = {field.name: None for field in fields(LayerSignals)}
    known = {"path": path, "kind": "conv", "units": 4, "nonfinite": 0.0, "weight_norm": 1.0, "forward_rms": 0.5}
    return LayerSignals(**(nothing | known | values))


def result(*layers: LayerSignals, **values: Any) -> InspectResult:
    known: dict[str, Any] = {"data": "random", "loss": 1.0, "steps": 0, "batch": 4, "samples": 8}
    known |= {"noise_scale": None, "rate_share": None, "variances": "weights"}
    return InspectResult(layers=layers, **(known | values))


@pytest.mark.parametrize("width", [8, 12, 16, 20, 27, 32, 40, 60])
def test_paths_in_little_room_are_told_apart(width: int) -> None:
    short = short_paths(RESIDUAL, width)
    assert len(set(short)) == len(RESIDUAL)
    assert max(map(len, short)) <= width


def test_a_path_keeps_its_stage_and_its_end() -> None:
    assert short_paths(RESIDUAL, 60) == RESIDUAL
    assert short_paths(RESIDUAL, 38)[-1] == "stage3.rep1.8.bb1.res1.bod.batch_norm2"
    for width in (33, 38):
        for path, short in zip(RESIDUAL, short_paths(RESIDUAL, width), strict=True):
            assert short.partition(".")[0] == path.partition(".")[0]
            assert short.rpartition(".")[2] == path.rpartition(".")[2]


def test_a_long_table_holds_the_ends_of_each_stage_and_what_a_verdict_names() -> None:
    layers = [layer("conv1"), *map(layer, RESIDUAL), layer("linear1")]
    named = RESIDUAL[17]
    lines = layer_table(layers, ("signal",), lambda one: [f"{one.forward_rms}"], 80, {named})
    assert [line.split()[0] for line in lines[1:6]] == ["conv1", *RESIDUAL[:4]]
    assert [line.split()[1] for line in lines if "more" in line] == ["13", "14", "28", "28"]
    assert any(line.startswith(named) for line in lines)
    shown = sum("0.5" in line for line in lines)
    assert lines[-1] == f"({len(layers) - shown} of {len(layers)} layers left out; --json has all)"
    narrow = layer_table(layers[1:9], "abcdef", lambda one: ["0.12345"] * 6, 60)
    assert narrow[-1] == "(columns e and f left out, names shortened; --json has all)"
    assert len({line.split()[0] for line in narrow[1:-1]}) == 8
    assert len(layer_table(layers[:48], ("signal",), lambda one: [""], 80)) == 49


def ticks(svg: str) -> list[str]:
    return re.findall(r">(1e-?\d+|0|0\.5|1)</text>", svg)


def test_axes_are_the_same_on_every_page() -> None:
    small = result(layer("a", forward_rms=0.9, delta_rms=1e-4), layer("b", forward_rms=0.8, delta_rms=2e-4))
    large = result(*(layer(f"l{n}", forward_rms=10.0**n, delta_rms=10.0 ** (-3 * n)) for n in range(9)))
    one, other = (signals_page({"x": found}) for found in (small, large))
    assert ticks(one) == ticks(other)
    assert ticks(one) == ["1e-2", "1e0", "1e2", "1e-6", "1e-3", "1e0", "1e3", "1e6"]


def test_the_error_is_drawn_over_that_of_the_last_hidden_layer() -> None:
    """Whatever the size of the loss."""
    pages = []
    for scale in (1.0, 1e-9):
        layers = [layer(f"l{n}", delta_rms=scale * size) for n, size in enumerate((0.2, 0.4, 0.1, 7.0))]
        pages.append(
            re.findall(r'c[xy]="([\d.]+)"', signals_page({"x": result(*layers)}).split('aria-label="error')[1])
        )
    assert pages[0] == pages[1]
    middle = 24 + (108 - 24 - 10) / 2
    heights = [float(y) for y in pages[0][1::2]]
    assert heights[2] == pytest.approx(middle)  # the last hidden one
    assert heights[0] < middle  # larger, so above


@pytest.mark.parametrize(
    ("value", "said", "points_up"), [(3e7, "to 3e+07", True), (4e-9, "to 4e-09", False), (0.0, "to 0", False)]
)
def test_what_lies_outside_is_marked_with_how_far(value: float, said: str, points_up: bool) -> None:
    scale = decades(-3, 3)
    svg = panel(
        "t", [Point(0, 1, "in"), Point(1, value, "far"), Point(2, 2e3 if points_up else 5e-4, "near")], [], scale, 2
    )
    assert svg.count("<circle") == 1
    triangles = re.findall(r'<path d="M[\d.]+ ([\d.]+)h7l-3.5 (-?\d+)z"', svg)
    assert triangles == [("24.0", "-5") if points_up else ("98.0", "5")] * 2
    assert re.findall(r">(to [^<]+)<", svg) == [said]


def test_what_is_no_number_is_not_drawn_and_what_is_infinite_is_at_the_edge() -> None:
    svg = panel("t", [Point(0, nan, "lost"), Point(1, inf, "all"), Point(2, 1.0, "in")], [], decades(-3, 3), 2)
    assert "lost" not in svg
    assert ">to inf<" in svg
    assert panel("t", [Point(0, 0.0, "a"), Point(1, 1.0, "b")], [], SHARES, 1).count("<circle") == 2


def test_singular_values_are_drawn_with_their_band() -> None:
    own = Values(2.0, 0.5, 4.0, 3.0, 5.0)
    band = Band(Values(1.0, 0.2, 2.0, 4.0, 4.0), Values(3.0, 1.0, 9.0, 6.0, 6.0))
    found = result(*(replace(layer(f"l{n}"), spectrum=Spectrum((8, 16), own, band)) for n in range(3)))
    page = signals_page({"x": found})
    assert "99 in 100 fresh draws" in page
    (rank,) = re.findall(r'aria-label="stable rank.*?</svg>', page, re.S)
    assert "l0: 3, at its start 4 to 6" in rank
    (corners,) = re.findall(r'polygon points="([^"]+)"', rank)
    heights = {float(corner.partition(",")[2]) for corner in corners.split()}
    assert sorted(heights) == pytest.approx([24 + 74 * (1 - share) for share in (0.75, 0.5)], abs=0.06)
    assert "99 in 100 fresh draws" not in signals_page({"x": result(layer("a"))})


SPEC = """\
name: ranks
model: {input: [16], layers: [{linear: 12}, relu, {linear: 4}]}
"""


def test_ranks_beside_those_at_the_start_in_words(nnctl: Run, write: Write) -> None:
    file = write(SPEC)
    ran = nnctl("inspect", file, "--spectrum", "--html", "page.html")
    assert "of 4 ranks of 2 layers" in ran.out
    assert "∂output/∂input: σ from" in ran.out
    with open("page.html", encoding="utf-8") as page:
        content = page.read()
    assert "∂output/∂input: σ from" in content
    assert content.count("<svg") >= 8
