"""What each penalty adds to a step of VGG-11 on photos of 32 × 32.

    python -m benchmarks.regularisers

The time of a step, forward, backward and update, without penalties, and the time that one penalty takes by itself: the
gradient of a term, or bringing weights back. A bound that is not applied at every step costs its share; both are told.
Times are those of the quickest of several runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

import nnctl
from nnctl.component.family import find, names
from nnctl.kinds.penalties.base import Constraint, Penalty
from nnctl.optim.penalties import Penalties

SPEC = Path(__file__).parent.parent / "specs" / "vgg11.yaml"
MAIN = {"max_norm": {"bound": 3.0}, "singular_value_bounding": {}, "unit_norm": {}}


def quickest(run: Callable[[], None], runs: int, device: torch.device) -> float:
    """Return the least time of a call."""
    best = float("inf")
    for _ in range(runs):
        began = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - began)
    return best


def main() -> None:
    """Print a row for each penalty."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    device = torch.device(options.device)
    net = nnctl.compile_model(nnctl.load_spec(SPEC)).to(device).train()
    x, y = torch.randn(options.batch, 3, 32, 32, device=device), torch.arange(options.batch, device=device) % 10
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        torch.autograd.backward(torch.nn.functional.cross_entropy(net(x), y))
        optimizer.step()

    step()
    whole = quickest(step, options.runs, device)
    print(
        f"VGG-11, batches of {options.batch}, {device}, {torch.get_num_threads()} threads: a step {1e3 * whole:.1f} ms"
    )
    print(f"{'penalty':<26} {'each time':>11} {'every':>6} {'of a step':>10}")
    for kind in names("penalties"):
        cls = find("penalties", kind)
        assert cls is not None
        penalty = cls.model_validate(MAIN.get(kind, {"strength": 1e-4}))
        assert isinstance(penalty, Penalty)
        penalties = Penalties([penalty], net)
        every = penalty.every if isinstance(penalty, Constraint) else 1

        def apply(penalties: Penalties = penalties, every: int = every) -> None:
            value = penalties.value()
            if value is not None:
                torch.autograd.backward(value)
            penalties.constrain(every - 1)

        apply()
        alone = quickest(apply, options.runs, device)
        print(f"{kind:<26} {1e3 * alone:8.1f} ms {every:6} {100 * alone / every / whole:9.1f}%")


if __name__ == "__main__":
    main()
