"""Types of fields that hold a range to draw from."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field

from nnctl.component.types import Expected, as_tuple


def _ordered(value: float | tuple[float, float]) -> float | tuple[float, float]:
    if isinstance(value, tuple) and value[0] > value[1]:
        raise ValueError("a range goes from the smaller number to the larger one")
    return value


Angles: TypeAlias = Annotated[
    Annotated[float, Field(ge=0, le=360)] | tuple[float, float],
    BeforeValidator(as_tuple),
    AfterValidator(_ordered),
    Expected("degrees from 0 to 360, to both sides, or [least, most]"),
]
PositiveRange: TypeAlias = Annotated[
    tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]],
    BeforeValidator(as_tuple),
    AfterValidator(_ordered),
    Expected("[least, most], both above 0"),
]
AreaRange: TypeAlias = Annotated[
    tuple[Annotated[float, Field(gt=0, le=1)], Annotated[float, Field(gt=0, le=1)]],
    BeforeValidator(as_tuple),
    AfterValidator(_ordered),
    Expected("[least, most], shares above 0, up to 1"),
]
