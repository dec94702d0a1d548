"""Tumours, malignant or benign."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.datasets._embedded import Embedded


class BreastCancer(Embedded):
    """569 tumours, malignant or benign, by thirty measurements of their cell nuclei.

    Embedded in scikit-learn; a fixed 20% is the test split.
    """

    kind = "breast_cancer"
    samples = 569
    shape = (30,)
    names = ("malignant", "benign")
    paper = (
        "W. N. Street, W. H. Wolberg, O. L. Mangasarian: Nuclear feature extraction for breast tumor diagnosis, 1993"
    )
    examples = (Example("breast_cancer"),)
