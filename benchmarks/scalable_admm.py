"""Training without gradients beside random hidden weights with least squares, at the same widths.

python benchmarks/scalable_admm.py [digits|mnist]: error in percent on the test split, mean and deviation over seeds.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import mean, pstdev

import torch

import nnctl
from nnctl.data.load import Batch, load

WIDTHS = (16, 32, 64, 128)
SEEDS = (0, 1, 2)
RECIPE = "{scalable_admm: {beta: 0.1, gamma: 1, warm: 20, weight_decay: 1e-3}}"
SPEC = """
name: admm
seed: {seed}
data: {{dataset: {dataset}, validation: 0.1}}
model: {{layers: [flatten, {{linear: {width}}}, relu, {{linear: $classes}}]}}
train: {{epochs: {epochs}, batch_size: all, loss: {loss}, optimizer: {optimizer}}}
"""


def spec_of(dataset: str, width: int, seed: int, epochs: int, loss: str, optimizer: str) -> nnctl.Spec:
    """Return the spec of one run."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        fields = {"dataset": dataset, "width": width, "seed": seed, "epochs": epochs, "loss": loss}
        file.write(SPEC.format(**fields, optimizer=optimizer))
        file.flush()
        return nnctl.load_spec(file.name)


def admm(dataset: str, width: int, seed: int, loss: str) -> float:
    """Return the test error of the best epoch of ADMM."""
    spec = spec_of(dataset, width, seed, 60, loss, RECIPE)
    with tempfile.TemporaryDirectory() as folder:
        nnctl.train(spec, run=Path(folder) / "run")
        return nnctl.evaluate(Path(folder) / "run").error or 0.0


def random_features(dataset: str, width: int, seed: int) -> float:
    """Return the test error of least squares on the outputs of the same first layer, as it is drawn."""
    spec = spec_of(dataset, width, seed, 1, "mse", RECIPE)
    assert spec.data is not None
    net = nnctl.compile_model(spec)
    splits = load(spec.data, seed, torch.device("cpu"), splits=("train", "test"))

    @torch.no_grad()
    def hidden(batch: Batch) -> torch.Tensor:
        h = torch.relu(net.get_submodule("linear1")(batch.inputs["input"].flatten(1))).double()
        return torch.cat([h, torch.ones_like(h[:, :1])], dim=1)

    parts = [split for split in (splits.train, splits.test) if split is not None]
    train, test = (split.batch(slice(0, len(split))) for split in parts)
    h = hidden(train)
    target = torch.nn.functional.one_hot(train.target).double()
    output = torch.linalg.pinv(h.T @ h, hermitian=True) @ (h.T @ target)
    return float(((hidden(test) @ output).argmax(1) != test.target).double().mean())


def main() -> None:
    """Print the table."""
    dataset = sys.argv[1] if len(sys.argv) > 1 else "digits"
    print(f"{dataset:>8}  {'random + least squares':>24}  {'ADMM, hinge':>16}  {'ADMM, mse':>16}")
    for width in WIDTHS:
        columns = [
            [100 * random_features(dataset, width, seed) for seed in SEEDS],
            [100 * admm(dataset, width, seed, "hinge") for seed in SEEDS],
            [100 * admm(dataset, width, seed, "{mse: {form: half_sum}}") for seed in SEEDS],
        ]
        cells = [f"{mean(values):.2f} ± {pstdev(values):.2f}" for values in columns]
        print(f"{width:>8}  {cells[0]:>24}  {cells[1]:>16}  {cells[2]:>16}", flush=True)


if __name__ == "__main__":
    main()
