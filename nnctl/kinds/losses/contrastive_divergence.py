"""Contrastive divergence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import model_validator

from nnctl.component.base import Example
from nnctl.component.types import Count, Expected, Text
from nnctl.kinds.layers.shape import ShapeError
from nnctl.kinds.losses.base import Loss, LossTerm, Pass

if TYPE_CHECKING:
    from torch import Tensor

    from nnctl.kinds.layers.base import Layer
    from nnctl.modules.rbm import RBM


class ContrastiveDivergence(Loss):
    """Train a layer `rbm` (CD-k): F(v₀) − F(v_k), with v₀ its input and v_k what k steps of sampling make of that.

    Its gradient, with v_k held fixed, lowers the free energy of the data and raises that of what the machine dreams.
    The difference measures nothing by itself; evaluation takes the mean squared error of the reconstruction instead.
    Layers before the machine get no gradient.
    """

    kind = "contrastive_divergence"
    paper = "Hinton, Training Products of Experts by Minimizing Contrastive Divergence, 2002"
    uses_target = False
    fixes_inputs = True
    examples = (Example("contrastive_divergence"), Example("contrastive_divergence: {steps: 5, layer: rbm1}"))

    steps: Count = 1
    """k, the steps of Gibbs sampling."""
    layer: Annotated[Text | None, Expected("the path of an rbm")] = None
    """Path of the `rbm`; needed where the network has several."""

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if self.at is not None or self.target is not None:
            raise ValueError(f"`{self.kind}` has no `at` and no `target`; name the layer by `layer`")
        return self

    def check_layers(self, layers: Mapping[str, Layer]) -> None:
        """Raise ShapeError where `layer` does not single out an `rbm`."""
        machines = [path for path, layer in layers.items() if layer.kind == "rbm"]
        if self.layer is None and len(machines) == 1:
            return
        if self.layer not in machines:
            given = "no layer is named" if self.layer is None else f"`{self.layer}` is none"
            found = f"the network has {', '.join(machines)}" if machines else "the network has none"
            hint = f"write `layer: {machines[0]}`" if machines else "add the layer `rbm: 64`"
            raise ShapeError(f"`{self.kind}` trains one `rbm`", f"{given}; {found}", hint)

    def term(self) -> LossTerm:
        """Return the difference in training, else the reconstruction's error."""
        return lambda seen: self.held(seen)(seen)

    def held(self, seen: Pass) -> LossTerm:
        """Return the same for the values that `seen` showed the machine, and those sampled from them then."""
        machine = self._machine(seen)
        assert machine.seen is not None
        v = machine.seen.to(machine.weight.dtype, copy=True)  # not a view of inputs that may be moved
        if not machine.training:
            return lambda later: (v - self._machine(later).reconstruct(v)).square().mean()
        dreamt = machine.sample(v, self.steps)

        def contrast(later: Pass) -> Tensor:
            machine = self._machine(later)
            return (machine.free_energy(v) - machine.free_energy(dreamt)).mean()

        return contrast

    def _machine(self, seen: Pass) -> RBM:
        from nnctl.modules.rbm import RBM

        modules = seen.net.modules() if self.layer is None else [seen.net.get_submodule(self.layer)]
        return next(module for module in modules if isinstance(module, RBM))
