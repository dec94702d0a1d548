"""What every kind of every family keeps: a kind is added with its documentation and examples, or not at all."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
import safetensors.torch
import torch
import yaml
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.flop_counter import FlopCounterMode

from nnctl.component.base import Component
from nnctl.component.docs import field_docs, shape_line, summary
from nnctl.component.family import FAMILIES, find, names
from nnctl.errors import SpecError
from nnctl.kinds.initializers.base import Fans, Initializer, Place
from nnctl.kinds.layers.base import Activation, Layer, Shape, Structure, Weighted
from nnctl.kinds.losses.base import Loss
from nnctl.kinds.optimizers.base import Optimizer
from nnctl.kinds.schedules.base import Schedule
from tests.components import initializer, kinds_of, layer, materialise, normal, parse

KINDS = [(family, kind) for family in FAMILIES for kind in names(family)]


def class_of(family: str, kind: str) -> type[Component]:
    cls = find(family, kind)
    assert cls is not None
    return cls


@dataclass(frozen=True)
class Case:
    """One example of a layer that computes something, with the shape it is given."""

    text: str
    layer: Layer
    x: Shape

    def __str__(self) -> str:
        return f"{self.text} {self.x}"

    def batch(self, size: int = 3, dtype: torch.dtype = torch.float32, grad: bool = False) -> Tensor:
        if self.x.vocabulary is not None:  # codes, which have no gradient
            return torch.arange(size * self.x.size).view(size, *self.x.dims) % self.x.vocabulary
        return normal(size, *self.x.dims, dtype=dtype).requires_grad_(grad)


def cases() -> Iterator[Case]:
    for kind in kinds_of("layers", Layer):
        for example in class_of("layers", kind).examples:
            assert example.input is not None, f"{kind}: an example of a layer needs an input shape"
            x = Shape(example.input, example.tokens, example.vocabulary)
            yield Case(example.yaml, layer(example.yaml), x)


def each(chosen: Iterable[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", list(chosen), ids=str)


CASES = list(cases())
FIRST = {kind: initializer(class_of("initializers", kind).examples[0].yaml) for kind in names("initializers")}
INSTEAD: tuple[tuple[type[Component], str, str], ...] = (
    (Activation, "value", "pointwise"),
    (Initializer, "fill", "by_module"),
    (Loss, "build", "term"),
    (Optimizer, "build", "gradient_free"),
    (Optimizer, "state_tensors", "state_numbers"),
    (Schedule, "shape", "factor_at"),
)
"""Methods that a kind of a family has, unless it has the other in place of its family's."""

each_kind = pytest.mark.parametrize(("family", "kind"), KINDS)
each_case = each(CASES)


@each_kind
def test_is_documented(family: str, kind: str) -> None:
    cls = class_of(family, kind)
    assert summary(cls).endswith((".", ").")), "the docstring starts with one sentence"
    undocumented = set(cls.model_fields) - set(field_docs(cls))
    assert not undocumented, "every field is followed by its docstring"
    if issubclass(cls, Layer):
        assert "->" in (shape_line(cls) or ""), "a layer's docstring has a line `Shape: … -> …`"


@each_kind
def test_has_the_methods_that_its_family_asks_for(family: str, kind: str) -> None:
    cls = class_of(family, kind)
    assert not inspect.isabstract(cls)
    for base, method, other in INSTEAD:
        if issubclass(cls, base):
            assert any(getattr(cls, name) is not getattr(base, name) for name in (method, other)), method


@each_kind
def test_examples_are_entries_of_the_kind(family: str, kind: str) -> None:
    cls = class_of(family, kind)
    assert cls.examples
    for example in cls.examples:
        assert type(parse(family, example.yaml)) is cls


# the lists of layers of a structure stay nodes; specs written out are read again elsewhere
@pytest.mark.parametrize(("family", "kind"), [one for one in KINDS if not issubclass(class_of(*one), Structure)])
def test_examples_survive_writing_and_reading(family: str, kind: str) -> None:
    cls = class_of(family, kind)
    for example in cls.examples:
        component = parse(family, example.yaml)
        assert cls.model_validate(dict(component)) == component
        fields = component.model_dump(mode="json", by_alias=True, exclude_none=True)
        text = yaml.safe_dump({kind: fields}, default_flow_style=True, width=10_000)
        assert parse(family, text) == component


def test_kinds_import_nothing_heavy() -> None:
    imports = "from nnctl.component.family import *; [find(f, k) for f in FAMILIES for k in names(f)]"
    heavy = "import sys; print(sorted({'torch', 'torchvision', 'sklearn', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", f"{imports}; {heavy}"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@each_case
@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("training", [True, False])
def test_declared_shape_is_the_real_one(case: Case, device: str, training: bool) -> None:
    module = materialise(case.layer, case.x).to(device).train(training)
    assert module(case.batch().to(device)).shape == (3, *case.layer.output(case.x).dims)


@each_case
def test_declared_parameters_are_counted(case: Case) -> None:
    module = materialise(case.layer, case.x)
    assert case.layer.parameters(case.x) == sum(parameter.numel() for parameter in module.parameters())


