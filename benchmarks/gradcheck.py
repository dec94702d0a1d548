"""How well wrong gradients are told from right ones: nnctl's check beside torch's own in both modes.

    python -m benchmarks.gradcheck --quick      a few networks and seeds
    python -m benchmarks.gradcheck              all mistakes in all networks, then every spec of up to 1 M parameters
                                                with 20 seeds, and larger ones once, jointly

Prints Markdown. A mistake that changes no gradient of its network is left out. All three are given the same samples.
torch's check is given the loss as a function of all parameters, in float64, with its own tolerances; whatever it
raises counts as found.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

import nnctl
from benchmarks.planted_errors import Planted, planted
from nnctl.errors import NnctlError
from nnctl.graph.build import build_file
from nnctl.spec.load import loads

SPECS = Path(__file__).parent.parent / "specs"
LARGE = 1_000_000
LARGEST = 150_000_000
SIDES = (8, 12, 16, 24, 28, 32, 48, 64, 96, 112, 128, 160, 192, 224, 299)

_SIGMOID = [{"repeat": {"times": 30, "layers": [{"linear": 8}, "sigmoid"]}}, {"linear": 3}]
_RESIDUAL = {"residual": {"body": [{"conv": {"channels": 4, "bias": False}}, "batch_norm", "relu", {"conv": 4}]}}
_GATED = {"highway": {"body": [{"linear": 6}, "tanh"], "gate": [{"linear": 6}, "sigmoid"]}}
NETWORKS: dict[str, tuple[list[int], list[Any]]] = {
    "softmax regression": ([6], ["identity", {"linear": 3}]),
    "ReLU, 3 layers": ([6], [{"linear": 8}, "relu", {"linear": 8}, "relu", {"linear": 3}]),
    "tanh, 5 layers": ([6], [*[{"linear": 6}, "tanh"] * 4, {"linear": 3}]),
    "sigmoid, 7 layers": ([6], [*[{"linear": 6}, "sigmoid"] * 6, {"linear": 3}]),
    "sigmoid, 30 layers": ([8], _SIGMOID),
    "convolution and pool": ([2, 6, 6], [{"conv": 4}, "relu", {"max_pool": 2}, "flatten", {"linear": 3}]),
    "batch norm": ([6], [{"linear": {"features": 8, "bias": False}}, "batch_norm", "relu", {"linear": 3}]),
    "residual": ([2, 6, 6], [{"conv": 4}, _RESIDUAL, "relu", "global_avg_pool", {"linear": 3}]),
    "highway": ([6], [{"linear": 6}, _GATED, _GATED, {"linear": 3}]),
    "layer norm and GELU": ([6], [{"linear": 8}, "layer_norm", "gelu", {"linear": 3}]),
    "dropout": ([6], [{"linear": 8}, {"dropout": 0.5}, "tanh", {"linear": 3}]),
    "maxout": ([6], [{"maxout": 4}, "silu", {"linear": 3}]),
}


def network(name: str) -> nn.Module:
    """Return a network, in training mode."""
    shape, layers = NETWORKS[name]
    model = {"input": shape, "init": "xavier", "layers": layers}
    return nnctl.compile_model(loads(json.dumps({"name": "case", "model": model}))).train()


def mistakes(net: nn.Module) -> Iterator[Planted]:
    """Yield the network with each mistake: in weights by turns from the first to the last, in layers likewise."""
    weights = [name for name, p in net.named_parameters() if p.dim() > 1]
    layers = [path for path, module in net.named_modules() if path and not list(module.children())]
    yield from planted(net, weights, layers[:-1])


def gradients(net: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Return all gradients of a module in float64, in one row."""
    torch.manual_seed(0)
    loss = cross_entropy(net(x), y)
    found = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True)
    return torch.cat(
        [torch.zeros(p.numel()) if g is None else g.flatten() for g, p in zip(found, net.parameters(), strict=True)]
    )


def torch_finds(net: nn.Module, x: Tensor, y: Tensor, fast: bool) -> bool:
    """Return whether torch's check rejects the gradients of a module in float64."""
    names, tensors = zip(*((n, p.detach().clone().requires_grad_()) for n, p in net.named_parameters()), strict=True)
    buffers = {name: buffer.clone() for name, buffer in net.named_buffers()}

    def loss(*values: Tensor) -> Tensor:
        torch.manual_seed(0)
        own = {name: buffer.clone() for name, buffer in buffers.items()}
        return cross_entropy(functional_call(net, {**dict(zip(names, values, strict=True)), **own}, (x,)), y)

    return not torch.autograd.gradcheck(loss, tensors, raise_exception=False, fast_mode=fast)


