"""Components of a recipe as a spec would make them."""

from __future__ import annotations

from typing import Any

from nnctl.component.base import Component
from nnctl.component.family import find


def make(family: str, kind: str, **fields: Any) -> Any:
    """Return the component of a kind with the given fields."""
    cls = find(family, kind)
    assert cls is not None
    component: Component = cls.model_validate(fields)
    return component
