"""The command line, run inside the test's own process: torch is then imported once for all tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from nnctl.cli.app import main

SMALL = """\
name: small
model:
  input: [3, 8, 8]
  layers:
    - conv: {channels: 4, bias: false}
    - batch_norm
    - relu
    - max_pool: 2
    - flatten
    - linear: 10
"""


@dataclass(frozen=True)
class Ran:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)


Run: TypeAlias = Callable[..., Ran]
Write: TypeAlias = Callable[..., str]


@pytest.fixture
def nnctl(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `nnctl ARGUMENTS…` and return its exit code and what it printed."""

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit:
            main(list(arguments))
        captured = capsys.readouterr()
        assert isinstance(exit.value.code, int)
        return Ran(exit.value.code, captured.out, captured.err)

    return run


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a spec into an empty current directory and return its name."""
    monkeypatch.chdir(tmp_path)

    def spec(text: str = SMALL, name: str = "spec.yaml") -> str:
        Path(name).write_text(text, encoding="utf-8")
        return name

    return spec