@each(case for case in CASES if isinstance(case.layer, Weighted))
def test_declared_slots_are_tensors_of_the_module(case: Case) -> None:
    assert isinstance(case.layer, Weighted)
    tensors = dict(materialise(case.layer, case.x).named_parameters())
    slots = {slot.tensor: slot.shape for slot in case.layer.slots(case.x)}
    assert slots == {name: tuple(tensor.shape) for name, tensor in tensors.items() if name in slots}


@each_case
def test_declared_macs_are_half_the_counted_flops(case: Case) -> None:
    module = materialise(case.layer, case.x).double().eval()  # in single precision a LSTM is one call, not counted
    with FlopCounterMode(display=False) as counter:
        module(case.batch(dtype=torch.float64))
    assert 2 * 3 * case.layer.macs(case.x) == counter.get_total_flops()


@each_case
def test_reset_parameters_sets_everything(case: Case) -> None:
    for name, tensor in materialise(case.layer, case.x).state_dict().items():
        assert torch.isfinite(tensor).all() if tensor.is_floating_point() else (tensor == 0).all(), name


@each_case
def test_state_dict_round_trip_is_exact(case: Case) -> None:
    module = randomised(case)
    stored = safetensors.torch.load(safetensors.torch.save(module.state_dict()))
    other = materialise(case.layer, case.x, seed=1)
    other.load_state_dict(stored)
    assert module.state_dict().keys() == other.state_dict().keys() == stored.keys()
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name])
    assert torch.equal(module.eval()(case.batch()), other.eval()(case.batch()))


@each_case
def test_gradients_pass_a_numerical_check(case: Case) -> None:
    module = randomised(case).double()
    batch = case.batch(dtype=torch.float64, grad=True)
    names_, tensors = zip(*module.named_parameters(), strict=True) if list(module.parameters()) else ((), ())

    def f(x: Tensor, *parameters: Tensor) -> Tensor:
        torch.manual_seed(0)  # dropout takes the same mask at each call
        result = functional_call(module, dict(zip(names_, parameters, strict=True)), (x,))
        assert isinstance(result, Tensor)
        return result

    for training in (False, True):
        module.train(training)
        assert torch.autograd.gradcheck(f, (batch, *tensors))


@each_case
def test_a_step_leaves_finite_gradients(case: Case) -> None:
    module = materialise(case.layer, case.x)
    batch = case.batch(grad=True)
    apart = case.layer.trained_apart
    named = [parameter for name, parameter in module.named_parameters() if name not in apart]
    learned = [tensor for tensor in (batch, *named) if tensor.requires_grad]
    for _ in range(2 if learned else 0):
        module.zero_grad()
        batch.grad = None
        module(batch).square().mean().backward()
        for tensor in learned:
            assert tensor.grad is not None
            assert torch.isfinite(tensor.grad).all()
        with torch.no_grad():
            for parameter in named:
                parameter.sub_(0.1 * torch.as_tensor(parameter.grad))


@each_case
def test_works_in_mixed_precision(case: Case) -> None:
    module, batch = materialise(case.layer, case.x), case.batch(grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        result = module(batch)
        half = module(batch.bfloat16()) if batch.is_floating_point() else result
    assert torch.isfinite(result).all()
    assert torch.isfinite(half).all()
    if result.requires_grad:
        (result.float().square().mean() + half.float().square().mean()).backward()
    assert all(torch.isfinite(tensor.grad).all() for tensor in module.parameters() if tensor.grad is not None)


@each(case for case in CASES if case.x.space and case.layer.output(case.x).space)
def test_looks_no_further_than_its_window(case: Case) -> None:
    module = randomised(case).eval()
    batch = case.batch(size=1, grad=True)
    out = module(batch)
    middle = tuple(extent // 2 for extent in out.shape[2:])
    out[(0, slice(None), *middle)].square().sum().backward()
    assert batch.grad is not None
    seen = batch.grad[0].abs().sum(0).nonzero()
    span = (seen.max(0).values - seen.min(0).values + 1).tolist() if len(seen) else []
    extent = case.layer.window(case.x).extent or (1,) * len(case.x.space)
    if getattr(case.layer, "padding_mode", "zeros") == "zeros":  # others look at the opposite side, or twice
        assert all(reach <= most for reach, most in zip(span, extent, strict=True))


@pytest.mark.parametrize("kind", [kind for kind, first in FIRST.items() if not first.by_module])
def test_initialisers_fill_a_weight_or_say_why_not(kind: str) -> None:
    for example in class_of("initializers", kind).examples:
        component = initializer(example.yaml)
        refused: list[str | None] = []
        for dims in ((6, 4), (4, 6), (4, 2, 3, 3)):
            weight = nn.Parameter(torch.full(dims, torch.nan))
            try:
                component.fill(weight, Place(Fans(into=6, out=4)), torch.Generator().manual_seed(0))
            except SpecError as error:
                refused += [problem.hint for problem in error.problems]
            else:
                assert torch.isfinite(weight).all()
        assert len(refused) < 3
        assert all(refused)


def randomised(case: Case) -> nn.Module:
    """Return the layer's module with numbers in every tensor that no default would give."""
    module = materialise(case.layer, case.x)
    for index, tensor in enumerate((*module.parameters(), *module.buffers())):
        if tensor.is_floating_point():
            tensor.detach().copy_(normal(*tensor.shape, seed=index + 1).abs() + 0.1)
    return module
