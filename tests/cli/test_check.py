"""`check` and `show`: reports whose every number is derived by hand here."""

from __future__ import annotations

import io
from pathlib import Path

from nnctl.cli.render.report import folded, print_report
from nnctl.cli.terminal import Terminal
from nnctl.graph.build import build_file
from tests.cli.conftest import SMALL, Run, Write

CONV = 3 * 3 * 3 * 4
NORM = 2 * 4
LINEAR = 4 * 4 * 4 * 10
PARAMETERS = CONV + NORM + LINEAR + 10
MACS = CONV * 8 * 8 + LINEAR
OUTPUTS = 3 * 4 * 8 * 8 + 2 * 4 * 4 * 4 + 10

DEEP = """\
name: deep
model:
  input: [4]
  layers:
    - linear: 4
    - repeat: {times: 40, layers: [{linear: 4}, relu]}
    - linear: 2
"""


def test_the_table(nnctl: Run, write: Write) -> None:
    ran = nnctl("check", write())
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == "small (spec.yaml)"
    assert [line.split() for line in lines[2:9]] == [
        ["layer", "kind", "input", "output", "parameters", "multiply-adds"],
        ["conv1", "conv", "(3,", "8,", "8)", "(4,", "8,", "8)", f"{CONV:,}", f"{CONV * 64:,}"],
        ["batch_norm1", "batch_norm", "(4,", "8,", "8)", "(4,", "8,", "8)", f"{NORM:,}"],
        ["relu1", "relu", "(4,", "8,", "8)", "(4,", "8,", "8)"],
        ["max_pool1", "max_pool", "(4,", "8,", "8)", "(4,", "4,", "4)"],
        ["flatten1", "flatten", "(4,", "4,", "4)", "(64,)"],
        ["linear1", "linear", "(64,)", "(10,)", "650", "640"],
    ]
    assert lines[10].split() == ["total", f"{PARAMETERS:,}", f"{MACS:,}"]
    assert set(lines[9]) <= {"─", "-"}
    ends = {len(line) for line in (lines[2], lines[3], lines[8], lines[9], lines[10])}
    assert len(ends) == 1, "numbers end flush right"
    assert f"multiply-adds    {MACS:,} a sample ({2 * MACS:,} operations)" in lines
    assert lines[-1] == "receptive field  4×4 at max_pool1"


def test_json(nnctl: Run, write: Write) -> None:
    ran = nnctl("check", write(), "--json")
    report = ran.json
    assert (ran.code, ran.err) == (0, "")
    assert (report["ok"], report["errors"], report["warnings"]) == (True, [], [])
    assert report["params"] == PARAMETERS == sum(layer["params"] for layer in report["layers"])
    assert report["macs"] == MACS == sum(layer["macs"] for layer in report["layers"])
    assert report["flops"] == 2 * MACS
    weights, activations = 4 * PARAMETERS, 4 * OUTPUTS * 128
    assert report["memory"]["activations"] == activations
    assert report["memory"]["weights"] == report["memory"]["gradients"] == weights
    assert report["memory"]["total"] == 2 * weights + activations
    pool = report["layers"][3]
    assert pool == {
        "path": "max_pool1",
        "kind": "max_pool",
        "line": 8,
        "input": [4, 8, 8],
        "output": [4, 4, 4],
        "params": 0,
        "macs": 0,
        "receptive_field": 4,
        "stride": 2,
    }


def test_warnings_are_shown_and_do_not_fail(nnctl: Run, write: Write) -> None:
    spec = write(SMALL.replace(", bias: false", ""))
    ran = nnctl("check", spec)
    assert ran.code == 0
    assert ran.out.endswith("hint: write `bias: false`\n")
    assert "\nwarning: " in ran.out
    (warning,) = nnctl("check", spec, "--json").json["warnings"]
    assert (warning["code"], warning["line"]) == ("bias-before-norm", 5)


