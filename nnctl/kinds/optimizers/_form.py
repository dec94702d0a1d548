"""Two ways of writing an optimiser down."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from nnctl.component.types import Expected

Form: TypeAlias = Annotated[Literal["torch", "notes"], Expected("torch or notes")]
"""torch's arithmetic, or the algorithm boxes of lectures and textbooks."""


def with_default(fields: Any, field: str, value: float) -> Any:
    """Return a component's fields with the notes' default of one in place, where their form is asked for."""
    if isinstance(fields, dict) and fields.get("form") == "notes":
        return {field: value, **fields}
    return fields
