"""Every way to fail has its exit code, and only a bug shows a traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest
import torch

from nnctl.cli.failures import BUG, failure_of
from nnctl.errors import DataError, DivergedError, Problem, ResourceError, SpecError
from tests.cli.conftest import Run, Write

PROBLEM = Problem("code", "what is wrong")
NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "checkpoints/a")
MISSING = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "a.yaml")
CPU_MEMORY = RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecError(PROBLEM), 2),
        (DataError(PROBLEM), 2),
        (MISSING, 2),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "a.yaml"), 2),
        (DivergedError(PROBLEM), 3),
        (ResourceError(PROBLEM), 4),
        (NO_SPACE, 4),
        (MemoryError(), 4),
        (torch.OutOfMemoryError("CUDA out of memory"), 4),
        (CPU_MEMORY, 4),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)), 141),
        (ValueError("x"), BUG),
        (OSError("without a file"), BUG),
    ],
)
def test_exit_codes(error: BaseException, code: int) -> None:
    assert failure_of(error, []).exit_code == code


def test_errors_of_files_name_the_file() -> None:
    assert failure_of(MISSING, []).problems[0].message == "a.yaml: No such file or directory"
    assert failure_of(NO_SPACE, []).problems[0].message == "the disk is full: checkpoints/a: No space left on device"


def test_several_errors_are_counted(nnctl: Run, write: Write) -> None:
    ran = nnctl("show", write("name: a\nmodel: {layers: [], layer: 1}\nbogus: 1\n"))
    assert ran.code == 2
    assert "Traceback" not in ran.err
    assert ran.err.count("error: ") == 2
    assert ran.err.endswith("\n2 errors\n")


def test_a_bug_shows_its_traceback_and_asks_for_a_report(
    nnctl: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr("nnctl.spec.load.load", broken)
    ran = nnctl("show", write())
    assert ran.code == 70
    assert "Traceback" in ran.err
    assert ran.err.endswith(
        "error: this is a bug in nnctl: ZeroDivisionError: a mistake of ours\n\n"
        "hint: please report it, with the lines above and the spec\n"
    )


@pytest.mark.parametrize("arguments", [["schema"], ["list", "schedules"], ["show", "--json"]], ids=" ".join)
def test_a_pipe_that_closes_early_is_no_error(arguments: list[str]) -> None:
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [sys.executable, "-m", "nnctl", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141
