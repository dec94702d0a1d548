"""What is checked: a float64 copy of a network, the loss of some samples, and every tensor that it depends on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from nnctl.data.load import Batch
from nnctl.diagnosis.batches import batches_of, losses_of
from nnctl.diagnosis.gradient.function import Function
from nnctl.diagnosis.subject import Subject
from nnctl.errors import NOWHERE, Position, Problem, UsageError
from nnctl.graph.build import Graph
from nnctl.kinds.losses.base import Loss
from nnctl.kinds.penalties.base import Term
from nnctl.network.initialise import seeded
from nnctl.network.lsuv import scale_by_data
from nnctl.network.modules import Network
from nnctl.objective import Objective
from nnctl.optim.penalties import weights_of
from nnctl.randomness import derive

LossFunction: TypeAlias = Callable[..., Tensor]
Inputs: TypeAlias = "Tensor | Sequence[Tensor] | Mapping[str, Tensor]"

FEWEST = 4
"""Samples that batch norm needs: of two, every feature is normalised to ±1, and hardly a gradient is left."""


@dataclass(frozen=True)
class Case:
    """A module in float64 and the function that its gradients are those of."""

    module: nn.Module
    function: Function
    arguments: tuple[Any, ...]
    """What the module is called with."""
    not_differentiable: tuple[str, ...]
    data: str
    samples: int
    device: torch.device
    seed: int
    """That of the random state before each pass."""
    narrow: Callable[[], Function]
    """Makes the same function in float32."""
    graph: Graph | None = None

    @property
    def kinds(self) -> Mapping[str, str]:
        """Return the kind of each layer by its path."""
        if self.graph is not None:
            return {leaf.path: leaf.layer.kind for leaf in self.graph.leaves}
        return {path: type(module).__name__ for path, module in self.module.named_modules()}

    def owner(self, name: str) -> str | None:
        """Return the path of the layer that a tensor belongs to; None for an input."""
        if name not in self.parameters:
            return None
        inside = name.rpartition(".")[0]
        if self.graph is None:
            return inside
        return next((path for path in self.graph.positions if f"{name}.".startswith(f"{path}.")), inside)

    def position(self, path: str | None) -> Position:
        """Return where a layer, or what is inside of one, stands in the spec."""
        positions = self.graph.positions if self.graph is not None else {}
        return next((where for own, where in positions.items() if f"{path}.".startswith(f"{own}.")), NOWHERE)

    @property
    def parameters(self) -> frozenset[str]:
        """Return the names of the tensors that are parameters."""
        return frozenset(name for name, _ in self.module.named_parameters())


def case_of_spec(subject: Subject, samples: int, random: bool, device: torch.device) -> Case:
    """Return the recipe's loss on the first samples of training. Raises NnctlError where there is nothing to check."""
    graph = subject.graph
    if graph.has_batch_norm and samples < FEWEST:
        message = f"batch norm needs at least {FEWEST} samples here, found {samples}"
        raise UsageError(Problem("usage", message, hint=f"use --samples {FEWEST}"))
    random = random or graph.spec.data is None
    losses = losses_of(graph, random)
    batches = batches_of(subject, losses, random, device, samples)
    batch = batches.at(0)
    net = copy.deepcopy(subject.net).to(device)
    if subject.lsuv:
        assert isinstance(net, Network)
        scale_by_data(net, subject.lsuv, batch.inputs, graph.spec.seed)
    check_parameters(net, graph)
    seed = derive(graph.spec.seed, "dropout", 0, 0)

    def function_in(dtype: torch.dtype) -> tuple[nn.Module, Function, Batch]:
        own = copy.deepcopy(net).to(dtype).train()
        wide = _in_type(batch, dtype)
        return own, _of_objective(own, wide, losses, graph, seed, device), wide

    module, function, batch64 = function_in(torch.float64)
    several = len(batch64.inputs) > 1
    codes = tuple(f"data.{name}" if several else "input" for name in batch64.inputs)
    codes = tuple(name for name in codes if name not in function.tensors)
    x = batch64.inputs if several else next(iter(batch64.inputs.values()))
    return Case(
        module,
        function,
        (x,),
        codes,
        batches.name,
        batch.n,
        device,
        seed,
        narrow=lambda: function_in(torch.float32)[1],
        graph=graph,
    )


def _of_objective(
    net: nn.Module, batch: Batch, losses: Sequence[Loss], graph: Graph, seed: int, device: torch.device
) -> Function:
    """Return the recipe's losses and penalties as functions of a network's weights and of the batch's numbers."""
    objective = Objective([loss for loss in losses if loss.weight])
    penalties = [one for one in (graph.spec.train.penalties if graph.spec.train else ()) if isinstance(one, Term)]
    wishes = [(one, weights) for one in penalties if one.strength and (weights := list(weights_of(net, one.layers)))]
    names = _distinct(
        [_term_name(term.loss.kind, term.loss.at) for term in objective.terms]
        + [f"{penalty.kind} penalty" for penalty, _ in wishes]
    )
    numbers = {name: x for name, x in batch.inputs.items() if x.is_floating_point()}
    constant = all(loss.fixes_inputs for loss in losses if loss.weight)
    inputs = {} if constant else {name: x.requires_grad_() for name, x in numbers.items()}
    with seeded(seed):
        first = objective.forward(copy.deepcopy(net), batch)  # a copy: norms count the pass
        terms = [(term.loss.weight, term.loss.held(first)) for term in objective.terms]

    def evaluate() -> dict[str, Tensor]:
        seen = objective.forward(net, batch)
        values = [weight * term(seen) for weight, term in terms]
        values += [torch.stack([penalty.value(weight) for weight in weights]).sum() for penalty, weights in wishes]
        return dict(zip(names, values, strict=True))

    several = len(batch.inputs) > 1
    tensors = _learned(net) | {f"data.{name}" if several else "input": x for name, x in inputs.items()}
    return Function(net, evaluate, tensors, device=device, seed=seed)


