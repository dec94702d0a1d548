"""What an unquoted word of YAML means: YAML 1.2's core schema, with its ambiguous words refused.

YAML 1.1, which most readers follow, turns `no` into false, `010` into 8, `1:30` into 90 and leaves `1e-3` as text.
"""

from __future__ import annotations

import re

from nnctl.document.node import Plain

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")

_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"[-+]?0[xob][0-9a-fA-F_]+", re.IGNORECASE)
_UNDERSCORES = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|[-+]?[0-9]*\.[0-9]+_[0-9_]*")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9]+(:[0-5]?[0-9])+(\.[0-9]*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?")

_WORDS = {"null": None, "~": None, "": None, "true": True, "false": False}
_SWITCHES = frozenset({"yes", "no", "on", "off"})
_NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf)", re.IGNORECASE)


class AmbiguousScalarError(ValueError):
    """A word that different YAML readers read differently; the message says what it might mean."""


def resolve(text: str) -> Plain:
    """Return the value of a plain (unquoted) scalar.

    Raises AmbiguousScalarError for words that must be quoted or written otherwise.
    """
    if text in _WORDS:
        return _WORDS[text]
    lower = text.lower()
    if lower in _SWITCHES:
        raise AmbiguousScalarError("some YAML readers take it for true or false")
    if lower in _WORDS:
        raise AmbiguousScalarError(f"it differs from `{lower}` by its capitals")
    if _NOT_FINITE.fullmatch(text):
        raise AmbiguousScalarError("a spec holds finite numbers only")
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    for pattern, reason in (
        (_LEADING_ZERO, "some YAML readers take a leading zero for base 8"),
        (_OTHER_BASE, "numbers are written in base 10"),
        (_UNDERSCORES, "numbers are written without `_`"),
        (_SEXAGESIMAL, "some YAML readers take it for minutes and seconds"),
        (_DATE, "some YAML readers take it for a date"),
    ):
        if pattern.fullmatch(text):
            raise AmbiguousScalarError(reason)
    return text


def instead_of(text: str) -> str:
    """Return what to write in place of a word that `resolve` refuses."""
    lower = text.lower()
    if lower in ("yes", "on"):
        return f'write true, or quote it: "{text}"'
    if lower in ("no", "off"):
        return f'write false, or quote it: "{text}"'
    if lower in ("true", "false", "null"):
        return f'write {lower}, or quote it: "{text}"'
    return f'write a plain decimal number, or quote it: "{text}"'


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    if len(digits) > 19 or not -(2**63) <= int(text) < 2**63:
        raise AmbiguousScalarError("the number does not fit in 64 bits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise AmbiguousScalarError("the number is too large for a float")
    return value
