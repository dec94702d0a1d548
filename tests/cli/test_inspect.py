"""`nnctl inspect` as a user sees it: the page, the verdicts, two networks, the exit codes."""

from __future__ import annotations

import random
import re
import shlex
from math import pi
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from nnctl.diagnosis.judging.fixes import as_arguments
from nnctl.diagnosis.verdict import Verdict
from tests.cli.conftest import Run, Write

DEEP = """\
name: deep
model:
  input: [32]
  init: lecun
  layers:
    - repeat:
        times: 24
        layers:
          - linear: 32
          - relu
    - linear: 10
"""

DIGITS = """\
name: digits
data: {dataset: digits}
model: {layers: [flatten, linear: 4, relu, linear: 10]}
train: {epochs: 1, loss: cross_entropy, optimizer: {sgd: 0.1}}
"""


@pytest.fixture
def deep(write: Write) -> str:
    return write(DEEP)


def test_the_page(nnctl: Run, deep: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = nnctl("inspect", deep, "model.init=kaiming")
    lines = ran.out.splitlines()
    assert ran.code == 0
    assert lines[0].startswith("spec.yaml · at initialisation · 128 samples of random · loss ")
    assert lines[-1] == "verdict  ok"
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith("δ ")).count("▄") > 3, "a level course is a level line"


def test_no_line_but_a_fix_is_wider_than_a_narrow_terminal(
    nnctl: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "64")
    ran = nnctl("inspect", write(DIGITS))
    assert "This is the network before training only" in ran.out
    assert [line for line in ran.out.splitlines() if len(line) > 64 and not line.startswith("fix")] == []


def test_a_verdict_names_line_numbers_cause_and_fix(nnctl: Run, deep: str) -> None:
    ran = nnctl("inspect", deep)
    assert "fail: vanishing at repeat1.1.linear1 (line 9)" in ran.out
    pasted = shlex.split(next(line for line in ran.out.splitlines() if line.startswith("fix: ")))[1:]
    assert pasted == ["model.init=kaiming"]
    assert ran.out.splitlines()[-1] == "verdict  fail"
    (verdict, *_) = nnctl("inspect", deep, "--json").json["verdicts"]
    assert {"code", "severity", "path", "line", "value", "threshold", "predicted", "cause", "fix"} <= set(verdict)
    assert nnctl("inspect", deep, *pasted).out.splitlines()[-1] == "verdict  ok"


def test_strict_is_an_exit_code(nnctl: Run, deep: str) -> None:
    assert [nnctl("inspect", deep, "--strict").code, nnctl("inspect", deep).code] == [1, 0]
    assert nnctl("inspect", deep, "model.init=kaiming", "--strict").code == 0


def test_two_networks_on_one_page(nnctl: Run, deep: str, write: Write) -> None:
    Path("other.yaml").write_text(DEEP.replace("lecun", "kaiming"), encoding="utf-8")
    ran = nnctl("inspect", deep, "other.yaml", "--html", "both.html", "--json")
    assert (ran.json["verdict"], ran.json["other"]["verdict"]) == ("fail", "ok")
    page = Path("both.html").read_text(encoding="utf-8")
    assert page.count("<section>") == 2
    assert not re.search(r"(src|href)=|<script|@import|url\(", page), "nothing from outside"
    upper = [re.search(r'aria-label="error.*?</svg>', section, re.S) for section in page.split("<section>")[1:]]
    ticks = [re.findall(r">(1e-?\d+)<", found.group()) for found in upper if found]
    assert ticks[0] == ticks[1], "the same decades"
    assert page.index("vanishing</b>") < page.index("<pre>model.init=kaiming</pre>") < page.index("<svg")
    assert "Different data" not in page + ran.out


DATA = "data: {dataset: {points: {x: [[1, 2], [3, 4], [5, 6]], y: [0, 1, 0]}}, validation: 0}\n"
RECIPE = "train: {epochs: 3, batch_size: 3, loss: cross_entropy, optimizer: {sgd: 0.1}}\n"


