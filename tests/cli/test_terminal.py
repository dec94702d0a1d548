"""Colour, encodings and numbers."""

from __future__ import annotations

import io
import math

import pytest

from nnctl.cli.output import print_json, print_problems
from nnctl.cli.render.columns import aligned
from nnctl.cli.render.numbers import duration, measure, sparkline
from nnctl.cli.terminal import ascii_only, terminal
from nnctl.errors import Position, Problem
from nnctl.graph.costs import byte_size


class Screen(io.TextIOWrapper):
    """A terminal that remembers what is written to it."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding)

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode(self.encoding)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_a_terminal_has_colour_unless_it_is_unwanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal(Screen()).paint("x", "red") == "\x1b[1;31mx\x1b[0m"
    assert terminal(io.StringIO()).paint("x", "red") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal(Screen()).paint("x", "red") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not terminal(Screen()).interactive


def test_a_narrow_encoding_gets_ascii() -> None:
    screen = Screen("ascii")
    terminal(screen).print("32×32 → 16 ▁█ 日")
    assert screen.text == "32x32 -> 16 _= ?\n"


def test_latin_letters_survive_where_the_encoding_has_them() -> None:
    assert ascii_only("café – fin", "latin-1") == "café - fin"


def test_problems_are_coloured_without_changing_a_letter() -> None:
    problem = Problem("c", "what", Position("a.yaml", 3, 5), "conv", ("`kernel` is 5",), "do so")
    screen, plain = Screen(), io.StringIO()
    print_problems([problem, problem], to=terminal(screen))
    print_problems([problem, problem], to=terminal(plain))
    one = "error: what\n  --> a.yaml:3:5 (conv)\n  `kernel` is 5\n\nhint: do so\n"
    assert plain.getvalue() == f"{one}\n{one}"
    coloured = screen.text
    assert "\x1b[1;31merror:\x1b[0m\x1b[1m what\x1b[0m" in coloured
    for code in ("1;31", "1", "36", "0"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured == plain.getvalue()


def test_json_has_no_numbers_that_json_lacks(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": math.nan, "b": [math.inf, 1.5], "c": {"d": -math.inf}})
    assert "".join(capsys.readouterr().out.split()) == '{"a":null,"b":[null,1.5],"c":{"d":null}}'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.93412, "0.9341"),
        (0.1, "0.1000"),
        (0.00314, "0.0031"),
        (3.2e-5, "3.20e-05"),
        (0.0, "0"),
        (1.0, "1.000"),
        (-2.5, "-2.500"),
        (12.3, "12.30"),
        (123.456, "123.5"),
        (12345.6, "1.23e+04"),
        (math.nan, "nan"),
        (math.inf, "inf"),
    ],
)
def test_measures(value: float, text: str) -> None:
    assert measure(value) == text


def test_sizes_and_times() -> None:
    assert [byte_size(size) for size in (0, 1023, 1024, 3 * 1024**2 // 2)] == ["0 B", "1023 B", "1.0 KiB", "1.5 MiB"]
    assert [duration(seconds) for seconds in (4.21, 185, 3723)] == ["4.2 s", "3:05", "1:02:03"]


def test_sparklines_fall_as_the_loss_does() -> None:
    assert sparkline([8, 7, 6, 5, 4, 3, 2, 1], 8) == "█▇▆▅▄▃▂▁"
    assert sparkline([4, 4, 0, 0], 2) == "█▁"
    assert sparkline([math.nan, math.inf], 8) == ""
    assert sparkline([2.0, 2.0], 8) == "▁▁"
    assert len(sparkline(list(range(1000)), 40)) == 40


def test_columns_line_up() -> None:
    assert aligned([("a", "10"), ("bcd", "7")], right={1}) == ["a    10", "bcd   7"]
