"""The component: everything that has a name in YAML is one frozen class.

Its fields are the schema, its docstrings the documentation, `build` constructs the torch object. The file
of a kind is named after it and is imported only when a spec names the kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Example:
    """One entry as a spec writes it, with the shape it is given; the contract tests run every example."""

    yaml: str
    input: tuple[int, ...] | None = None
    tokens: bool = False
    """Whether `input` is (tokens, features)."""
    vocabulary: int | None = None
    """With one, the inputs are whole numbers below it."""


class Component(BaseModel):
    """What every kind of every family has in common.

    A class that sets `kind` is a kind: it needs a docstring, documented fields and at least one example.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    family: ClassVar[str]
    kind: ClassVar[str]
    examples: ClassVar[tuple[Example, ...]]
    paper: ClassVar[str] = ""
    """Where the method comes from: authors, title, year."""
    common: ClassVar[frozenset[str]] = frozenset()
    """Fields that every kind of the family has, and that no shorthand fills."""

    @classmethod
    def main_field(cls) -> str | None:
        """Return the field that the shorthand `- kind: value` fills: the kind's own first one."""
        fields = cls.model_fields.items()
        return next((info.alias or field for field, info in fields if field not in cls.common), None)
