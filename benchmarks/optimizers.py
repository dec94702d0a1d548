"""One step of each optimiser beside torch's own, in alternating runs.

    python -m benchmarks.optimizers

Each optimiser is built as training builds it; beside it stands the optimiser of torch that one would write by hand,
without options for speed. Times are those of the quickest run: others on the machine only ever add to it. The ratio is
torch's time over nnctl's: 1 is equal, more is quicker. Forms that torch lacks are set against its nearest, marked.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

import nnctl
from nnctl.component.family import find
from nnctl.kinds.optimizers.base import Optimizer
from nnctl.optim.groups import parameter_groups
from nnctl.optim.look_ahead import LookAhead

SPECS = Path(__file__).parent.parent / "specs"
SAME: list[tuple[str, dict[str, Any], Callable[..., torch.optim.Optimizer], dict[str, Any]]] = [
    ("sgd", {}, torch.optim.SGD, {}),
    ("sgd", {"momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True}, torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    ("adam", {}, torch.optim.Adam, {}),
    ("adamw", {}, torch.optim.AdamW, {}),
    ("rmsprop", {}, torch.optim.RMSprop, {}),
    ("rmsprop", {"momentum": 0.9}, torch.optim.RMSprop, {"momentum": 0.9}),
    ("adagrad", {}, torch.optim.Adagrad, {}),
]
NEAREST: list[tuple[str, dict[str, Any], Callable[..., torch.optim.Optimizer], dict[str, Any]]] = [
    ("sgd", {"momentum": 0.9, "form": "notes"}, torch.optim.SGD, {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True, "form": "notes"}, *SAME[2][2:]),
    ("rmsprop", {"form": "notes"}, torch.optim.RMSprop, {}),
    ("rmsprop", {"momentum": 0.9, "form": "notes"}, torch.optim.RMSprop, {"momentum": 0.9}),
    ("rmsprop", {"momentum": 0.9, "nesterov": True, "form": "notes"}, torch.optim.RMSprop, {"momentum": 0.9}),
    ("apg", {}, *SAME[2][2:]),
]


def network(spec: str, device: torch.device) -> nn.Module:
    """Return a spec's network with a gradient in every weight."""
    net = nnctl.compile_model(nnctl.load_spec(SPECS / spec)).to(device)
    for parameter in net.parameters():
        parameter.grad = torch.randn_like(parameter)
    return net


def ours(kind: str, fields: dict[str, Any], net: nn.Module) -> Callable[[], None]:
    """Return one step of a component's optimiser."""
    cls = find("optimizers", kind)
    assert cls is not None
    rule = cls.model_validate({"lr": 1e-3, **fields})
    assert isinstance(rule, Optimizer)
    optimizer = rule.build(parameter_groups(net, rule))

    if not isinstance(optimizer, LookAhead):
        return optimizer.step
    look_ahead = optimizer.look_ahead

    def step() -> None:
        look_ahead()
        optimizer.step()

    return step


def seconds(step: Callable[[], None], steps: int, device: torch.device) -> float:
    """Return the time of so many steps."""
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", nargs="+", default=["mlp.yaml", "resnet18.yaml"], help="networks, below specs/")
    parser.add_argument("--runs", type=int, default=15, help="alternating runs of each")
    parser.add_argument("--steps", type=int, default=5, help="steps in a run")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    for spec in arguments.specs:
        net, twin = network(spec, device), network(spec, device)
        print(f"{spec}: {sum(p.numel() for p in net.parameters()):,} parameters, {device}")
        for kind, fields, cls, options in SAME + NEAREST:
            step = ours(kind, fields, net)
            other = cls(twin.parameters(), lr=1e-3, **options)
            pairs = []
            for number in range(arguments.runs + 1):  # the first allocates
                turns = (step, other.step) if number % 2 else (other.step, step)
                times = [seconds(run, arguments.steps, device) for run in turns]
                pairs.append(times if number % 2 else times[::-1])
            mine, torchs = (min(times) / arguments.steps for times in zip(*pairs[1:], strict=True))
            name = f"{kind} {', '.join(f'{k} {v}' for k, v in fields.items())}"
            mark = "" if (kind, fields, cls, options) in SAME else "   (torch's nearest)"
            print(f"  {name:48} {1e3 * mine:8.3f} ms   torch {1e3 * torchs:8.3f} ms   ratio {torchs / mine:5.2f}{mark}")


if __name__ == "__main__":
    main()
