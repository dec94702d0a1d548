"""What a random network says of random inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.component.types import Count, NonNegative
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples


class Teacher(Dataset):
    """Regression on what a random network, the teacher, says of random inputs, so that a student can be perfect.

    y = a · relu(W x) + noise · n with x, n ~ N(0, I), W ~ N(0, 2 / features) and a ~ N(0, 1 / hidden), all from the
    seed; `test` has other inputs and the same teacher.
    """

    kind = "teacher"
    standardised = False
    paper = "E. Gardner, B. Derrida: Three unfinished works on the optimal storage capacity of networks, 1989"
    examples = (Example("teacher: {features: 10, hidden: 4, samples: 500}"), Example("teacher"))

    features: Count = 10
    """Numbers of an input."""
    hidden: Count = 4
    """Hidden units of the teacher."""
    samples: Count = 1000
    """Samples for training; as many again are drawn for the test."""
    noise: NonNegative = 0.0
    """Standard deviation of the noise on its answers."""

    def facts(self, root: Path) -> Facts:
        """Return what the fields say."""
        return Facts("regression", {"input": Shape((self.features,))}, train=self.samples, test=self.samples)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the samples of a split."""
        from nnctl.data.generated import draw_teacher

        return draw_teacher(self.features, self.hidden, self.noise, self.samples, split, seed)
