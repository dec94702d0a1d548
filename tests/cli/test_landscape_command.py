"""`nnctl landscape` as it is used: exit codes, the page, the JSON object, the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from nnctl.diagnosis.surface.grid import Place, Record
from tests.cli.conftest import Run, Write

SPEC = """\
name: circle
data:
  dataset: {points: {x: [[1, 0], [0, 1], [-1, 0], [0, -1], [1, 1], [-1, -1]], y: [0, 0, 1, 1, 0, 1]}}
  validation: 0
model:
  layers:
    - linear: 4
    - tanh
    - linear: 2
train:
  epochs: 2
  batch_size: all
  loss: cross_entropy
  optimizer: {sgd: 0.5}
"""


@pytest.fixture
def trained(nnctl: Run, write: Write) -> str:
    """A run directory, in the current one."""
    assert nnctl("train", write(SPEC), "--run", "one", "--device", "cpu").code == 0
    return "one"


def test_a_checkpoint(nnctl: Run, trained: str) -> None:
    ran = nnctl("landscape", trained, "--points", "5")
    assert ran.code == 0
    assert "chance 0.6931" in ran.out
    assert "2/rate = 4.000 (rate 0.5)" in ran.out
    files = [Path(line.removeprefix("wrote ")) for line in ran.out.splitlines() if line.startswith("wrote ")]
    assert [file.suffix for file in files] == [".jsonl", ".svg", ".png"]
    assert {file.parent for file in files} == {Path("one/landscape")}
    with Image.open(files[2]) as image:
        assert image.width > 1000
    value = nnctl("landscape", "one/best.safetensors", "--points", "5", "--json", "--top", "2").json
    assert {"grid", "loss", "eigenvalues", "negative_share"} <= value.keys()
    assert [len(row) for row in value["loss"]] == [5] * 5
    assert value["loss"][2][2] == pytest.approx(value["centre"], abs=1e-6)
    assert len(value["eigenvalues"]) == 4
    assert value["files"] == [str(file) for file in files]


def test_an_interrupt_keeps_the_points_and_says_so(nnctl: Run, trained: str, monkeypatch: pytest.MonkeyPatch) -> None:
    add = Record.add

    def interrupted(self: Record, place: Place, loss: float) -> None:
        add(self, place, loss)
        if len(self.known) == 4:
            raise KeyboardInterrupt

    command = ("landscape", trained, "--points", "3", "--no-curvature", "--json")
    with monkeypatch.context() as patch:
        patch.setattr(Record, "add", interrupted)
        ran = nnctl(*command)
    assert ran.code == 130
    assert ran.json["errors"][0]["hint"] == "points of the surface are kept in one/landscape: the same command goes on"
    (record,) = Path("one/landscape").glob("*.jsonl")
    kept = record.read_text()
    assert len(kept.splitlines()) == 5  # a heading and four points
    assert nnctl(*command).code == 0
    assert record.read_text().startswith(kept)
    assert len(record.read_text().splitlines()) == 10


def test_one_part_alone(nnctl: Run, trained: str) -> None:
    surface = nnctl(
        "landscape", trained, "--no-curvature", "--dims", "1", "--points", "3", "--out", "here", "--json"
    ).json
    assert "eigenvalues" not in surface
    assert len(surface["loss"]) == 3
    assert {Path(file).parent for file in surface["files"]} == {Path("here")}
    curvature = nnctl("landscape", trained, "--no-surface", "--json").json
    assert "loss" not in curvature
    assert [Path(file).suffix for file in curvature["files"]] == [".svg", ".png"]


def test_the_line_between_two_runs(nnctl: Run, trained: str) -> None:
    assert nnctl("train", "spec.yaml", "seed=1", "--run", "two", "--device", "cpu").code == 0
    value = nnctl("landscape", trained, "two", "--points", "5", "--json").json
    assert value["grid"]["x"] == pytest.approx([-0.5, 0, 0.5, 1, 1.5])
    ends = [nnctl("eval", run, "--split", "train", "--json").json["loss"] for run in (trained, "two")]
    assert [value["loss"][1], value["loss"][3]] == pytest.approx(ends, rel=1e-5)
    assert [value["centre"], value["other"]["loss"]] == pytest.approx(ends, rel=1e-5)


def test_a_checkpoint_of_another_spec(nnctl: Run, trained: str) -> None:
    for change, told in (("model.layers[0].linear=5", "linear1.weight"), ("model.layers[1]=relu", "tanh1")):
        run = told.replace(".", "-")
        assert nnctl("train", "spec.yaml", change, "--run", run, "--device", "cpu").code == 0
        ran = nnctl("landscape", trained, run)
        assert ran.code == 2
        assert "a line leads only between weights of one architecture" in ran.err
        assert f"{told}: " in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "there is no file nowhere"),
        (["spec.yaml", "--weights"], "a network of exactly two, this one learns 22"),
        (["spec.yaml", "--no-surface", "--no-curvature"], "leave nothing to do"),
        (["spec.yaml", "a", "b"], "at most two checkpoints"),
        (["spec.yaml", "spec.yaml", "--dims", "2"], "has one dimension"),
        (["spec.yaml", "--span", "0"], "a span above 0"),
        (["spec.yaml", "--points", "2"], "--points"),
        (["spec.yaml", "--out", "spec.yaml/x"], "give another folder with --out"),
        (["broken.safetensors"], "cannot use broken.safetensors"),
    ],
)
def test_bad_input(nnctl: Run, write: Write, arguments: list[str], told: str) -> None:
    write(SPEC)
    Path("broken.safetensors").write_bytes(b"x" * 40)
    ran = nnctl("landscape", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err


@pytest.mark.parametrize("suffix", [".jsonl", ".svg", ".png"])
def test_a_file_that_is_none_of_its_own_stays_as_it_is(nnctl: Run, trained: str, suffix: str) -> None:
    asked = ("landscape", trained, "--dims", "1", "--points", "3", "--no-curvature", "--out", "here")
    files = nnctl(*asked, "--json").json["files"]
    assert nnctl(*asked).code == 0, "its own may be drawn again"
    file = next(Path(name) for name in files if name.endswith(suffix))
    file.write_text('{"mine": 1}\n<svg xmlns="http://www.w3.org/2000/svg"/>')
    before = {name: Path(name).read_bytes() for name in files}
    ran = nnctl(*asked)
    assert (ran.code, ran.out) == (2, "")
    assert f"{file} is there already, and not written by `nnctl landscape`" in ran.err
    assert before == {name: Path(name).read_bytes() for name in files}
    file.unlink()
    file.mkdir()
    assert nnctl(*asked).code == 2


def test_a_barrier_is_told(nnctl: Run, trained: str) -> None:
    assert nnctl("train", "spec.yaml", "seed=1", "--run", "two", "--device", "cpu").code == 0
    asked = ("landscape", trained, "two", "--no-curvature", "--points", "6")
    value = nnctl(*asked, "--json").json
    inside = [(x, loss) for x, loss in zip(value["grid"]["x"], value["loss"], strict=True) if 0 <= x <= 1]
    assert [inside[0][0], inside[-1][0]] == [0, 1]
    first, last = inside[0][1], inside[-1][1]
    assert value["barrier"]["height"] == pytest.approx(max(loss for _, loss in inside) - max(first, last), abs=1e-9)
    above = max(loss - first - x * (last - first) for x, loss in inside)
    assert value["barrier"]["above_line"] == pytest.approx(above, abs=1e-9)
    ran = nnctl(*asked)
    assert "barrier" in ran.out
    sheet = next(name for name in value["files"] if name.endswith(".svg"))
    assert "straight line between their losses" in Path(sheet).read_text()
    assert "barrier" not in nnctl("landscape", trained, "--no-curvature", "--dims", "1", "--points", "3", "--json").json
