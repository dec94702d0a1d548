"""Flowers of three species."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.datasets._embedded import Embedded


class Iris(Embedded):
    """150 flowers of three species, by the length and width of sepal and petal.

    Embedded in scikit-learn; a fixed 20% is the test split.
    """

    kind = "iris"
    samples = 150
    shape = (4,)
    names = ("setosa", "versicolor", "virginica")
    paper = "R. A. Fisher: The use of multiple measurements in taxonomic problems, 1936"
    examples = (Example("iris"),)
