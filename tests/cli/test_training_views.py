"""What training shows: plain lines in a file, a live picture on a terminal, a summary at the end."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from nnctl.cli.render import live
from nnctl.cli.render.history import summary
from nnctl.cli.render.live import LiveView
from nnctl.cli.render.plain import PlainView
from nnctl.cli.terminal import Terminal, terminal
from nnctl.graph.build import build_text
from nnctl.training.reporter import EpochReport, Reporter, Start, StepReport
from nnctl.training.result import Best, RunResult
from tests.cli.conftest import SMALL
from tests.cli.test_terminal import Screen

START = Start(
    run=Path("checkpoints/small/1"),
    name="small",
    device="cpu",
    parameters=12345,
    samples=1000,
    validation=100,
    epochs=2,
    steps=20,
    steps_per_epoch=10,
    monitor="val_accuracy",
    step=0,
)
STEP = StepReport(step=1, epoch=1, batch=1, loss=2.0, rate=0.1, images_per_second=5000.4)
BEST = Best(1, "val_accuracy", 0.75)
METRICS = {"train_loss": 1.5, "val_loss": 1.25, "val_accuracy": 0.75, "val_error": 0.25}
EPOCH = EpochReport(
    epoch=1, step=10, metrics=METRICS, rate=0.1, images_per_second=5000.4, seconds=2.0, best=BEST, improved=True
)
RESULT = RunResult(
    run="checkpoints/small/1", epochs=2, steps=20, stopped="finished", best=BEST, images_per_second=5000.4
)
HEADING = "epoch  train_loss   val_loss  val_accuracy       rate   images/s       time"
FIRST = "  1/2       1.500      1.250        0.7500     0.1000      5,000      2.0 s  *"
SECOND = "  2/2       1.500      1.250        0.7500     0.1000      5,000      2.0 s"


def drive(view: Reporter) -> None:
    view.on_start(START)
    for step in range(1, 21):
        view.on_step(replace(STEP, step=step, epoch=1 + (step > 10), batch=(step - 1) % 10 + 1, loss=2.0 / step))
        if step % 10 == 0:
            view.on_epoch(replace(EPOCH, epoch=step // 10, improved=step == 10))
    view.on_note("a note")
    view.on_end(RESULT)


def test_plain_lines() -> None:
    stream = io.StringIO()
    drive(PlainView(terminal(stream)))
    assert stream.getvalue().splitlines() == [
        "small · 12,345 parameters · 1,000 training samples · 100 validation samples · cpu",
        HEADING,
        FIRST,
        SECOND,
        "a note",
    ]


def test_plain_lines_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("nnctl.cli.render.plain.time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    view = PlainView(terminal(stream))
    for clock[0] in (0.0, 1.0, 10.5, 11.0):
        view.on_data("decoding", int(clock[0] * 10), 200)
    view.on_data("downloading", 5, None)
    clock[0] = 30.0
    view.on_data("downloading", 12345, None)
    assert stream.getvalue().splitlines() == ["decoding …", "decoding: 52%", "downloading …", "downloading: 12,345"]


def test_a_long_epoch_speaks_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr("nnctl.cli.render.plain.time.monotonic", lambda: clock[0])
    stream = io.StringIO()
    view = PlainView(terminal(stream))
    view.on_start(START)
    for clock[0] in (1.0, 9.0, 11.0, 12.0, 20.0, 22.0):
        view.on_step(STEP)
    assert stream.getvalue().splitlines()[1:] == ["epoch 1/2, step 1/10: loss 2.000, 5,000 images/s"] * 2


def drawn(view_width: int = 100, encoding: str = "utf-8") -> str:
    screen = Screen(encoding)
    to = Terminal(screen, interactive=True, colour=True, unicode=encoding == "utf-8", width=view_width)
    with LiveView(to) as view:
        drive(view)
    return screen.text


@pytest.fixture
def _terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "130")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.mark.usefixtures("_terminal")
def test_the_live_picture_shows_all_that_matters() -> None:
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", drawn()).replace("\r", "")
    assert HEADING in text
    assert FIRST in text
    picture = next(line for line in text.splitlines() if "epoch 2/2" in line and "40%" in line)
    for part in ("loss 0.1429", "rate 0.1000", "5,000 images/s", " left"):
        assert part in picture
    assert re.search(r"loss █[▁▂▃▄▅▆▇]+ {2}best val_accuracy 0\.7500 at epoch 1", text)


@pytest.mark.usefixtures("_terminal")
def test_the_live_picture_is_wiped_at_the_end_and_the_cursor_comes_back() -> None:
    text = drawn()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert "epoch 2/2" not in text.rpartition("a note")[2].rpartition("\x1b[2K")[2]


@pytest.mark.usefixtures("_terminal")
def test_the_live_picture_in_ascii() -> None:
    drawn(encoding="ascii")  # an encoding error would raise


@pytest.mark.usefixtures("_terminal")
def test_the_live_picture_of_reading_is_drawn_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1.0]
    monkeypatch.setattr("nnctl.cli.render.live.time.monotonic", lambda: clock[0])
    screen = Screen()
    with LiveView(Terminal(screen, interactive=True, colour=False, unicode=True, width=100)) as view:
        for done in range(50):
            clock[0] += 0.03
            view.on_data("decoding photos", done, 50)
    shares = re.findall(r"decoding photos.*?(\d+)%", screen.text)
    assert [int(share) // 2 for share in dict.fromkeys(shares)] == list(range(0, 50, 4))


@pytest.mark.usefixtures("_terminal")
def test_epochs_too_short_for_a_step_are_drawn_all_the_same() -> None:
    screen = Screen()
    with LiveView(Terminal(screen, interactive=True, colour=False, unicode=True, width=130)) as view:
        view.on_start(START)
        for epoch, loss in ((1, 2.0), (2, 1.0)):
            view.on_epoch(replace(EPOCH, epoch=epoch, step=10 * epoch, metrics={"train_loss": loss}))
    assert "epoch 2/2" in screen.text
    assert "loss █▁  best" in screen.text


def test_the_losses_kept_are_bounded_and_span_the_whole_run() -> None:
    view = LiveView(terminal(io.StringIO()))
    for step in range(10_000):
        view._remember(float(step))
    assert len(view._losses) < live._LOSSES_KEPT
    assert view._losses[0] == 0.0
    assert view._losses[-1] > 9_900
    assert len({b - a for a, b in zip(view._losses, view._losses[1:], strict=False)}) == 1


def test_the_summary_says_what_is_next() -> None:
    assert summary(RESULT, build_text(SMALL)) == [
        "run       checkpoints/small/1",
        "finished  after 2 epochs, 20 steps",
        "best      val_accuracy 0.7500 at epoch 1",
        "speed     5,000 images/s",
        "next  nnctl eval checkpoints/small/1",
        "      nnctl inspect checkpoints/small/1",
        "      nnctl export checkpoints/small/1 weights.safetensors",
    ]


def test_the_summary_of_an_interrupted_run_says_how_to_go_on() -> None:
    lines = summary(replace(RESULT, run="my runs/1", epochs=1, stopped="interrupted"), build_text(SMALL))
    assert lines[1] == "interrupted  after 1 epoch, 20 steps"
    assert lines[-1] == "resume  nnctl train 'my runs/1/spec.yaml' --run 'my runs/1' --resume"
