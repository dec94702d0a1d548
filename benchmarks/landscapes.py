"""Flat and sharp minima, and surfaces with and without shortcuts: tables and the sheets that `nnctl landscape` draws.

    python -m benchmarks.landscapes batches --data FOLDER [--seeds 3]
    python -m benchmarks.landscapes shortcuts [--depth 56] [--steps 100]

`batches` trains one perceptron on 2,000 digits of MNIST with small and with large batches, each until its loss on all
of them is the same: curvature changes with the height of the loss, whatever the minima are like. `shortcuts` trains
a ResNet for CIFAR and the plain net of as many layers for as many steps, on the embedded digits of 8×8 pixels. FOLDER
is where MNIST lies, as for NNCTL_DATA. All runs are short: the trained networks of papers may look different.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from math import sqrt
from pathlib import Path
from shutil import copyfile
from statistics import fmean, stdev
from tempfile import TemporaryDirectory

import torch
from torch import nn

import nnctl
from nnctl.data.load import Split, Splits, load
from nnctl.data.order import batch_slices, epoch_order
from nnctl.diagnosis.surface.result import LandscapeResult
from nnctl.graph.build import build
from nnctl.network.compile import compile_graph
from nnctl.objective import Objective
from nnctl.spec.load import load as load_document
from nnctl.spec.load import loads
from nnctl.spec.sections import Spec
from nnctl.step import stepper_of

SPECS = Path(__file__).parent.parent / "specs"
CPU = torch.device("cpu")
TARGET = 0.02
"""The training loss at which small and large batches are compared."""
_HIGHER = 0.2
"""How wide a minimum is, is told by the share of a slice below this loss."""
_MOST = 20_000
_LOOK = 10


def perceptron(batch: int, seed: int, root: str) -> Spec:
    """Return a small perceptron on 2,000 digits of MNIST."""
    recipe = {"epochs": 1, "batch_size": batch, "loss": "cross_entropy", "optimizer": {"sgd": 0.1}}
    return loads(
        json.dumps(
            {
                "name": f"batch{batch}",
                "seed": seed,
                "data": {"dataset": "mnist", "root": root, "subset": 2000, "validation": 0},
                "model": {"layers": ["flatten", {"linear": 64}, "relu", {"linear": "$classes"}]},
                "train": recipe,
            }
        )
    )


def steps_of(spec: Spec, splits: Splits, net: nn.Module) -> Iterator[int]:
    """Train `net` as the spec says, without an end, and yield the number of each step taken."""
    assert spec.train is not None
    assert spec.train.batch_size != "all"
    n, step = len(splits.train), 0
    slices = batch_slices(n, spec.train.batch_size, join_single=True)
    stepper = stepper_of(build(spec), spec.train, net.train(), CPU)
    while True:
        order = epoch_order(n, spec.seed, step // len(slices) + 1)
        stepper(splits.train.batch(order[slices[step % len(slices)]], step=step), step, spec.train.optimizer.lr)
        step += 1
        yield step


@torch.no_grad()
def measured(spec: Spec, net: nn.Module, split: Split) -> tuple[float, float]:
    """Return loss and accuracy on all samples of a split."""
    assert spec.train is not None
    batch, objective = split.batch(slice(0, len(split))), Objective(spec.train.loss)
    net.eval()
    seen = objective.forward(net, batch)
    right = (seen.outputs["output"].argmax(1) == batch.target).float().mean()
    net.train()
    return float(objective(seen)), float(right)


def width(result: LandscapeResult, height: float) -> float:
    """Return the share of a slice whose loss is below a height."""
    losses = [loss for row in result.loss or () for loss in (row if isinstance(row, tuple) else (row,))]
    return sum(loss < height for loss in losses) / len(losses)


def batches(root: str, out: Path, seeds: int, scratch: str) -> None:
    """Compare small and large batches at one training loss."""
    headings = ("batch", f"steps to loss {TARGET}", "loss", "λ max", "trace", "surely negative, %", "λ max · rate / 2")
    heading(*headings, f"of the slice below {_HIGHER}, %", "test accuracy, %")
    for size in (16, 512):
        rows: list[list[float]] = []
        for seed in range(seeds):
            spec = perceptron(size, seed, root)
            assert spec.data is not None
            splits = load(spec.data, spec.seed)
            net = compile_graph(build(spec))
            taken = next(
                step
                for step in steps_of(spec, splits, net)
                if (step % _LOOK == 0 and measured(spec, net, splits.train)[0] <= TARGET) or step == _MOST
            )
            assert splits.test is not None
            loss, (_, accuracy) = measured(spec, net, splits.train)[0], measured(spec, net, splits.test)
            asked = {"samples": 2000, "points": 15, "steps": 25}
            found = nnctl.landscape(net, spec, device="cpu", folder=scratch, **asked)  # type: ignore[arg-type]
            assert found.eigenvalues is not None
            assert found.trace is not None
            assert found.negative_share_certain is not None
            assert found.sharpness is not None
            below = width(found, _HIGHER)
            top = found.eigenvalues[0].value
            share, ratio = 100 * found.negative_share_certain, found.sharpness.ratio
            rows.append([taken, loss, top, found.trace, share, ratio, 100 * below, 100 * accuracy])
            if seed == 0:
                keep(found, out, f"batch{size}")
        print(f"| {size} | " + " | ".join(spread(column) for column in zip(*rows, strict=True)) + " |", flush=True)


def shortcuts(out: Path, depth: int, steps: int, scratch: str) -> None:
    """Compare networks with and without shortcuts after as many steps."""
    headings = ("network", f"loss after {steps} steps", "chance", "λ max", "λ min", "trace", "negative")
    heading(*headings, "slice not convex", "of the slice below chance")
    changes = ["data.dataset=digits", "data.augment=[]", "data.validation=0", "train.batch_size=64", "train.epochs=1"]
    changes += ["train.optimizer.sgd.lr=0.05"]
    for name in (f"resnet{depth}", f"plain{depth}"):
        spec = load_document(SPECS / "cifar" / f"{name}.yaml", changes)
        assert spec.data is not None
        splits = load(spec.data, spec.seed)
        net = compile_graph(build(spec))
        next(step for step in steps_of(spec, splits, net) if step == steps)
        asked = {"samples": 128, "points": 9, "steps": 8}
        found = nnctl.landscape(net, spec, device="cpu", folder=scratch, **asked)  # type: ignore[arg-type]
        assert found.eigenvalues is not None
        assert found.chance is not None
        first, last = found.eigenvalues[0], found.eigenvalues[-1]
        cells = [f"{found.centre:.3g}", f"{found.chance:.3g}", f"{first.value:.3g} ± {first.bound:.1g}"]
        cells += [f"{last.value:.3g} ± {last.bound:.1g}", f"{found.trace:.3g} ± {found.trace_error:.1g}"]
        share, error = found.negative_share or 0.0, found.negative_share_error or 0.0
        cells += [f"{100 * share:.0f}% ± {100 * error:.0f}", "yes" if found.nonconvex else "not seen"]
        cells.append(f"{100 * width(found, found.chance):.0f}%")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        keep(found, out, name)


def heading(*names: str) -> None:
    """Print the head of a table."""
    print("| " + " | ".join(names) + " |")
    print("|" + "---|" * len(names), flush=True)


def spread(values: Sequence[float]) -> str:
    """Return a mean with its standard error."""
    error = f" ± {stdev(values) / sqrt(len(values)):.1g}" if len(values) > 1 else ""
    return f"{fmean(values):.4g}{error}"


def keep(result: LandscapeResult, out: Path, name: str) -> None:
    """Copy the sheet that was drawn."""
    svg = next(file for file in result.files or () if file.endswith(".svg"))
    out.mkdir(parents=True, exist_ok=True)
    copyfile(svg, out / f"landscape-{name}.svg")


def main() -> None:
    """Run one of the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("batches", "shortcuts"))
    parser.add_argument("--data", default="data", help="where MNIST lies")
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--depth", type=int, choices=(20, 32, 44, 56, 110), default=56)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    with TemporaryDirectory() as scratch:
        if given.what == "batches":
            batches(given.data, given.out, given.seeds, scratch)
        else:
            shortcuts(given.out, given.depth, given.steps, scratch)


if __name__ == "__main__":
    main()
