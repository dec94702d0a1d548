"""A polynomial with noise: regression by a curve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BeforeValidator, Field

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, NonNegative, Number, as_tuple
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples


class Polynomial(Dataset):
    """Values of a polynomial with noise, to be fitted by another of any degree.

    y = Σₖ cₖ xᵏ + noise · n with x uniform on [−1, 1] and n ~ N(0, 1), drawn from the seed; `test` is drawn afresh. The
    inputs are P₁(x) … P_degree(x), Legendre's polynomials: with a bias they span all polynomials of that degree, as
    the powers do, but are orthogonal, so that gradient descent reaches the least squares.
    """

    kind = "polynomial"
    standardised = False
    examples = (
        Example("polynomial: {coefficients: [0, -1, 0, 3], degree: 9, samples: 30}"),
        Example("polynomial: {degree: 1, noise: 0}"),
    )

    coefficients: Annotated[
        tuple[Number, ...],
        Field(min_length=1),
        BeforeValidator(as_tuple),
        Expected("a list of numbers, constant first"),
    ] = (0.0, -1.0, 0.0, 2.0)
    """The true polynomial's coefficients, that of x⁰ first."""
    degree: Annotated[int, Field(ge=1, le=50), Expected("a whole number from 1 to 50")] = 3
    """The degree up to which inputs are given."""
    samples: Count = 30
    """Points for training; as many again are drawn for the test."""
    noise: NonNegative = 0.2
    """Standard deviation of the noise."""

    def facts(self, root: Path) -> Facts:
        """Return what the fields say."""
        return Facts("regression", {"input": Shape((self.degree,))}, train=self.samples, test=self.samples)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the points of a split."""
        from nnctl.data.generated import draw_polynomial

        return draw_polynomial(self.coefficients, self.degree, self.noise, self.samples, split, seed)
