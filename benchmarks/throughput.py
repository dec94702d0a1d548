"""Training samples per second: nnctl beside the loop that people write by hand, in alternating runs.

    python -m benchmarks.throughput --root DATA                 mlp and lenet on MNIST, against torchvision's data set,
                                                                its transforms and a DataLoader with two workers
    python -m benchmarks.throughput --root DATA --cifar FOLDER  also VGG-11, against a bare forward-backward-step on one
                                                                fixed batch; FOLDER holds train/CLASS/… and test/CLASS/…

DATA holds MNIST/raw. Each figure is the median of the runs; ratios are of runs next to each other in time, so that a
noisy machine slows both. Rates are measured as `images_per_second` is: from an epoch's first batch to its last step,
the first epoch left out.
"""

from __future__ import annotations

import argparse
import gzip
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

import nnctl

SPECS = Path(__file__).parent.parent / "specs"


def with_nnctl(spec: str, overrides: list[str], folder: Path) -> float:
    """Return nnctl's images per second over the second of two epochs."""
    loaded = nnctl.load_spec(SPECS / spec, overrides=["train.epochs=2", *overrides])
    number = len(list(folder.iterdir()))
    result = nnctl.train(loaded, run=folder / str(number))
    assert result.images_per_second is not None
    return result.images_per_second


def by_hand(make: Callable[[], nn.Module], raw: Path, batch_size: int) -> float:
    """Return the images per second of the usual loop: torchvision's MNIST, its transforms, a DataLoader."""
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    data = datasets.MNIST(str(raw), train=True, download=False, transform=transform)
    loader = DataLoader(data, batch_size=batch_size, shuffle=True, num_workers=2)
    net = make()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    rate = 0.0
    for _ in range(2):
        start, seen = None, 0
        for x, y in loader:
            start = start or time.perf_counter()
            optimizer.zero_grad()
            torch.autograd.backward(cross_entropy(net(x), y))
            optimizer.step()
            seen += len(x)
        assert start is not None
        rate = seen / (time.perf_counter() - start)
    return rate


def bare(make: Callable[[], nn.Module], batch_size: int, steps: int) -> float:
    """Return the images per second of forward, backward and step on one fixed batch."""
    x, y = torch.randn(batch_size, 3, 32, 32), torch.randint(10, (batch_size,))
    net = make()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)
    start = 0.0
    for step in range(steps + 3):
        if step == 3:
            start = time.perf_counter()
        optimizer.zero_grad()
        torch.autograd.backward(cross_entropy(net(x), y))
        optimizer.step()
    return steps * batch_size / (time.perf_counter() - start)


def plain_mlp() -> nn.Module:
    """Return specs/mlp.yaml's network as one writes it by hand."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
    )


def plain_lenet() -> nn.Module:
    """Return specs/lenet.yaml's network as one writes it by hand."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def alternate(name: str, ours: Callable[[], float], theirs: Callable[[], float], runs: int) -> None:
    """Run both in turn and print the medians and the ratio."""
    pairs = [(ours(), theirs()) for _ in range(runs)]
    mine, other = (statistics.median(values) for values in zip(*pairs, strict=True))
    ratios = sorted(a / b for a, b in pairs)
    ratio = f"{statistics.median(ratios):5.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    print(f"{name:8} nnctl {mine:10,.0f}/s   other {other:10,.0f}/s   ratio {ratio}")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder that holds MNIST/raw")
    parser.add_argument("--cifar", type=Path, help="folder of CIFAR-10 photos; leaves VGG-11 out if not given")
    parser.add_argument("--runs", type=int, default=5, help="alternating runs of each")
    parser.add_argument("--only", choices=("mlp", "lenet", "vgg11"), help="one network")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        runs, root = Path(temporary) / "runs", Path(temporary) / "data"
        runs.mkdir()
        (root / "MNIST" / "raw").mkdir(parents=True)
        for file in (arguments.root / "MNIST" / "raw").glob("*.gz"):
            with gzip.open(file) as packed, (root / "MNIST" / "raw" / file.stem).open("wb") as plain:
                shutil.copyfileobj(packed, plain)
        mnist = [f"data.root={arguments.root.resolve()}"]
        for name, make in (("mlp", plain_mlp), ("lenet", plain_lenet)):
            if arguments.only in (None, name):
                ours = partial(with_nnctl, f"{name}.yaml", mnist, runs)
                alternate(name, ours, partial(by_hand, make, root, 128), arguments.runs)
        if arguments.cifar and arguments.only in (None, "vgg11"):
            photos = [f"data.dataset.image_folder.path={arguments.cifar.resolve()}", "data.subset=3840"]
            vgg11 = nnctl.load_spec(SPECS / "vgg11.yaml", overrides=photos)
            ours = partial(with_nnctl, "vgg11.yaml", photos, runs)
            alternate("vgg11", ours, partial(bare, partial(nnctl.compile_model, vgg11), 128, 27), arguments.runs)


if __name__ == "__main__":
    main()
