"""Handwritten digits, 8×8."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.datasets._embedded import Embedded


class Digits(Embedded):
    """1,797 handwritten digits of 8×8 pixels with values 0 … 16, in ten classes.

    Embedded in scikit-learn; a fixed 20% is the test split.
    """

    kind = "digits"
    samples = 1797
    shape = (1, 8, 8)
    white = 16
    names = tuple("0123456789")
    paper = "E. Alpaydin, C. Kaynak: Optical recognition of handwritten digits, UCI repository, 1998"
    examples = (Example("digits"),)
