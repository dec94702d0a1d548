"""Families of components: which kinds exist, and the class of one kind.

A kind is the file nnctl/kinds/FAMILY/[…/]KIND.py, so existing is known without importing anything.
"""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path

from nnctl.component.base import Component

FAMILIES = ("layers", "losses", "optimizers", "schedules", "penalties", "initializers", "datasets", "augmentations")

_KINDS = Path(__file__).parent.parent / "kinds"
_NOT_A_KIND = frozenset({"base", "shape", "__init__"})


@cache
def modules_of(family: str) -> dict[str, str]:
    """Return the module of every kind of a family, by the kind's name.

    Raises RuntimeError where two files claim one name.
    """
    found: dict[str, str] = {}
    root = _KINDS / family
    for file in sorted(root.rglob("*.py")):
        if file.stem in _NOT_A_KIND or file.stem.startswith("_"):
            continue
        module = ".".join(("nnctl", "kinds", family, *file.relative_to(root).with_suffix("").parts))
        if file.stem in found:
            raise RuntimeError(f"two {family} are called `{file.stem}`: {found[file.stem]} and {module}")
        found[file.stem] = module
    return found


def names(family: str) -> list[str]:
    """Return the names of a family's kinds, sorted."""
    return sorted(modules_of(family))


@cache
def find(family: str, kind: str) -> type[Component] | None:
    """Return the class of a kind, or None where the family has no such kind."""
    module = modules_of(family).get(kind)
    if module is None:
        return None
    for value in vars(importlib.import_module(module)).values():
        if isinstance(value, type) and issubclass(value, Component) and value.__dict__.get("kind") == kind:
            return value
    raise RuntimeError(f"{module} does not define a component of the kind `{kind}`")
