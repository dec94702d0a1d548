"""Numbers written as other places and programs write them, and how a spec or a table has them."""

from __future__ import annotations

import re
import unicodedata

from nnctl.document.expression import ExpressionError, compute
from nnctl.document.node import Unknown
from nnctl.document.scalars import AmbiguousScalarError, resolve

_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})  # the minus sign and the dash of text processors
_THOUSANDS = {"k": 1_000, "K": 1_000, "M": 1_000_000}


def respelt(text: str) -> tuple[str, str] | None:
    """Return what to write, in words and as it is, for a number with a decimal comma or thousands marks."""
    bare = re.sub(r"[^\d.+-]", "", text)
    if re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text):
        return "thousands without a comma, decimals with a point", f"{bare} or {text.replace(',', '.')}"
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        return "a decimal point", text.replace(",", ".")
    if re.fullmatch(r"[+-]?\d{1,3}([ ',\u00a0\u202f]\d{3})+(\.\d*)?", text):
        return "it without thousands marks", bare
    return None


def number_hint(text: str, whole: bool) -> str | None:
    """Return how a spec writes the number that a text probably means; `whole` is whether it has to be whole."""
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS)
    if _number(plain) is not None:
        return f"write it without quotes: {plain}" if plain == text else f"write it in plain characters: {plain}"
    if _number(re.split(r"\s*(?:#|//)", plain)[0]) is not None:
        return "a comment begins with ` #`"
    if spelling := respelt(plain):
        return None if whole and isinstance(_number(spelling[1]), float) else f"write {spelling[0]}: {spelling[1]}"
    if re.fullmatch(r"[\d\s.*/()]+", plain):
        return _value_hint(plain, whole)
    unit = re.fullmatch(r"(.+?)\s*([^\d\s.]+)", plain)
    value = _number(unit[1]) if unit else None
    if unit is None or value is None:
        return None
    if unit[2] == "%":
        return None if whole else f"write the share: {value / 100:g}"
    if unit[2] in _THOUSANDS:
        return f"write the number in full: {value * _THOUSANDS[unit[2]]:.15g}"
    return f"write the number alone, without `{unit[2]}`"


def _value_hint(product: str, whole: bool) -> str | None:
    """Return the value of a product or quotient, as what to write."""
    try:
        value = compute(f"$({product})", lambda name: Unknown())
    except ExpressionError:
        return None
    if isinstance(value, Unknown) or (whole and value != int(value)):
        return None
    return f"write its value: {value:g}"


def _number(text: str) -> int | float | None:
    try:
        value = resolve(text)
    except AmbiguousScalarError:
        return None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
