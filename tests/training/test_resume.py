"""A run that was cut short and resumed ends like one that was not, to the last bit."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from nnctl.data.load import Splits, load
from nnctl.errors import CheckpointError, UsageError
from nnctl.posix import exclusive_lock
from nnctl.spec.sections import Data
from nnctl.training.reporter import Reporter, StepReport
from nnctl.training.run import _job, train
from tests.training.helpers import Failure, Listener, StopAt, assert_same_run, line, points, spec_of

RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "adam, average, clip": {"optimizer": {"adamw": {"lr": 0.05}}, "ema": 0.9, "clip": {"norm": 0.5}},
    "rmsprop, parts": {"optimizer": {"rmsprop": {"lr": 0.01, "momentum": 0.5}}, "accumulate": 3},
    "adagrad, one cycle": {"optimizer": {"adagrad": {"lr": 0.1}}, "schedule": "one_cycle"},
    "bf16": {"precision": "bf16"},
    "penalties": {
        "penalties": [{"l1": 0.01}, {"orthogonal": 0.1}, {"max_norm": 0.9}, {"singular_value_bounding": {"every": 4}}],
    },
    "proximal": {"optimizer": {"apg": 0.1}, "penalties": [{"l1": 0.05}, {"group": 0.05}]},
    "attacked": {"loss": ["cross_entropy", {"adversarial": {"attack": "pgd", "epsilon": 0.1, "steps": 2}}]},
    "early stopping": {  # no epoch is better than the first by so much: the third is the last
        "epochs": 20,
        "early_stopping": {"monitor": "val_loss", "min_delta": 100.0, "patience": 2},
    },
    "regression": {"data": line(), "layers": [{"linear": 4}, "tanh", {"linear": 1}], "loss": "mse"},
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_crash_after_any_step(tmp_path: Path, recipe: dict[str, Any]) -> None:
    spec = spec_of(**recipe, checkpoint={"every": 2})
    whole = train(spec, run=tmp_path / "whole")
    for step in (1, 5, 12):  # before any state, within an epoch, at an epoch's end
        cut = tmp_path / f"cut{step}"
        with pytest.raises(Failure):
            train(spec, run=cut, reporter=StopAt(step))
        assert train(spec, run=cut, resume=True).stopped == whole.stopped
        assert_same_run(tmp_path / "whole", cut)


class Signals(Reporter):
    """Sends this process a signal after a step, as Ctrl-C does."""

    interval = 0.0

    def __init__(self, step: int, number: signal.Signals) -> None:
        self.step, self.number = step, number

    def on_step(self, report: StepReport) -> None:
        if report.step == self.step:
            os.kill(os.getpid(), self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [3, 6, 18])
def test_a_signal_finishes_the_step_and_saves(tmp_path: Path, number: signal.Signals, step: int) -> None:
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]
    train(spec_of(), run=tmp_path / "whole")
    result = train(spec_of(), run=tmp_path / "cut", reporter=Signals(step, number))
    assert (result.stopped, result.steps, result.signal) == ("interrupted", step, number)
    assert train(spec_of(), run=tmp_path / "cut", resume=True).stopped == "finished"
    assert_same_run(tmp_path / "whole", tmp_path / "cut")
    assert handlers == [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)]


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    class Twice(Signals):
        def on_step(self, report: StepReport) -> None:
            super().on_step(report)
            super().on_step(report)

    with pytest.raises(KeyboardInterrupt):
        train(spec_of(), run=tmp_path, reporter=Twice(3, signal.SIGINT))


def test_three_crashes_in_one_epoch(tmp_path: Path) -> None:
    spec = spec_of(checkpoint={"every": 1})
    train(spec, run=tmp_path / "whole")
    for count, step in enumerate((2, 3, 5)):
        with pytest.raises(Failure):
            train(spec, run=tmp_path / "cut", resume=count > 0, reporter=StopAt(step))
    train(spec, run=tmp_path / "cut", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


@pytest.mark.parametrize(
    "name", ["manifest.json", "state.json", "model.safetensors", "optimizer.safetensors", "meter.safetensors"]
)
def test_a_damaged_state_is_passed_over_aloud(tmp_path: Path, name: str) -> None:
    spec = spec_of(checkpoint={"every": 4})
    train(spec, run=tmp_path / "whole")
    with pytest.raises(Failure):
        train(spec, run=tmp_path / "cut", reporter=StopAt(10))
    for damage in ("flip", "cut", "remove"):
        run = tmp_path / f"after {damage}"
        shutil.copytree(tmp_path / "cut", run)
        assert sorted(path.name for path in (run / "state").iterdir()) == ["step-6", "step-8"]
        _damage(run / "state/step-8" / name, damage)
        listener = Listener()
        train(spec, run=run, resume=True, reporter=listener)
        assert any("state/step-8/" in note and "passed over" in note for note in listener.notes)
        assert any("goes on after step 6" in note for note in listener.notes)
        assert_same_run(tmp_path / "whole", run)


def _damage(file: Path, how: str) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    if how == "remove":
        file.unlink()
    else:
        file.write_bytes(data if how == "flip" else data[:-1])


def test_what_an_interrupted_save_left_is_swept(tmp_path: Path) -> None:
    spec = spec_of()
    with pytest.raises(Failure):
        train(spec, run=tmp_path, reporter=StopAt(8))
    shutil.copytree(tmp_path / "state/step-6", tmp_path / "state/.tmp-step-9-1")
    train(spec, run=tmp_path, resume=True)
    assert not list((tmp_path / "state").glob(".tmp-*"))


def test_without_a_state_training_starts_at_step_0_and_says_so(tmp_path: Path) -> None:
    spec = spec_of(epochs=1)
    train(spec, run=tmp_path / "whole")
    with pytest.raises(Failure):
        train(spec, run=tmp_path / "cut", reporter=StopAt(2))
    listener = Listener()
    train(spec, run=tmp_path / "cut", resume=True, reporter=listener)
    assert any("starts at step 0" in note for note in listener.notes)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


def test_a_finished_run_is_returned_as_it_is(tmp_path: Path) -> None:
    result = train(spec_of(), run=tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"}
    again = train(spec_of(), run=tmp_path, resume=True)
    assert again == result
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_resume_takes_the_newest_run_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train(spec_of(epochs=1))
    with pytest.raises(Failure):
        train(spec_of(epochs=1), reporter=StopAt(3))
    Path("checkpoints/small/3").mkdir()  # nothing of a run is there
    assert train(spec_of(epochs=1), resume=True).run == "checkpoints/small/2"


def test_an_interrupt_before_the_first_step_leaves_no_empty_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(spec_of(), run=tmp_path / "whole")

    def slow(*arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return _job(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("nnctl.training.run._job", slow)
        cut = train(spec_of(), run=tmp_path / "cut")
    assert (cut.stopped, cut.steps) == ("interrupted", 1)
    with pytest.raises(CheckpointError, match="was started with another spec"):
        train(spec_of(epochs=9), run=tmp_path / "cut", resume=True)
    assert train(spec_of(), run=tmp_path / "cut", resume=True).steps == whole.steps
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


def test_another_spec_is_refused_with_the_line_that_differs(tmp_path: Path) -> None:
    train(spec_of(epochs=1), run=tmp_path)
    with pytest.raises(CheckpointError, match="was started with another spec") as caught:
        train(spec_of(epochs=2), run=tmp_path, resume=True)
    assert "epochs: 1" in caught.value.problems[0].details[0]
    assert "epochs: 2" in caught.value.problems[0].details[1]


def test_other_data_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure):
        train(spec_of(), run=tmp_path, reporter=StopAt(8))

    def changed(data: Data, *arguments: Any, **options: Any) -> Splits:
        other = spec_of(data=points(63)).data
        assert other is not None
        return load(other, *arguments, **options)

    monkeypatch.setattr("nnctl.training.run.load", changed)
    with pytest.raises(CheckpointError, match="the data is not what"):
        train(spec_of(), run=tmp_path, resume=True)


def test_two_trainers_cannot_share_a_directory(tmp_path: Path) -> None:
    with pytest.raises(Failure):
        train(spec_of(), run=tmp_path, reporter=StopAt(8))
    with exclusive_lock(tmp_path / ".lock"), pytest.raises(UsageError, match="another process is training"):
        train(spec_of(), run=tmp_path, resume=True)


def test_a_crash_between_the_two_renames_of_a_replaced_state_loses_nothing(tmp_path: Path) -> None:
    spec = spec_of(checkpoint={"keep": 1})
    train(spec, run=tmp_path / "whole")
    with pytest.raises(Failure):
        train(spec, run=tmp_path / "cut", reporter=StopAt(8))
    state = tmp_path / "cut/state"
    (state / "step-6").rename(state / ".tmp-old-step-6")
    listener = Listener()
    train(spec, run=tmp_path / "cut", resume=True, reporter=listener)
    assert any("goes on after step 6" in note for note in listener.notes)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")


def test_the_log_is_cut_back_to_the_state(tmp_path: Path) -> None:
    spec = spec_of(checkpoint={"keep": 3})
    train(spec, run=tmp_path / "whole")
    with pytest.raises(Failure):
        train(spec, run=tmp_path / "cut", reporter=StopAt(14))
    shutil.rmtree(tmp_path / "cut/state/step-12")
    train(spec, run=tmp_path / "cut", resume=True)
    assert_same_run(tmp_path / "whole", tmp_path / "cut")
