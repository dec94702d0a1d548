"""The frame of the command line: help, version, wrong usage."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nnctl as package
from tests.cli.conftest import Run

COMMANDS = (
    "train",
    "eval",
    "predict",
    "inspect",
    "gradcheck",
    "landscape",
    "export",
    "check",
    "show",
    "list",
    "explain",
    "schema",
)

HELP = """
import sys
from nnctl.cli.app import main
try:
    main(["--help"])
except SystemExit:
    pass
slow = {"rich", "pydantic", "yaml", "torch", "numpy"} & set(sys.modules)
print("imported:", sorted(slow))
"""


def test_help_imports_nothing_that_takes_long() -> None:
    ran = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "imported: []"


def test_help_names_every_command_in_a_line(nnctl: Run) -> None:
    ran = nnctl("--help")
    listed = ran.out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert not any("..." in line for line in listed)
    assert ran.code == 0


@pytest.mark.parametrize("command", [*COMMANDS, "evaluate"])
def test_every_command_has_help_with_an_example_and_json(nnctl: Run, command: str) -> None:
    ran = nnctl(command, "--help")
    name = "eval" if command == "evaluate" else command
    assert f"  nnctl {name}" in ran.out
    assert "--json" in ran.out
    assert ran.code == 0


def test_version(nnctl: Run) -> None:
    assert nnctl("--version").out == f"nnctl {package.__version__}\n"


def test_without_a_command_help_goes_to_stderr(nnctl: Run) -> None:
    ran = nnctl()
    assert (ran.code, ran.out) == (2, "")
    assert "Commands:" in ran.err


def test_a_wrong_command_is_compared_with_the_right_ones(nnctl: Run) -> None:
    ran = nnctl("trian")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: there is no command `trian`\n\nhint: did you mean `train`?\n"


def test_a_command_like_no_other_lists_them(nnctl: Run) -> None:
    assert nnctl("xyzzy").err.endswith(f"hint: commands: {', '.join(COMMANDS)}\n")


def test_wrong_usage_is_told_in_json_too(nnctl: Run) -> None:
    ran = nnctl("show", "--json")
    assert (ran.code, ran.err) == (2, "")
    (error,) = ran.json["errors"]
    assert error == {
        "code": "usage",
        "message": "Missing argument 'SPEC'",
        "file": None,
        "line": None,
        "column": None,
        "hint": "see `nnctl show --help`",
    }


def test_an_argument_that_is_no_override(nnctl: Run) -> None:
    ran = nnctl("show", "a.yaml", "b.yaml")
    assert ran.code == 2
    assert ran.err == (
        "error: expected PATH=VALUE, found `b.yaml`\n\n"
        "hint: an override looks like `train.epochs=3`; this command takes one file\n"
    )
