"""A second opinion that knows no step: forward mode against reverse mode."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad

from nnctl.diagnosis.gradient.case import Case
from nnctl.diagnosis.gradient.directions import signs
from nnctl.diagnosis.gradient.result import Adjoint
from nnctl.randomness import derive

make_dual: Any = forward_ad.make_dual  # torch leaves them unannotated
unpack_dual: Any = forward_ad.unpack_dual


def check_adjoint(case: Case, seed: int) -> Adjoint:
    """Return how far ⟨v, Ju⟩ and ⟨Jᵀv, u⟩ are apart, J being the Jacobian of the output in all parameters.

    Each of the two comes from formulas of its own in torch; a custom function without a forward one is passed over.
    """
    if case.function.dtype != torch.float64:
        return Adjoint(None, f"numbers pass through {str(case.function.dtype).removeprefix('torch.')}")
    parameters = {name: p for name, p in case.module.named_parameters() if p.requires_grad and p.numel()}
    steps = {name: signs(p, seed, "adjoint", name) for name, p in parameters.items()}
    try:
        case.function.restore()
        with warnings.catch_warnings(), forward_ad.dual_level():
            warnings.simplefilter("ignore")  # torch tells of every operation that it does slowly
            duals = {id(p): make_dual(p.detach(), steps[name]) for name, p in parameters.items()}
            with _in_place_of_parameters(case.module, duals):
                output = case.module(*case.arguments)
            if not isinstance(output, Tensor):
                return Adjoint(None, "the module returns more than one tensor")
            y, tangent = unpack_dual(output)
    except Exception as error:  # whatever a module cannot do with dual numbers: this is a second opinion only
        return Adjoint(None, str(error).strip().partition("\n")[0].partition(". ")[0])
    if tangent is None:
        return Adjoint(None, "forward mode sees no path from the parameters to the output")
    tangent = tangent.detach()
    generator = torch.Generator().manual_seed(derive(seed, "adjoint"))
    v = torch.randn(y.shape, generator=generator, dtype=torch.float64).to(y)
    case.function.restore()
    with torch.enable_grad():
        output = case.module(*case.arguments)
    back = torch.autograd.grad(output, list(parameters.values()), v, allow_unused=True)
    other = sum(float((g * u).sum()) for g, u in zip(back, steps.values(), strict=True) if g is not None)
    size = float(torch.linalg.vector_norm(tangent) * torch.linalg.vector_norm(v))
    if size == 0:
        return Adjoint(None, "the output does not move along the direction")
    return Adjoint(abs(float((v * tangent).sum()) - other) / size)


@contextmanager
def _in_place_of_parameters(module: nn.Module, others: Mapping[int, Tensor]) -> Iterator[None]:
    """Let modules read other tensors for a while, by the ids of their parameters, which several modules may share."""
    before = [(part, dict(part._parameters)) for part in module.modules()]
    try:
        for part, own in before:
            for name, p in own.items():
                if id(p) in others:
                    del part._parameters[name]
                    part.__dict__[name] = others[id(p)]
        yield
    finally:
        for part, own in before:
            for name in own:
                part.__dict__.pop(name, None)
            part._parameters.clear()
            part._parameters.update(own)  # in their order
