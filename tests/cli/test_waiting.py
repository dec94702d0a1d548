"""How far long work is: redrawn for a person, told once and then now and then in a file."""

from __future__ import annotations

import io

import pytest

from nnctl.cli.render.waiting import waiting
from nnctl.cli.terminal import Terminal
from tests.cli.conftest import SMALL, Run, Write


def told(interactive: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what is written about two stages of a second and of fifteen."""
    clock = 0.0
    monkeypatch.setattr("time.monotonic", lambda: clock)
    to = io.StringIO()
    with waiting(Terminal(to, interactive, colour=False, unicode=True, width=80)) as progress:
        progress("one", 0, None)
        for second in range(16):
            clock = 1.0 + second
            progress("two", second, 100)
    return to.getvalue()


def test_on_a_terminal_every_stage_is_drawn_and_wiped_away(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = told(True, monkeypatch).split("\r")
    assert drawn[1] == "one …"
    assert drawn[2] == "two: 0% of 100"
    assert drawn[3] == "two: 1% of 100, 1:39 left"
    assert drawn[-2].strip() == ""


def test_elsewhere_a_line_is_told_at_the_start_and_then_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = told(False, monkeypatch).splitlines()
    assert lines == ["one …", "two: 9% of 100, 1:31 left"]


@pytest.mark.parametrize(
    ("command", "line"), [("inspect", "measuring the signals …"), ("gradcheck", "gradients checked: 0% of 6")]
)
def test_commands_that_take_long_tell_how_far_they_are(nnctl: Run, write: Write, command: str, line: str) -> None:
    ran = nnctl(command, write(SMALL), "--json")
    assert ran.err.splitlines() == [line]
    assert ran.json["verdict"]
