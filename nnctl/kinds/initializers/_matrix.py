"""What the initialisers that make orthonormal matrices share."""

from __future__ import annotations

from nnctl.errors import Problem, SpecError


def need_matrix(kind: str, shape: tuple[int, ...]) -> None:
    """Raise SpecError for a bias."""
    if len(shape) < 2:
        message = f"`{kind}` fills a weight matrix, and a bias is none"
        raise SpecError(Problem("init", message, hint="give the bias another one, such as `zero`"))
