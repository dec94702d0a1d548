"""The evidence for `nnctl inspect`: textbook failures reproduced, healthy networks left alone, the cost of watching.

    python -m benchmarks.diagnostics signatures     30 layers of 256 units, float64, 20 seeds, beside theory
    python -m benchmarks.diagnostics healthy        verdicts on networks that train well, 20 seeds each: none
    python -m benchmarks.diagnostics overhead       a step observed by `train.inspect` beside a plain one

Each prints a table as Markdown, as docs/diagnostics.md holds it. Data sets that are not at hand are replaced by N(0, 1)
inputs and random labels.
"""

from __future__ import annotations

import argparse
import statistics
from collections import Counter
from math import log10
from pathlib import Path
from time import process_time

import torch

import nnctl
from nnctl.diagnosis.result import LayerSignals
from nnctl.diagnosis.session import session_of
from nnctl.diagnosis.signals import measured
from nnctl.diagnosis.subject import subject_of
from nnctl.training.watch import Watch

SPECS = Path(__file__).parent.parent / "specs"

BARE = "model.layers[0].repeat.layers[0].linear.bias=false"
SIGNATURES: tuple[tuple[str, str, tuple[str, ...], float, float | None, float | None], ...] = (
    ("sigmoid, Xavier", "sigmoid30", (), 5.9e-19, 0.95, 6e-19),
    ("sigmoid, torch's own", "sigmoid30", ("model.init=torch",), 2.2e-25, None, None),
    ("ReLU, Kaiming", "relu30", (), 1.0, 0.95, 0.45),
    ("ReLU, Xavier or LeCun", "relu30", ("model.init=xavier",), 4.3e-5, 4e-5, 1.01),
    ("ReLU, torch's own, no bias", "relu30", ("model.init=torch", BARE), 5.2e-12, 5e-12, 1.01),
    ("ReLU, torch's own", "relu30", ("model.init=torch",), 5.2e-12, None, None),
    ("ReLU, σ_w = 0.8", "relu30", ("model.init={normal: 0.05}",), 6.7e-8, None, None),
    ("ReLU, σ_w = 1.2", "relu30", ("model.init={normal: 0.075}",), 8.5e-3, None, None),
    ("tanh, Xavier", "tanh30", (), 0.158, 0.21, 1.05),
    ("tanh, gain 5/3", "tanh30", ("model.init.xavier.gain=1.6666667",), 11.9, 0.86, 17.7),
    ("tanh, orthogonal", "tanh30", ("model.init=orthogonal",), 0.159, 0.21, 1.18),
    ("linear, σ_w = 0.8", "chain", (), 0.8**29, 0.8**29, 1.0),
    ("linear, σ_w = 1.2", "chain", ("model.init.normal=0.075",), 1.2**29, 1.2**29, 1.0),
    ("linear, orthogonal", "chain", ("model.init=orthogonal",), 1.0, 1.0, 1.0),
)
"""Name, spec, changes; published ‖δ₁‖/‖δ₃₀‖, rms h₃₀/h₁ and ‖∂L/∂W₁‖/‖∂L/∂W₃₀‖."""

HEALTHY: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("quickstart", (), False),
    ("spirals", (), False),
    ("xor", (), False),
    ("linear_regression", (), False),
    ("softmax_regression", (), True),
    ("mlp", (), True),
    ("lenet", (), True),
    ("lstm_rows", (), True),
    ("highway50", (), True),
    ("labs/relu30", (), True),
    ("labs/tanh30", (), True),
    ("labs/tanh30", ("model.init=orthogonal",), True),
    ("labs/chain", ("model.init=orthogonal",), True),
    ("cifar/resnet20", ("train.batch_size=32",), True),
)
"""Spec, changes, and whether on random data."""


