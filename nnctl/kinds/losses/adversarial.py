"""Adversarial training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import field_serializer, model_validator

from nnctl.component.base import Example
from nnctl.component.markers import One
from nnctl.component.types import Count, Expected, Positive
from nnctl.kinds.layers.shape import Shape, ShapeError
from nnctl.kinds.losses.base import OUTPUT, Loss, LossFunction, LossTerm, Pass
from nnctl.kinds.losses.cross_entropy import CrossEntropy

if TYPE_CHECKING:
    from torch import Tensor, nn


class Adversarial(Loss):
    """A loss at inputs changed so that it is as large as possible: J(x + δ) with |δ| ≤ ε for every number.

    fgsm: δ = ε sign ∇ₓJ(x). pgd: `steps` steps of `step_size` along sign ∇J, brought back within ε of x, from a random
    start there. δ is found for the network as it is in evaluation and is a constant for the gradient. Beside the plain
    loss it gives the mixture a J(x) + (1 − a) J(x + δ), a being the weights. ε is in units of the network's input,
    which is standardised: for a part of the pixels' range divide by the standard deviation, 8/255 at a deviation of
    0.25 is 0.125. In training alone; `nnctl eval --attack` measures what it is worth.
    """

    kind = "adversarial"
    paper = "Goodfellow et al., Explaining and Harnessing Adversarial Examples, 2015; Madry et al., 2018 (PGD)"
    training_only = True
    examples = (
        Example("adversarial: {epsilon: 0.1}", input=(3,)),
        Example(
            "adversarial: {attack: pgd, epsilon: 0.1, steps: 5, of: {cross_entropy: {label_smoothing: 0.1}}}",
            input=(3,),
        ),
    )

    attack: Annotated[Literal["fgsm", "pgd"], Expected("fgsm or pgd")] = "fgsm"
    """How δ is found."""
    epsilon: Positive
    """Largest change ε of a number of the standardised input."""
    steps: Count | None = None
    """Steps of pgd; 10 if not given."""
    step_size: Positive | None = None
    """Length of a step of pgd; 2.5 ε / steps if not given."""
    of: Annotated[Loss, One("losses"), Expected("a loss")] = CrossEntropy()
    """The loss J; its place and target are those of `adversarial` itself."""

    @model_validator(mode="after")
    def _check_options(self) -> Self:
        if self.attack == "fgsm" and (self.steps is not None or self.step_size is not None):
            raise ValueError("`fgsm` takes one step of ε; `steps` and `step_size` are for `attack: pgd`")
        if not self.of.uses_target or self.of.training_only or not self.of.answers:
            raise ValueError(f"`{self.of.kind}` is no loss of an answer; let `of` be cross_entropy, bce or mse, say")
        if any(getattr(self.of, name) != type(self.of).model_fields[name].default for name in self.of.common):
            raise ValueError("`weight`, `at` and `target` belong to `adversarial`; write them beside `of`, not in it")
        return self

    @field_serializer("of")
    def _written(self, of: Loss) -> dict[str, object]:
        return {of.kind: of.model_dump(mode="json", exclude=set(of.common), exclude_none=True)}

    def check_values(self, x: Shape, classes: int | None, inputs: Mapping[str, Shape]) -> None:
        """Refuse inputs that are all codes, and what `of` refuses."""
        if all(shape.vocabulary is not None for shape in inputs.values()):
            raise ShapeError("`adversarial` changes numbers, and the network's inputs are codes", hint="remove it")
        self.of.check_values(x, classes, inputs)

    def build(self) -> LossFunction:
        """Return J itself."""
        return self.of.build()

    def term(self) -> LossTerm:
        """Return J at the changed inputs of a pass."""
        return lambda seen: self.held(seen)(seen)

    def held(self, seen: Pass) -> LossTerm:
        """Return J at inputs changed for the weights of `seen`, whatever the weights are then."""
        from nnctl.modules.adversarial import Attack, attacked, pgd

        function, place = self.build(), self.place
        fgsm = self.attack == "fgsm"
        attack = Attack(self.epsilon) if fgsm else pgd(self.epsilon, self.steps, self.step_size)
        target = seen.target(self.target).detach()

        def loss(net: nn.Module, inputs: dict[str, Tensor]) -> Tensor:
            x = inputs["input"] if len(inputs) == 1 else inputs
            outputs = {OUTPUT: net(x)} if place == OUTPUT else net.outputs(x)  # type: ignore[operator]
            return function(outputs[place], target)

        changed = attacked(attack, seen.net, seen.batch.inputs, lambda inputs: loss(seen.net, inputs))
        return lambda later: loss(later.net, changed)
