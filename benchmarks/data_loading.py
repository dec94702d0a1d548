"""Passes over folders of photos: nnctl beside torchvision's ImageFolder, its transforms and a DataLoader.

    python -m benchmarks.data_loading --cifar FOLDER --tiny FOLDER

The folders hold train/CLASS/… of CIFAR-10 and of Tiny ImageNet (any photos of one size will do). Both sides crop and
flip at random, standardise, and hand out shuffled batches of 128; nothing is trained. Each measurement is a process of
its own with an empty cache: the first pass includes listing and decoding the files, later passes are the mean of
three. Memory is the most that the process and its workers had together, shared pages counted once, beyond what they
had before they opened the set. Both sides run in turn; ratios are of runs next to each other in time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

import nnctl
from nnctl.data.load import load
from nnctl.data.order import epoch_order

BATCH, LATER = 128, 3
MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
Passes: TypeAlias = "Callable[[int], Iterator[Tensor]]"


def with_nnctl(folder: Path, padding: int) -> Passes:
    """Return nnctl's passes over a folder that holds train and test."""
    text = f"""
name: passes
data:
  dataset: {{image_folder: {{path: {folder}}}}}
  validation: 0
  augment: [{{random_crop: {{padding: {padding}}}}}, horizontal_flip]
model: {{layers: [flatten, {{linear: $classes}}]}}
"""
    spec = folder.parent / "spec.yaml"
    spec.write_text(text, encoding="utf-8")
    data = nnctl.load_spec(spec).data
    assert data is not None
    train = load(data, seed=0, splits=("train",)).train

    def epoch(number: int) -> Iterator[Tensor]:
        order = epoch_order(len(train), 0, number)
        for step, places in enumerate(torch.split(order, BATCH)):
            yield train.batch(places, step=number * len(order) + step).inputs["input"]

    return epoch


def by_hand(folder: Path, padding: int) -> Passes:
    """Return the passes of the usual loader with a worker for each processor."""
    extent = datasets.ImageFolder(str(folder / "train"))[0][0].height
    transform = transforms.Compose(
        [
            transforms.RandomCrop(extent, padding=padding),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    photos = datasets.ImageFolder(str(folder / "train"), transform=transform)
    workers = os.cpu_count() or 1
    loader = DataLoader(photos, batch_size=BATCH, shuffle=True, num_workers=workers, persistent_workers=True)
    return lambda _: (x for x, _ in loader)


class Memory(threading.Thread):
    """Looks ten times a second at the memory of this process and its workers, shared pages counted once."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.first = self.most = self._now()
        self._done = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        while not self._done.wait(0.1):
            self.most = max(self.most, self._now())

    def stop(self) -> int:
        """Return the bytes at the peak beyond those at the start."""
        self._done.set()
        self.join()
        return self.most - self.first

    @staticmethod
    def _now() -> int:
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        total = 0
        for process in (str(os.getpid()), *children):
            try:
                rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
            except OSError:
                continue  # a worker that ended at this moment
            total += int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:"))) * 1024
        return total


def measure(side: str, folder: Path, padding: int) -> dict[str, float]:
    """Return seconds of the first and of later passes, samples in a pass, and bytes of memory."""
    memory = Memory()
    memory.start()
    start, times = time.perf_counter(), []
    epoch = (with_nnctl if side == "nnctl" else by_hand)(folder, padding)
    samples = 0
    for number in range(1 + LATER):
        samples = sum(len(x) for x in epoch(number))
        times.append(time.perf_counter() - start)
        start = time.perf_counter()
    return {"first": times[0], "later": statistics.mean(times[1:]), "samples": samples, "memory": memory.stop()}


def lay_out(photos: Path, into: Path, per_class: int | None) -> Path:
    """Link the photos of each class's folder, or the first few of them, into train, and one into test."""
    for source in sorted(path for path in photos.iterdir() if path.is_dir()):
        files = sorted(path for path in source.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
        for split, chosen in (("train", files[:per_class]), ("test", files[:1])):
            (into / split / source.name).mkdir(parents=True)
            for file in chosen:
                (into / split / source.name / file.name).symlink_to(file.resolve())
    return into


def in_a_process(side: str, folder: Path, padding: int, cache: Path) -> dict[str, float]:
    """Return what `measure` finds in a new process with an empty cache."""
    command = [sys.executable, "-m", "benchmarks.data_loading", "--measure", side, str(folder), str(padding)]
    environment = {**os.environ, "NNCTL_CACHE": str(cache)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def compare(name: str, folder: Path, padding: int, runs: int, place: Path) -> None:
    """Run both sides in turn and print medians and ratios."""
    for side in ("nnctl", "by hand"):  # so that both find the files in the page cache
        in_a_process(side, folder, padding, place / f"{name}-warm-{side}")
    pairs = [
        [in_a_process(side, folder, padding, place / f"{name}-{run}") for side in ("nnctl", "by hand")]
        for run in range(runs)
    ]
    print(f"{name}: {pairs[0][0]['samples']:,.0f} photos a pass")
    for key, unit, scale in (("first", "s", 1.0), ("later", "s", 1.0), ("memory", "MiB", 2.0**20)):
        ours, theirs = ([pair[side][key] / scale for pair in pairs] for side in (0, 1))
        ratios = sorted(b / a for a, b in zip(ours, theirs, strict=True))
        shown = f"{statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        mine, other = statistics.median(ours), statistics.median(theirs)
        print(f"  {key:6}  nnctl {mine:9.2f} {unit:3}  by hand {other:9.2f} {unit:3}  ratio {shown}")


def main() -> None:
    """Run the comparison, or one measurement of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cifar", type=Path, help="folder of CIFAR-10 photos")
    parser.add_argument("--tiny", type=Path, help="the folder tiny-imagenet-200")
    parser.add_argument("--per-class", type=int, help="photos of each class, for a quick look")
    parser.add_argument("--runs", type=int, default=3, help="alternating runs of each")
    parser.add_argument("--measure", nargs=3, metavar=("SIDE", "FOLDER", "PADDING"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        side, folder, padding = arguments.measure
        print(json.dumps(measure(side, Path(folder), int(padding))))
        return
    for name, photos, padding in (("cifar10", arguments.cifar, 4), ("tiny_imagenet", arguments.tiny, 8)):
        if photos is not None:
            with tempfile.TemporaryDirectory() as temporary:
                folder = lay_out(photos / "train", Path(temporary) / "set", arguments.per_class)
                compare(name, folder, padding, arguments.runs, Path(temporary))


if __name__ == "__main__":
    main()
