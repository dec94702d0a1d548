"""What a component's source says about it: read from the text by `explain`, `schema` and the tests alone."""

from __future__ import annotations

import ast
import inspect
from functools import cache
from pathlib import Path

from pydantic import BaseModel


def summary(cls: type[BaseModel]) -> str:
    """Return the first paragraph of the docstring on one line."""
    return " ".join(_own_doc(cls).partition("\n\n")[0].split())


def body(cls: type[BaseModel]) -> str:
    """Return the docstring behind its first paragraph, without the line that gives shapes."""
    paragraphs = _own_doc(cls).split("\n\n")[1:]
    return "\n\n".join(paragraph for paragraph in paragraphs if not paragraph.startswith("Shape:"))


def shape_line(cls: type[BaseModel]) -> str | None:
    """Return what stands after `Shape:` in the docstring of the class, or of the nearest base that says it."""
    for base in cls.__mro__:
        for paragraph in inspect.cleandoc(base.__doc__ or "").split("\n\n"):
            if paragraph.startswith("Shape:"):
                return " ".join(paragraph.removeprefix("Shape:").split())
    return None


def field_docs(cls: type[BaseModel]) -> dict[str, str]:
    """Return the docstring under each field, by the field's name; a field without one is absent."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= _attribute_docs(base)
    return {field: found[field] for field in cls.model_fields if field in found}


def _own_doc(cls: type[BaseModel]) -> str:
    return inspect.cleandoc(cls.__dict__.get("__doc__") or "")


@cache
def _attribute_docs(cls: type[BaseModel]) -> dict[str, str]:
    """Return the strings that directly follow an annotated name in the body of one class."""
    node = next(
        node
        for node in ast.walk(_parse(inspect.getfile(cls)))
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__
    )
    docs = {}
    for statement, following in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            docs[statement.target.id] = " ".join(following.value.value.split())
    return docs


@cache
def _parse(file: str) -> ast.Module:
    return ast.parse(Path(file).read_text(encoding="utf-8"))
