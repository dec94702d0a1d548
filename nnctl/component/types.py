"""The field types that components share, each with the words in which an error states what it expects."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field


class Expected:
    """What a field accepts, in words: "expected <text>"."""

    def __init__(self, text: str) -> None:
        self.text = text


class PathField:
    """Marks a field that holds a path: relative ones start at the file that writes them."""


def as_tuple(value: Any) -> Any:
    """Lists of YAML become tuples, so that components stay frozen and hashable."""
    return tuple(as_tuple(item) for item in value) if isinstance(value, list) else value


LARGEST = 2**31 - 1  # no extent of a tensor that any machine can hold is larger

Count: TypeAlias = Annotated[int, Field(ge=1, le=LARGEST), Expected("a whole number of at least 1")]
WholeNumber: TypeAlias = Annotated[int, Field(ge=0, le=LARGEST), Expected("a whole number of at least 0")]
Positive: TypeAlias = Annotated[float, Field(gt=0), Expected("a number above 0")]
NonNegative: TypeAlias = Annotated[float, Field(ge=0), Expected("a number of at least 0")]
Number: TypeAlias = Annotated[float, Expected("a number")]
Below1: TypeAlias = Annotated[float, Field(ge=0, lt=1), Expected("a number from 0 to below 1")]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1), Expected("a number from 0 to 1")]
Keep: TypeAlias = Annotated[float, Field(gt=0, le=1), Expected("a number above 0, up to 1")]
Flag: TypeAlias = Annotated[bool, Expected("true or false")]
Text: TypeAlias = Annotated[str, Expected("text")]
FilePath: TypeAlias = Annotated[str, Field(min_length=1), PathField(), Expected("a path")]

Sizes: TypeAlias = Annotated[
    Count | tuple[Count, ...],
    BeforeValidator(as_tuple),
    Expected("a whole number of at least 1, or a list with one for each axis"),
]
ImageSize: TypeAlias = Annotated[
    Count | tuple[Count, Count], BeforeValidator(as_tuple), Expected("a whole number of at least 1, or [height, width]")
]
Margins: TypeAlias = Annotated[
    WholeNumber | tuple[WholeNumber, ...],
    BeforeValidator(as_tuple),
    Expected("a whole number of at least 0, or a list with one for each axis"),
]
Padding: TypeAlias = Annotated[
    Margins | Literal["same"],
    Expected("same, or a whole number of at least 0, or a list with one for each axis"),
]


def _check_name(value: str) -> str:
    if not value.isascii() or not value.isidentifier():
        raise ValueError("a name has letters, digits and _ only, and starts with none of the digits")
    return value


Name: TypeAlias = Annotated[
    str, AfterValidator(_check_name), Expected("a name of letters, digits and `_` that does not start with a digit")
]


def extent_of(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return an image's size as height and width."""
    return (size, size) if isinstance(size, int) else size