def test_networks_on_different_data_are_not_compared_in_silence(nnctl: Run, deep: str, write: Write) -> None:
    other = write(f"name: other\n{DATA}model: {{layers: [{{linear: 2}}]}}\n", "other.yaml")
    ran = nnctl("inspect", deep, other, "--html", "both.html")
    note = "spec.yaml saw random, other.yaml saw points"
    assert f"different data: {note}" in ran.out
    assert note in Path("both.html").read_text(encoding="utf-8").partition("<h1>")[0], "above everything else"


SAMPLES = f"name: one\n{DATA}model: {{layers: [{{linear: 2}}]}}\n{RECIPE}"


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (("[1, 2]", "[1, 5]"), True),
        (("validation: 0", "validation: 0, transform: [standardise]"), True),
        (("[0, 1, 0]", "[0, 1, 1]"), True),
        (("{linear: 2}", "{linear: {features: 2, name: head}}"), False),
        (("name: one", "name: one\nseed: 3"), False),
    ],
)
def test_one_kind_of_data_may_be_other_data(nnctl: Run, write: Write, change: tuple[str, str], differs: bool) -> None:
    one = write(SAMPLES)
    other = write(SAMPLES.replace(*change), "other.yaml")
    ran = nnctl("inspect", one, other)
    note = "different data: spec.yaml and other.yaml saw points with other samples, or cut or changed in another way"
    assert (note in ran.out) is differs


def test_a_trained_network_saw_the_data_of_its_spec(nnctl: Run, write: Write) -> None:
    Path("rows.csv").write_text("a,b,y\n" + "".join(f"{i},{'uv'[i % 2]},{i % 2}\n" for i in range(40)))
    Path("same.csv").write_text(Path("rows.csv").read_text())
    Path("more.csv").write_text(Path("rows.csv").read_text() + "3,u,1\n")
    data = "data: {dataset: {csv: {path: rows.csv, target: y}}}\n"
    spec = write(f"name: rows\n{data}model: {{layers: [{{linear: $classes}}]}}\n{RECIPE}")
    assert nnctl("train", spec, "--run", "run").code == 0
    assert "different data" not in nnctl("inspect", spec, "run").out
    for name, differs in (("same.csv", False), ("more.csv", True)):
        other = write(Path(spec).read_text().replace("rows.csv", name), "other.yaml")
        assert ("different data" in nnctl("inspect", spec, other).out) is differs


def test_generated_data_of_another_seed_is_other_data(nnctl: Run, write: Write) -> None:
    spec = f"name: s\ndata: {{dataset: spirals}}\nmodel: {{layers: [{{linear: 2}}]}}\n{RECIPE}"
    assert "different data" in nnctl("inspect", write(spec), write(spec + "seed: 1\n", "other.yaml")).out


def test_where_in_training_a_network_stands(nnctl: Run, write: Write) -> None:
    spec = write(f"name: small\n{DATA}model: {{layers: [{{linear: 2}}]}}\n{RECIPE}")
    only = "This is the network before training only; --steps N shows it after N steps."
    start = nnctl("inspect", spec, "--html", "start.html").out
    assert " · at initialisation · " in start
    assert only in start.splitlines()
    assert only in Path("start.html").read_text(encoding="utf-8")
    later = nnctl("inspect", spec, "--steps", "2", "--html", "later.html").out
    assert " · after 2 steps · " in later
    assert only not in later + Path("later.html").read_text(encoding="utf-8")
    assert nnctl("train", spec, "--run", "run").code == 0
    with safe_open("run/best.safetensors", framework="pt") as file:
        recorded = {key: int(file.metadata()[key]) for key in ("epoch", "step")}
    assert nnctl("inspect", "run", "--json").json["trained"] == recorded
    own = f"epoch {recorded['epoch']}, step {recorded['step']}"
    ran = nnctl("inspect", "run", "--html", "run.html").out
    assert f"run · {own} · " in ran
    assert only not in ran
    assert own in Path("run.html").read_text(encoding="utf-8")
    assert f"run · {own}, after 2 more steps · " in nnctl("inspect", "run", "--steps", "2").out


