"""A step of bagging's members side by side, as one network with an axis more, and one after the other.

    python -m benchmarks.ensembles

Times are those of the quickest of several alternating runs of forward and backward pass. The ratio is the time one
after the other over that side by side: above 1 the axis pays.
"""

from __future__ import annotations

import argparse
import time

import torch

from nnctl.graph.build import build_text
from nnctl.network.compile import compile_members
from nnctl.network.ensemble import Ensemble

WIDTHS = (16, 64, 256, 1024)
SPEC = """
name: members
data: {{dataset: digits}}
model: {{layers: [flatten, {{linear: {width}}}, tanh, {{linear: {width}}}, tanh, {{linear: $classes}}]}}
train: {{epochs: 1, loss: cross_entropy, optimizer: {{sgd: 0.1}}, bagging: {members}}}
"""


def seconds(net: Ensemble, x: torch.Tensor, together: bool, steps: int) -> float:
    """Return the time of a pass forward and back."""
    net._side_by_side, net._small = together, True
    began = time.perf_counter()
    for _ in range(steps):
        torch.autograd.backward(net(x).square().mean())
    if x.device.type == "cuda":
        torch.cuda.synchronize(x.device)
    return (time.perf_counter() - began) / steps


def main() -> None:
    """Print a row for each width."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=10)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    print(f"{options.members} members, batches of {options.batch}, {options.device}, {torch.get_num_threads()} threads")
    print(f"{'width':>6} {'side by side':>13} {'one by one':>11} {'ratio':>6}")
    for width in WIDTHS:
        graph = build_text(SPEC.format(width=width, members=options.members))
        net = compile_members(graph).to(options.device).train()
        x = torch.randn(options.batch * options.members, 1, 8, 8, device=options.device)
        for together in (True, False):
            seconds(net, x, together, 2)
        best = {
            together: min(seconds(net, x, together, options.steps) for _ in range(options.runs))
            for together in (True, False)
        }
        print(f"{width:6} {1e3 * best[True]:10.2f} ms {1e3 * best[False]:8.2f} ms {best[False] / best[True]:6.2f}")


if __name__ == "__main__":
    main()
