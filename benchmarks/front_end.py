"""How long the front end takes: whole processes, the fastest and the median of several runs.

    python -m benchmarks.front_end

Each line is a command as a user types it, its wall time and its processor time. Torch is imported by none of them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

SPECS = Path(__file__).parent.parent / "specs"
RUNS = 9
COMMANDS = (
    ("--help",),
    ("check", str(SPECS / "vgg11.yaml")),
    ("check", str(SPECS / "resnet18.yaml")),
    ("check", str(SPECS / "imagenet" / "googlenet.yaml")),
    ("check", str(SPECS / "cifar" / "resnet1202.yaml")),
)


def measure(arguments: tuple[str, ...]) -> tuple[list[float], list[float]]:
    """Return the wall and processor times of `nnctl ARGUMENTS`."""
    walls, processors = [], []
    for _ in range(RUNS):
        before, start = os.times(), time.perf_counter()
        subprocess.run([sys.executable, "-m", "nnctl", *arguments], check=True, stdout=subprocess.DEVNULL)
        after = os.times()
        walls.append(time.perf_counter() - start)
        processors.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return walls, processors


def main() -> None:
    """Measure every command."""
    print(f"{'':44}{'wall s: least, median':>24}{'processor s: least, median':>30}")
    for arguments in COMMANDS:
        walls, processors = measure(arguments)
        shown = " ".join(Path(a).name if a.endswith(".yaml") else a for a in arguments)
        print(
            f"nnctl {shown:38}{min(walls):14.2f}{statistics.median(walls):10.2f}"
            f"{min(processors):20.2f}{statistics.median(processors):10.2f}"
        )


if __name__ == "__main__":
    main()
