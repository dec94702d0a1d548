"""`$(…)`: arithmetic over numbers, and nothing else.

expression := term (("+" | "-") term)*
term       := factor (("*" | "/" | "//") factor)*
factor     := "-" factor | number | name | "(" expression ")"
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TypeAlias

from nnctl.document.node import Unknown

Number: TypeAlias = int | float
Lookup: TypeAlias = Callable[[str], "Number | Unknown"]

NAME = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)|([A-Za-z_]\w*)|(//|[-+*/()]))", re.ASCII
)
_MAX_DEPTH = 50
_LARGEST = 2**63


class ExpressionError(ValueError):
    """What is wrong with an expression, with the offset of the place in it and the cure."""

    def __init__(self, message: str, offset: int, hint: str | None = None) -> None:
        super().__init__(message)
        self.offset, self.hint = offset, hint


def is_expression(text: str) -> bool:
    """Return whether a text is a `$(…)`."""
    return text.startswith("$(") and text.endswith(")")


def meant_by(text: str) -> str:
    """Return, in backticks, what a text that begins with `$` was probably meant to be."""
    bare = re.sub("[${}]", "", text)
    if bare.count("(") != bare.count(")"):
        bare = bare.strip("()")
    if re.fullmatch(r"\w+", bare):
        return f"`${bare}`"
    return f"`$({bare})`" if re.fullmatch(r"[\w\s.]+([-+*/()]+[\w\s.()]*)+", bare) else "`$name` or `$(…)`"


def compute(text: str, lookup: Lookup) -> Number | Unknown:
    """Return the value of `$(…)`; `lookup` gives each name's number. Unknown where a name is.

    Raises ExpressionError; what `lookup` raises passes through.
    """
    return _Parser(text, lookup).parse()


class _Parser:
    def __init__(self, text: str, lookup: Lookup) -> None:
        self.text, self.lookup = text, lookup
        self.tokens: list[tuple[str, int]] = []
        self.at = 0
        self.depth = 0
        position, end = 2, len(text) - 1
        while text[position:end].strip():
            match = _TOKEN.match(text, position, end)
            if match is None:
                position += len(text[position:end]) - len(text[position:end].lstrip())
                raise ExpressionError(
                    f"`{text[position]}` has no meaning in `{text}`", position, "use + - * / // ( ), numbers and names"
                )
            self.tokens.append(
                (match.group().strip(), match.start() + len(match.group()) - len(match.group().lstrip()))
            )
            position = match.end()

    def parse(self) -> Number | Unknown:
        value = self.expression()
        if self.at < len(self.tokens):
            token, offset = self.tokens[self.at]
            raise ExpressionError(f"`{token}` is not expected here in `{self.text}`", offset)
        if not isinstance(value, Unknown) and not abs(value) < _LARGEST:
            raise ExpressionError(f"`{self.text}` is too large a number", 0)
        return value

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def expression(self) -> Number | Unknown:
        value = self.term()
        while self.peek() in ("+", "-"):
            value = self.apply(value, self.term)
        return value

    def term(self) -> Number | Unknown:
        value = self.factor()
        while self.peek() in ("*", "/", "//"):
            value = self.apply(value, self.factor)
        return value

    def apply(self, left: Number | Unknown, read_right: Callable[[], Number | Unknown]) -> Number | Unknown:
        operator, offset = self.tokens[self.at]
        self.at += 1
        right = read_right()
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return Unknown()
        if operator in ("/", "//") and right == 0:
            raise ExpressionError(f"`{self.text}` divides by zero", offset)
        try:
            value = _OPERATIONS[operator](left, right)
        except OverflowError:
            value = math.inf
        if not abs(value) < _LARGEST:
            raise ExpressionError(f"`{self.text}` is too large a number", offset)
        return value

    def factor(self) -> Number | Unknown:
        if self.at >= len(self.tokens):
            raise ExpressionError(f"`{self.text}` breaks off", len(self.text) - 1, "a number or a name is missing")
        token, offset = self.tokens[self.at]
        self.at += 1
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ExpressionError("the expression is nested too deeply", offset)
        try:
            if token == "-":
                value = self.factor()
                return value if isinstance(value, Unknown) else -value
            if token == "(":
                value = self.expression()
                if self.peek() != ")":
                    raise ExpressionError(f"a `)` is missing in `{self.text}`", offset)
                self.at += 1
                return value
        finally:
            self.depth -= 1
        if token[0].isdigit() or token[0] == ".":
            return int(token) if token.isdigit() and len(token) < 20 else float(token)
        if token[0].isalpha() or token[0] == "_":
            return self.lookup(token)
        raise ExpressionError(f"`{token}` is not expected here in `{self.text}`", offset)


_OPERATIONS: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
}
