"""Wines of three growers."""

from __future__ import annotations

from nnctl.component.base import Example
from nnctl.kinds.datasets._embedded import Embedded


class Wine(Embedded):
    """178 wines of three growers, by thirteen chemical measurements of very different size.

    Embedded in scikit-learn; a fixed 20% is the test split.
    """

    kind = "wine"
    samples = 178
    shape = (13,)
    names = ("class_0", "class_1", "class_2")
    paper = "M. Forina et al.: PARVUS, UCI repository, 1991"
    examples = (Example("wine"),)
