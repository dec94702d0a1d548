"""The progression of diabetes: regression."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.datasets._embedded import Embedded


class Diabetes(Embedded):
    """442 patients: the progression of diabetes within a year, predicted from ten measurements (regression).

    Embedded in scikit-learn; a fixed 20% is the test split. The target (25 … 346) stays as it is.
    """

    kind = "diabetes"
    samples = 442
    shape = (10,)
    paper = "B. Efron, T. Hastie, I. Johnstone, R. Tibshirani: Least angle regression, 2004"
    examples = (Example("diabetes"),)
