"""Write docs/zoo.md, the table of the architectures in specs/, from the specs themselves.

    python docs/zoo.py

Sizes are computed; paper and result come from the lines that every spec opens with: `Expect:`, `Cost:`, `Paper:`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nnctl.graph.build import Graph, build_file

ROOT = Path(__file__).resolve().parent.parent
SECTIONS = (
    ("For ImageNet: 224×224 photos, 1000 classes", "imagenet"),
    ("For CIFAR-10: 32×32 photos, 10 classes", "cifar"),
    ("For Tiny ImageNet: 64×64 photos, 200 classes", "tiny_imagenet"),
    ("Others", "."),
)
TRAINED: dict[str, str] = {
    "vgg11": "80.0% after 4 epochs (JPEG copies of the photos)",
    "lenet": "99.1% after 6 epochs",
    "mlp": "98.3% after 8 epochs",
    "lstm_rows": "98.7% after 5 epochs",
    "highway50": "97.3% after 10 epochs",
    "tiny_imagenet/resnet18": "10.3% after 4 epochs on a tenth of the photos",
}
"""What nnctl reached, by the spec's path: measure, epochs, machine."""

INTRODUCTION = """# The architectures in specs/

Each is one YAML file; `nnctl check` shows its layers. Parameters are exact and tested against the published counts;
where torchvision has the architecture, the outputs are tested to be its own. Multiply-adds are those of convolutions
and matrix products for one sample. Results are the papers' unless another source is named. Written by `docs/zoo.py`.
"""


@dataclass(frozen=True)
class Head:
    """What a spec's first lines say."""

    expect: str
    paper: str


def head_of(path: Path) -> Head | None:
    """Return what the first lines say; None for a spec that names no paper."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines))
    text = " ".join(line.lstrip("# ") for line in lines[:first])
    found = re.search(r"Expect: (?P<expect>.*?)\.? Cost: .*? Papers?: (?P<paper>.*)", text)
    return Head(found["expect"], found["paper"].rstrip(".")) if found else None


def size(number: int) -> str:
    """Return a number of multiply-adds, to three figures."""
    for unit, power in (("G", 9), ("M", 6), ("k", 3)):
        if number >= 10**power:
            value = number / 10**power
            return f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f} {unit}"
    return str(number)


def row(path: Path, graph_of: Callable[[Path], Graph]) -> str | None:
    """Return a spec's line of the table."""
    head = head_of(path)
    if head is None:
        return None
    graph = graph_of(path)
    place = path.relative_to(ROOT / "specs")
    own = TRAINED.get(str(place.with_suffix("")), "–")
    cells = (
        f"[{path.stem}](../specs/{place})",
        head.paper,
        f"{graph.parameters:,}",
        size(graph.macs),
        head.expect,
        own,
    )
    return "| " + " | ".join(cells) + " |"


def natural(path: Path) -> list[str | int]:
    """Return a key by which resnet20 comes before resnet110."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", path.stem)]


def page(graph_of: Callable[[Path], Graph] = build_file) -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for title, folder in SECTIONS:
        rows = [row(path, graph_of) for path in sorted((ROOT / "specs" / folder).glob("*.yaml"), key=natural)]
        parts.append(
            f"\n## {title}\n\n"
            "| spec | paper | parameters | multiply-adds | published or expected | by nnctl |\n"
            "|---|---|---:|---:|---|---|\n" + "".join(f"{line}\n" for line in rows if line)
        )
    return "".join(parts)


if __name__ == "__main__":
    (ROOT / "docs" / "zoo.md").write_text(page(), encoding="utf-8")