def signatures(seeds: int) -> None:
    """Print the ratio of δ at the first and the last layer, and of the signal, beside theory and the literature."""
    print("| network | ‖δ₁‖/‖δ₃₀‖ (sd, decades) | theory | published | h₃₀/h₁ | published | ∂W₁/∂W₃₀ | published |")
    print("|---|---|---|---|---|---|---|---|")
    for name, file, changes, *published in SIGNATURES:
        errors, signals, weights, expected = [], [], [], []
        for seed in range(seeds):
            subject = subject_of(str(SPECS / "labs" / f"{file}.yaml"), None, [*changes, f"seed={seed}"])
            subject.net.double()
            result = measured(session_of(subject, torch.device("cpu"), True), 0, noisy=False)
            first, last = (_outputs(result.layers, number) for number in (1, 30))
            errors.append(log10(_size(first[0].delta_rms) / _size(last[0].delta_rms)))
            signals.append(log10(_size(last[-1].forward_rms) / _size(first[-1].forward_rms)))
            weights.append(log10(_size(first[0].grad_norm) / _size(last[0].grad_norm)))
            below, above = first[0].prediction, last[0].prediction
            if below is not None and above is not None:
                expected.append(log10(_size(below.delta_rms) / _size(above.delta_rms)))
        theory = f"{10 ** statistics.mean(expected):.3g}"
        error, signal, weight = ("" if value is None else f"{value:.3g}" for value in published)
        cells = [f"{10 ** statistics.mean(errors):.3g} ({statistics.stdev(errors):.2f})", theory, error]
        cells += [f"{10 ** statistics.mean(signals):.3g}", signal, f"{10 ** statistics.mean(weights):.3g}", weight]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def healthy(seeds: int) -> None:
    """Print how many verdicts networks have that train well."""
    print("| spec | change | seeds | verdicts |")
    print("|---|---|---|---|")
    for name, changes, random in HEALTHY:
        found: Counter[str] = Counter()
        for seed in range(seeds):
            result = nnctl.inspect(SPECS / f"{name}.yaml", overrides=[*changes, f"seed={seed}"], random=random)
            found.update(verdict.code for verdict in result.verdicts)
        told = ", ".join(f"{code} {count}" for code, count in found.items()) or "0"
        print(f"| {name} | {' '.join(changes)} | {seeds} | {told} |", flush=True)


def overhead(pairs: int) -> None:
    """Print what a step under observation costs beside a plain one, in processor time, and so every hundredth."""
    print("| spec | plain step, ms | observed step, ms | cost at every: 100 |")
    print("|---|---|---|---|")
    for name in ("quickstart", "spirals", "lenet", "cifar/resnet20"):
        session = session_of(subject_of(str(SPECS / f"{name}.yaml"), None, []), torch.device("cpu"), True)
        stepper = session.stepper()
        watch = Watch(stepper, session.graph, 100)
        plain, observed = [], []
        for step in range(pairs):
            batch, rate = session.batches.at(step), session.rate(step) or 0.0
            begin = process_time()
            stepper(batch, step, rate)
            middle = process_time()
            watch(batch, step, rate)
            plain.append(middle - begin)
            observed.append(process_time() - middle)
        usual, watched = statistics.median(plain), statistics.median(observed)
        print(f"| {name} | {1e3 * usual:.1f} | {1e3 * watched:.1f} | {watched / usual - 1:.1f}% |", flush=True)


def _outputs(layers: tuple[LayerSignals, ...], number: int) -> list[LayerSignals]:
    return [layer for layer in layers if layer.path.startswith(f"repeat1.{number}.")]


def _size(value: float | None) -> float:
    assert value is not None
    assert value > 0
    return value


def main() -> None:
    """Run the part that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("signatures", "healthy", "overhead"))
    parser.add_argument("--repeats", type=int, help="seeds, or pairs of steps")
    options = parser.parse_args()
    if options.part == "overhead":
        overhead(options.repeats or 15)
    else:
        {"signatures": signatures, "healthy": healthy}[options.part](options.repeats or 20)


if __name__ == "__main__":
    main()