def test_a_change_for_trained_weights_was_tried_on_a_fresh_start(nnctl: Run, write: Write) -> None:
    layers = "[{repeat: {times: 8, layers: [{linear: 8}, sigmoid]}}, {linear: 2}]"
    spec = write(f"name: deep\n{DATA}model: {{layers: {layers}}}\n{RECIPE}")
    assert nnctl("train", spec, "--run", "run").code == 0
    ran = nnctl("inspect", "run", "--html", "run.html").out
    assert "\nfix (tried on a fresh start): 'model.layers[0].repeat.layers[1]=" in ran
    assert "A fresh start with this change does not have the verdict:" in Path("run.html").read_text(encoding="utf-8")


def test_what_numbers_mean_stands_beside_them(nnctl: Run, deep: str, write: Write) -> None:
    page = " ".join(nnctl("inspect", deep, "model.init=kaiming").out.split())
    assert "samples: in batches much smaller than that, gradients are mostly chance; the batch has 128" in page
    assert "in the layer with most; a step moves all of such a unit's weights up, or all down" in page
    own = "with Adam at a rate of its own"
    text = SAMPLES.replace("[{linear: 2}]", "[{linear: 16}, relu, {linear: 2}]")
    spec = write(text, "recipe.yaml")
    assert f"{own}, not the recipe's" in " ".join(nnctl("inspect", spec, "--preflight").out.split())
    bare = " ".join(nnctl("inspect", write(text.replace(RECIPE, ""), "bare.yaml"), "--preflight").out.split())
    assert own in bare
    assert "recipe's" not in bare


def test_the_command_that_divergence_points_to_says_why(nnctl: Run, write: Write) -> None:
    spec = write(
        SAMPLES.replace("sgd: 0.1", "sgd: 1.0e+30")
        .replace("cross_entropy", "mse")
        .replace("[0, 1, 0]", "[.1, 1, 0.2]")
        .replace("{linear: 2}", "{linear: 1}")
    )
    hint = nnctl("train", spec, "--run", "a run", "--json").json["errors"][0]["hint"]
    _, _, command = hint.partition("`nnctl ")
    ran = nnctl(*shlex.split(command.partition("`")[0]))
    assert " --steps " in command
    assert "nonfinite at linear1" in ran.out
    assert "not there at initialisation: 1 step with `sgd` at the learning rate 1e+30 brought it" in " ".join(
        ran.out.split()
    )
    assert "\nfix: train.optimizer.sgd.lr=" in ran.out