def mutation_study(names: list[str]) -> None:
    """Print the killed share in each network, and what each check misses."""
    print("| network | mistakes | nnctl | named | torch, slow | torch, fast | seconds: nnctl | slow | fast |")
    print("|---|---|---|---|---|---|---|---|---|")
    total: Counter[str] = Counter()
    for name in names:
        right = network(name)
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(4, *NETWORKS[name][0], generator=generator, dtype=torch.float64)
        y = torch.randint(3, (4,), generator=generator)
        found: Counter[str] = Counter()
        reference = gradients(right.double(), x, y)
        for case in mistakes(right):
            own = gradients(case.net.double(), x, y)
            if torch.linalg.vector_norm(own - reference) <= 1e-14 * torch.linalg.vector_norm(reference) and (
                _relative(own, reference, right) < 1e-12
            ):
                continue
            found["mistakes"] += 1
            start = time.perf_counter()
            result = nnctl.gradcheck(case.net, (x, y), cross_entropy, device="cpu")
            times = [time.perf_counter() - start]
            found["nnctl"] += result.verdict == "fail"
            found["named"] += any(case.place in (tensor.name, tensor.path) for tensor in result.failed) or any(
                layer.path == case.place for layer in result.layers
            )
            for mode, fast in (("slow", False), ("fast", True)):
                start = time.perf_counter()
                found[mode] += torch_finds(case.net, x, y, fast)
                times.append(time.perf_counter() - start)
            for key, seconds in zip(("t0", "t1", "t2"), times, strict=True):
                found[key] += round(seconds * 1000)
        total += found
        _row(name, found)
    _row("**all**", total)


def _relative(own: Tensor, reference: Tensor, net: nn.Module) -> float:
    """Return the largest relative change of a single tensor's gradient."""
    sizes = [p.numel() for p in net.parameters()]
    pairs = zip(torch.split(own, sizes), torch.split(reference, sizes), strict=True)
    return max(float((a - b).norm() / b.norm()) if float(b.norm()) else float(a.norm() > 0) for a, b in pairs)


def _row(name: str, found: Counter[str]) -> None:
    n = found["mistakes"]
    counts = " | ".join(f"{found[key]}/{n}" for key in ("nnctl", "named", "slow", "fast"))
    seconds = " | ".join(f"{found[key] / 1000 / max(n, 1):.2f}" for key in ("t0", "t1", "t2"))
    print(f"| {name} | {n} | {counts} | {seconds} |", flush=True)


def smallest(file: Path) -> list[str]:
    """Return the override that gives a network of images the smallest ones that it takes; none for other inputs."""
    shapes = list(build_file(file).inputs.values())
    if len(shapes) != 1 or len(shapes[0].space) != 2:
        return []
    for side in SIDES:
        change = f"model.input=[{shapes[0].features},{side},{side}]"
        try:
            build_file(file, [change])
        except NnctlError:
            continue
        return [change]
    return []


def false_alarms(seeds: int, quick: bool) -> None:
    """Print what is said of the right gradients of every spec, on random inputs of the smallest legal size."""
    print("| spec | parameters | checks | pass | inconclusive | fail | seconds a check |")
    print("|---|---|---|---|---|---|---|")
    files = sorted(SPECS.glob("*.yaml")) if quick else sorted(SPECS.rglob("*.yaml"))
    for file in files:
        try:
            changes = smallest(file)
            size = build_file(file, changes).parameters
        except NnctlError:
            continue  # its data decides its shape
        if size > (LARGE if quick else LARGEST):
            continue
        large = size > LARGE
        found: Counter[str] = Counter()
        start = time.perf_counter()
        runs = 1 if large else seeds
        for seed in range(runs):
            overrides = [*changes, f"seed={seed}"]
            result = nnctl.gradcheck(file, random=True, joint=large, seed=seed, overrides=overrides, device="cpu")
            found[result.verdict] += 1
        seconds = (time.perf_counter() - start) / runs
        name = str(file.relative_to(SPECS)).removesuffix(".yaml") + (" (joint)" if large else "")
        verdicts = " | ".join(str(found[verdict]) for verdict in ("pass", "inconclusive", "fail"))
        print(f"| {name} | {size:,} | {runs} | {verdicts} | {seconds:.1f} |", flush=True)


def main() -> None:
    """Run both studies."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three networks, small specs, two seeds")
    parser.add_argument("--only", choices=("mistakes", "specs"), help="one of the two studies")
    arguments = parser.parse_args()
    if arguments.only != "specs":
        mutation_study(["ReLU, 3 layers", "batch norm", "highway"] if arguments.quick else list(NETWORKS))
        print()
    if arguments.only != "mistakes":
        false_alarms(2 if arguments.quick else 20, arguments.quick)


if __name__ == "__main__":
    main()
