"""Write docs/recipes.md, what a recipe may name, from the components' own documentation.

python docs/recipes.py
"""

from __future__ import annotations

from pathlib import Path

from nnctl.component.family import names
from nnctl.reference.catalogue import Explanation, explain

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = {
    "losses": "Losses: `train.loss`, one or a list",
    "penalties": "Penalties: `train.penalties`, a list",
    "optimizers": "Optimisers: `train.optimizer`",
    "schedules": "Schedules: `train.schedule`",
}
INTRODUCTION = """# What a recipe may name

Each kind with its formula, where it comes from, and a line as a spec writes it. `nnctl explain KIND` tells its fields;
specs/recipes/ has small specs that use them. Written by `docs/recipes.py`.
"""


def entry(kind: Explanation) -> str:
    """Return the part of the page about one kind."""
    parts = [f"### {kind.kind}", kind.summary]
    if kind.description:
        parts.append(kind.description)
    parts.append("```yaml\n" + "\n".join(kind.examples) + "\n```")
    if kind.paper:
        parts.append(kind.paper + ("" if kind.paper.endswith(".") else "."))
    return "\n\n".join(parts) + "\n"


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for family, title in FAMILIES.items():
        parts.append(f"## {title}\n")
        parts += [entry(explain(f"{family}.{kind}")) for kind in names(family)]
    return "\n".join(parts)


if __name__ == "__main__":
    (ROOT / "docs" / "recipes.md").write_text(page(), encoding="utf-8")
