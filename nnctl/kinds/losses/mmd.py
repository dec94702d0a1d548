"""Maximum mean discrepancy: how far apart two sets of features lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from nnctl.component.base import Example
from nnctl.component.types import Expected, Positive, Text
from nnctl.kinds.losses.base import Loss, LossFunction, LossTerm, Pass

if TYPE_CHECKING:
    from torch import Tensor


class MaximumMeanDiscrepancy(Loss):
    """The squared distance between the mean features of the batch and of a further set, in the kernel's own space.

    With k(x, y) = exp(−‖x − y‖² / 2σ²), M samples x of the data set and N samples y of the stream, both at the place
    `at`: biased: ΣΣk(x, x′)/M² + ΣΣk(y, y′)/N² − 2ΣΣk(x, y)/MN, which is never negative; linear: the mean of k(x, x′) +
    k(y, y′) − k(x, y′) − k(x′, y) over consecutive quadruples {x, x′; y, y′}, unbiased and of linear cost. Targets are
    not used: it aligns the features of a labelled set with those of an unlabelled one, in training alone.
    """

    kind = "mmd"
    paper = "Gretton et al., A Kernel Two-Sample Test, 2012; Long et al., Learning Transferable Features, 2015"
    uses_target = False
    training_only = True
    answers = False
    examples = (
        Example("mmd: target", input=(5,)),
        Example("mmd: {against: target, at: features, bandwidth: 2, estimator: linear}", input=(5,)),
    )

    against: Annotated[Text, Expected("the name of a stream")]
    """The stream under `data.streams` that the batch is compared with."""
    bandwidth: Annotated[Positive | Literal["median"], Expected("a number above 0, or median")] = "median"
    """σ of the kernel; `median` is the median distance between the present samples, so that it follows the features."""
    estimator: Annotated[Literal["biased", "linear"], Expected("biased or linear")] = "biased"
    """All pairs of the batch, or each sample once."""

    def streams(self) -> tuple[str, ...]:
        """Return the stream."""
        return (self.against,)

    def build(self) -> LossFunction:
        """Return the function of the features of both sets, (M, …) and (N, …)."""
        from functools import partial

        from nnctl.modules.mmd import biased, linear

        return partial(
            biased if self.estimator == "biased" else linear,
            bandwidth=None if self.bandwidth == "median" else self.bandwidth,
        )

    def term(self) -> LossTerm:
        """Return the discrepancy between a pass's batch and its stream."""
        function = self.build()
        return lambda seen: function(*self._features(seen))

    def held(self, seen: Pass) -> LossTerm:
        """Return the same with the bandwidth that `seen` calls for."""
        if self.bandwidth != "median":
            return self.term()
        from nnctl.modules.mmd import all_pairs, biased, linear, median, quadruples

        measure, function = (all_pairs, biased) if self.estimator == "biased" else (quadruples, linear)
        bandwidth = median(measure(*self._features(seen)))
        return lambda later: function(*self._features(later), bandwidth=bandwidth)

    def _features(self, seen: Pass) -> tuple[Tensor, Tensor]:
        return seen.outputs[self.place], seen.streams[self.against][self.place]