def test_overrides_apply_to_every_spec(nnctl: Run, write: Write) -> None:
    specs = write(name="a.yaml"), write(name="b.yaml")
    report = nnctl("check", *specs, "model.layers[0].conv.channels=8", "--json").json
    assert report["ok"] is True
    assert [one["file"] for one in report["specs"]] == list(specs)
    assert [one["layers"][0]["params"] for one in report["specs"]] == [27 * 8, 27 * 8]


def test_a_failing_spec_does_not_hide_the_others(nnctl: Run, write: Write) -> None:
    good, bad = write(name="good.yaml"), write(SMALL.replace("relu", "rellu"), "bad.yaml")
    ran = nnctl("check", bad, good, "--json")
    report = ran.json
    assert (ran.code, report["ok"]) == (2, False)
    assert [one["ok"] for one in report["specs"]] == [False, True]
    (error,) = report["specs"][0]["errors"]
    assert (error["code"], error["file"], error["line"], error["column"]) == ("unknown-kind", "bad.yaml", 7, 7)
    assert error["hint"] == "did you mean `relu`?"

    ran = nnctl("check", bad, good)
    assert ran.code == 2
    assert "small (good.yaml)" in ran.out
    assert ran.err.startswith("error: there is no layer `rellu`\n  --> bad.yaml:7:7")


def test_one_failing_spec(nnctl: Run, write: Write) -> None:
    ran = nnctl("check", write(SMALL.replace("relu", "rellu")), "--json")
    assert ran.code == 2
    assert ran.json["ok"] is False
    assert [error["code"] for error in ran.json["errors"]] == ["unknown-kind"]


def test_only_overrides(nnctl: Run) -> None:
    assert nnctl("check", "model.input=[3]").err.startswith("error: no spec is given")


def test_a_file_that_is_not_there(nnctl: Run, write: Write) -> None:
    write()
    ran = nnctl("check", "spek.yaml")
    assert ran.code == 2
    assert ran.err.startswith("error: there is no file spek.yaml")


def test_long_tables_are_folded_for_people_alone(nnctl: Run, write: Write) -> None:
    spec = write(DEEP)
    graph = build_file(spec)
    rows = folded(graph.rows)
    assert rows[1] == ("repeat1", "80 layers", "(4,)", "(4,)", "800", "640")
    assert [row[0] for row in rows] == ["linear1", "repeat1", "linear2"]
    assert len(nnctl("check", spec).out.splitlines()) > 80

    def lines(every_row: bool) -> int:
        screen = io.StringIO()
        to = Terminal(screen, interactive=True, colour=False, unicode=True, width=80)
        print_report(graph, to, "deep", every_row)
        return len(screen.getvalue().splitlines())

    assert lines(every_row=True) - lines(every_row=False) == 79


def test_show_prints_a_spec_that_shows_itself(nnctl: Run, write: Write) -> None:
    first = nnctl("show", write(), "seed=7")
    assert first.code == 0
    assert "seed: 7\n" in first.out
    second = nnctl("show", write(first.out, "shown.yaml"))
    assert second.out == first.out
    assert nnctl("check", "shown.yaml", "--json").json["params"] == PARAMETERS


def test_show_as_json(nnctl: Run, write: Write) -> None:
    shown = nnctl("show", write(), "--json").json["spec"]
    assert shown["name"] == "small"
    assert shown["seed"] == 0
    assert shown["model"]["layers"][0] == {"conv": {"channels": 4, "bias": False}}


def test_a_wrong_override_is_placed_in_its_argument(nnctl: Run, write: Write) -> None:
    spec = write()
    assert Path(spec).exists()
    (error,) = nnctl("show", spec, "model.layerz=[]", "--json").json["errors"]
    assert (error["file"], error["line"], error["column"]) == ("command line", None, 7)


def test_an_index_that_is_none_is_told_as_one(nnctl: Run, write: Write) -> None:
    ran = nnctl("check", write(), "model.layers[-1]=relu")
    assert ran.code == 2
    assert "`model.layers[-1]` is not a path\n  --> command line:13\n" in ran.err