def case_of_module(module: nn.Module, x: Inputs, y: Any, loss: LossFunction, device: torch.device, seed: int) -> Case:
    """Return `loss(module(x), y)`, the module in the mode that it is in."""
    check_parameters(module, None)
    _check_tensors(x)
    given = {"": x} if isinstance(x, Tensor) else dict(x) if isinstance(x, Mapping) else dict(enumerate(x))
    names = {name: "input" if name == "" else f"input.{name}" for name in given}

    def function_in(dtype: torch.dtype) -> tuple[nn.Module, Function, dict[Any, Any]]:
        own_module = copy.deepcopy(module).to(device).to(dtype)
        own_loss = copy.deepcopy(loss).to(device).to(dtype) if isinstance(loss, nn.Module) else loss
        wide = {name: _value_in_type(value, device, dtype) for name, value in given.items()}
        target = _value_in_type(y, device, dtype)
        numbers = {names[name]: value.requires_grad_() for name, value in wide.items() if value.is_floating_point()}

        def evaluate() -> dict[str, Tensor]:
            own = {name: value.clone() for name, value in wide.items()}  # a layer may work on its input in place
            arguments = (own,) if isinstance(x, Mapping) else tuple(own.values())
            return {"loss": own_loss(own_module(*arguments), target)}

        function = Function(own_module, evaluate, _learned(own_module) | numbers, device=device, seed=seed)
        return own_module, function, wide

    try:
        own_module, function, wide = function_in(torch.float64)
    except RuntimeError as error:
        text = str(error).partition("\n")[0]
        if not any(word in text for word in ("dtype", "scalar type", "Double")):
            raise
        message = "the module cannot be computed in float64, which a gradient check needs"
        hint = "make tensors inside of it in the type of its input: `torch.zeros(…, dtype=x.dtype)`"
        raise UsageError(Problem("not-float64", message, details=(text,), hint=hint)) from None
    arguments = (wide,) if isinstance(x, Mapping) else tuple(wide.values())
    codes = tuple(own for own in names.values() if own not in function.tensors)
    samples = len(next(iter(wide.values()))) if wide and next(iter(wide.values())).dim() else 1
    return Case(
        own_module,
        function,
        arguments,
        codes,
        "given",
        samples,
        device,
        seed,
        narrow=lambda: function_in(torch.float32)[1],
    )


def _learned(module: nn.Module) -> dict[str, Tensor]:
    return {name: p for name, p in module.named_parameters() if p.requires_grad and p.numel()}


def _check_tensors(x: Any) -> None:
    """Raise UsageError for inputs that are no tensors."""
    values = [x] if not isinstance(x, (tuple, list, Mapping)) else list(x.values() if isinstance(x, Mapping) else x)
    wrong = next((value for value in values if not isinstance(value, Tensor)), None)
    if wrong is not None:
        found = f"{type(wrong).__module__}.{type(wrong).__name__}".removeprefix("builtins.")
        hint = "make it one: `torch.from_numpy(x)`" if found == "numpy.ndarray" else "pass torch tensors"
        raise UsageError(Problem("usage", f"expected a tensor as input of the module, found {found}", hint=hint))


def check_parameters(module: nn.Module, graph: Graph | None) -> None:
    """Raise UsageError for parameters that nothing can be said of."""
    if any(is_lazy(p) for p in module.parameters()):
        message = "the module's parameters have no shape yet"
        raise UsageError(Problem("nothing-learned", message, hint="call it once on a batch before"))
    learned = _learned(module)
    if not learned:
        raise UsageError(Problem("nothing-learned", "the network has no weights to learn: there is nothing to check"))
    for name, p in learned.items():
        if p.is_complex():
            raise UsageError(Problem("complex", f"`{name}` is complex; gradients of real parameters are checked"))
        if not bool(torch.isfinite(p).all()):
            bad = int((~torch.isfinite(p)).sum())
            message = f"`{name}` has {bad:,} of {p.numel():,} numbers that are not finite: there is no gradient there"
            where = NOWHERE
            if graph is not None:
                where = next((at for path, at in graph.positions.items() if name.startswith(f"{path}.")), NOWHERE)
            raise UsageError(Problem("nonfinite", message, where, hint="check the weights of an earlier epoch"))


def _in_type(batch: Batch, dtype: torch.dtype) -> Batch:
    """Return the batch with its numbers in a type, in memory of their own."""
    inputs, clean = (
        {name: x.detach().to(dtype, copy=True) if x.is_floating_point() else x for name, x in fields.items()}
        for fields in (batch.inputs, batch.clean)
    )
    target = batch.target.to(dtype) if batch.target.is_floating_point() else batch.target
    streams = {name: _in_type(stream, dtype) for name, stream in batch.streams.items()}
    return replace(batch, inputs=inputs, clean=clean, target=target, streams=streams)


def _value_in_type(value: Any, device: torch.device, dtype: torch.dtype) -> Any:
    if not isinstance(value, Tensor):
        return value
    value = value.detach().to(device)
    return value.to(dtype, copy=True) if value.is_floating_point() else value


def _term_name(kind: str, at: str | None) -> str:
    return f"{kind} at {at}" if at else kind


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names in which no two are equal: those that occur again are counted."""
    return [
        name if names.count(name) == 1 else f"{name} {names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    ]