def test_a_change_that_was_not_tried_says_so_and_can_be_pasted() -> None:
    verdict = Verdict("dead", "warn", "relu1", 3, None, 0.5, 0.1, None, "dead", "why", "train.clip: {norm: 1.0}")
    assert as_arguments("a.b[0]: relu\n" + str(verdict.fix)) == "'a.b[0]=relu' 'train.clip={norm: 1.0}'"
    assert str(verdict) == "warn: dead at relu1, line 3: why; change train.clip: {norm: 1.0}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("spec.yaml", "a.yaml", "b.yaml"), "expected at most two networks, found 3"),
        (("spec.yaml", "spec.yaml"), "spec.yaml is given twice"),
        (("spec.yaml", "--html", "nowhere/page.html"), "there is no folder nowhere"),
        (("spec.yaml", "missing.yaml"), "missing.yaml"),
    ],
)
def test_misuse(nnctl: Run, deep: str, arguments: tuple[str, ...], message: str) -> None:
    ran = nnctl("inspect", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert "Traceback" not in ran.err


def test_preflight_of_labels_that_cannot_be_learned(nnctl: Run, write: Write) -> None:
    """Two equal inputs with two labels: the loss cannot fall below ln 2."""
    text = """\
name: torn
data:
  dataset: {points: {x: [[1, 2], [1, 2], [1, 2], [1, 2]], y: [0, 1, 0, 1]}}
  validation: 0
model: {layers: [{linear: 2}]}
train: {epochs: 1, batch_size: all, loss: cross_entropy, optimizer: {sgd: 0.1}}
"""
    ran = nnctl("inspect", write(text), "--preflight", "--strict", "--json")
    assert ran.code == 1
    checks = {check["check"]: check for check in ran.json["preflight"]}
    assert not checks["one batch learned by heart"]["ok"]
    assert "equal inputs have different labels" in checks["one batch learned by heart"]["cause"]
    assert not checks["the input is used"]["ok"]
    assert checks["samples are independent"]["ok"]


MILES = """\
name: miles
data: {dataset: {csv: {path: miles.csv, target: y}}, validation: 0}
model: {layers: [{linear: 16}, relu, {linear: 1}]}
train: {epochs: 1, batch_size: 32, loss: mse, optimizer: {adam: 0.001}}
"""


@pytest.mark.parametrize("loss", ["mse", "{mse: {form: half_sum}}", "l1"])
def test_preflight_of_targets_far_from_the_outputs(nnctl: Run, write: Write, loss: str) -> None:
    generator = random.Random(1)
    rows = [(generator.gauss(0, 1), generator.gauss(700, 20)) for _ in range(400)]
    Path("miles.csv").write_text("x,y\n" + "".join(f"{x},{y}\n" for x, y in rows), encoding="utf-8")

    def start(*changes: str) -> dict[str, Any]:
        ran = nnctl("inspect", write(MILES), f"train.loss={loss}", *changes, "--preflight", "--json")
        checks: list[dict[str, Any]] = ran.json["preflight"]
        return next(check for check in checks if check["check"] == "loss at initialisation")

    far = start()
    assert not far["ok"]
    at_zero, at_mean = {"mse": (700**2, 20**2), "l1": (700, 20 * (2 / pi) ** 0.5)}.get(loss, (700**2 / 2, 20**2 / 2))
    assert far["value"] == pytest.approx(at_zero, rel=0.02)
    assert float(far["expected"].rpartition(" ")[2]) == pytest.approx(at_mean, rel=0.15)
    cure = re.search(r"not standardised; start at their mean, with `init: (.*)` in linear2", far["cause"])
    assert cure is not None
    assert start(f"model.layers[2]={{linear: {{features: 1, init: {cure.group(1)}}}}}")["ok"]


def test_preflight_of_targets_about_zero(nnctl: Run, write: Write) -> None:
    """Two deviations from 0 are learned in a few steps; a network with weights of 100 is another mistake."""
    text = MILES.replace("csv: {path: miles.csv, target: y}", "points: {x: [[1], [2], [3], [4]], y: [1.0, 3, 1, 3.5]}")
    checks = nnctl("inspect", write(text), "--preflight", "--json").json["preflight"]
    assert checks[0]["check"] == "loss at initialisation"
    assert checks[0]["ok"]
    checks = nnctl("inspect", "spec.yaml", "model.init={normal: 100}", "--preflight", "--json").json["preflight"]
    assert not checks[0]["ok"]
    assert "the last layer starts too large" in checks[0]["cause"]


def test_preflight_of_a_healthy_spec(nnctl: Run) -> None:
    spec = Path(__file__).parents[2] / "specs" / "quickstart.yaml"
    checks = nnctl("inspect", str(spec), "--preflight", "--json").json["preflight"]
    assert [check["ok"] for check in checks] == [True] * 5  # the labels are not looked for in images


def test_preflight_sees_samples_that_see_each_other(nnctl: Run) -> None:
    import torch
    from torch import nn

    from nnctl.data.load import Batch
    from nnctl.diagnosis.preflight import _independent

    class Mixed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x - x.mean(0)

    batch = Batch({"input": torch.randn(8, 3)}, torch.zeros(8))
    assert not _independent(Mixed(), batch).ok
    assert _independent(nn.Linear(3, 2), batch).ok
