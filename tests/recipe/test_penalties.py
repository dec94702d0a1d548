"""Penalties: values and gradients against numpy, constraints against singular values, and what a step makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nnctl.component.family import find
from nnctl.errors import SpecError
from nnctl.graph.build import build
from nnctl.graph.penalties import has_weights
from nnctl.kinds.layers.base import Layer, Shape
from nnctl.network.compile import compile_whole
from nnctl.objective import Objective
from nnctl.optim.groups import parameter_groups
from nnctl.optim.penalties import Penalties, weights_of
from nnctl.step import NotFinite, Stepper
from tests.components import kinds_of, layer, materialise
from tests.recipe.helpers import make
from tests.recipe.test_step import batch_of, net_of
from tests.training.helpers import points, spec_of

Array = NDArray[np.float64]
SHAPES = ((4, 6), (6, 4), (5, 2, 3, 3), (20, 2, 3, 3), (1, 3))


def weight_of(*dims: int, seed: int = 0) -> Tensor:
    return torch.randn(*dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def rows(w: Tensor) -> Array:
    return np.asarray(w.detach().numpy().reshape(len(w), -1))


def orthogonality(w: Array) -> tuple[float, Array]:
    tall = w if w.shape[0] >= w.shape[1] else w.T
    gap = tall.T @ tall - np.eye(tall.shape[1])
    slope = 4 * tall @ gap
    return float((gap**2).sum()), slope if w.shape[0] >= w.shape[1] else slope.T


TERMS: dict[str, Callable[[Array], tuple[float, Array]]] = {
    "l1": lambda w: (float(np.abs(w).sum()), np.sign(w)),
    "l2": lambda w: (float((w**2).sum() / 2), w),
    "group": lambda w: (
        float(sum(np.sqrt((row**2).sum()) for row in w)),
        np.stack([row / np.sqrt((row**2).sum()) for row in w]),
    ),
    "orthogonal": orthogonality,
}


@pytest.mark.parametrize("dims", SHAPES)
@pytest.mark.parametrize("kind", list(TERMS))
def test_value_and_gradient_of_a_term(kind: str, dims: tuple[int, ...]) -> None:
    w = weight_of(*dims).requires_grad_()
    value = make("penalties", kind, strength=0.3).value(w)
    (slope,) = torch.autograd.grad(value, w)
    expected, gradient = TERMS[kind](rows(w))
    assert value.item() == pytest.approx(0.3 * expected, rel=1e-12)
    np.testing.assert_allclose(rows(slope), 0.3 * gradient, rtol=1e-10, atol=1e-12)


def test_rows_of_zeros_have_no_group_gradient() -> None:
    w = torch.zeros(3, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(make("penalties", "group", strength=1.0).value(w), w)
    assert torch.equal(slope, torch.zeros(3, 4))


@pytest.mark.parametrize("dims", SHAPES)
def test_orthonormal_weights_of_any_shape_have_no_orthogonal_penalty(dims: tuple[int, ...]) -> None:
    w = weight_of(*dims)
    left, _, right = torch.linalg.svd(w.flatten(1), full_matrices=False)
    assert float(make("penalties", "orthogonal", strength=1.0).value((left @ right).view(dims))) < 1e-25


def after(kind: str, w: Tensor, **fields: Any) -> Array:
    w = w.clone()
    make("penalties", kind, **fields).apply(w)
    return rows(w)


@pytest.mark.parametrize("dims", SHAPES)
def test_rows_are_no_longer_than_max_norm(dims: tuple[int, ...]) -> None:
    w = weight_of(*dims)
    norms = np.linalg.norm(rows(w), axis=1, keepdims=True)
    bound = float(np.median(norms))
    expected = np.where(norms > bound, rows(w) * bound / norms, rows(w))
    np.testing.assert_allclose(after("max_norm", w, bound=bound), expected, rtol=1e-12)


@pytest.mark.parametrize("dims", SHAPES)
@pytest.mark.parametrize("epsilon", [0.05, 1.0])
def test_singular_values_are_clipped_and_directions_kept(dims: tuple[int, ...], epsilon: float) -> None:
    w = weight_of(*dims)
    left, values, right = np.linalg.svd(rows(w), full_matrices=False)
    found = after("singular_value_bounding", w, epsilon=epsilon)
    expected = left @ np.diag(np.clip(values, 1 / (1 + epsilon), 1 + epsilon)) @ right
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.linalg.cond(found) <= (1 + epsilon) ** 2 * (1 + 1e-12)


@pytest.mark.parametrize("dims", SHAPES)
def test_renormalised_weights(dims: tuple[int, ...]) -> None:
    by_row, by_matrix = (np.linalg.svd(after("unit_norm", weight_of(*dims), of=of))[1] for of in ("rows", "spectral"))
    assert (by_row**2).sum() == pytest.approx(dims[0])
    assert by_matrix[0] == pytest.approx(1)


@pytest.mark.parametrize(
    ("kind", "fields"), [("max_norm", {"bound": 1.0}), ("unit_norm", {}), ("unit_norm", {"of": "spectral"})]
)
def test_weights_of_zero_stay_zero(kind: str, fields: dict[str, Any]) -> None:
    assert not after(kind, torch.zeros(3, 4), **fields).any()


def stepper(net: nn.Module, *penalties: Any, rule: Any = None, **options: Any) -> Stepper:
    rule = rule or make("optimizers", "sgd", lr=1.0)
    found = Penalties(penalties, net, rule.proximal)
    optimizer = rule.build(parameter_groups(net, rule, found.prox))
    objective = Objective([make("losses", "cross_entropy")])
    return Stepper(net, objective, optimizer, seed=0, device=torch.device("cpu"), penalties=found, **options)


@pytest.mark.parametrize("parts", [1, 3])
def test_a_step_adds_the_gradient_once_and_tells_the_loss_of_the_data(parts: int) -> None:
    plain, net = net_of(), net_of()
    loss, _ = stepper(plain)(batch_of(), 0, rate=0.1)
    terms = (make("penalties", "l1", strength=0.2), make("penalties", "l2", strength=0.5, layers=("2",)))
    told, _ = stepper(net, *terms, accumulate=parts)(batch_of(), 0, rate=0.1)
    assert told.item() == pytest.approx(loss.item(), rel=1e-12)
    for (name, p), q, start in zip(net.named_parameters(), plain.parameters(), net_of().parameters(), strict=True):
        extra = 0.2 * start.sign() + (0.5 * start if name == "2.weight" else 0)
        expected = q - 0.1 * extra if start.dim() == 2 else q
        torch.testing.assert_close(p, expected, rtol=1e-10, atol=1e-12)


def test_weight_decay_and_l2_are_one_step() -> None:
    decayed, penalised = net_of(), net_of()
    stepper(decayed, rule=make("optimizers", "sgd", lr=1.0, weight_decay=0.3))(batch_of(), 0, rate=0.1)
    stepper(penalised, make("penalties", "l2", strength=0.3))(batch_of(), 0, rate=0.1)
    for p, q in zip(decayed.parameters(), penalised.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


def test_a_proximal_optimiser_takes_prox_in_place_of_gradients() -> None:
    plain, net = net_of(), net_of()
    rule = make("optimizers", "apg", lr=1.0)
    stepper(plain, rule=rule)(batch_of(), 0, rate=0.1)
    stepper(net, make("penalties", "l2", strength=1.0), make("penalties", "l1", strength=2.0), rule=rule)(
        batch_of(), 0, 0.1
    )
    for p, q in zip(net.parameters(), plain.parameters(), strict=True):
        threshold = q.sign() * (q.abs() - 0.2).clamp(min=0) / 1.1
        torch.testing.assert_close(p, threshold if p.dim() == 2 else q)
    assert (net.get_parameter("0.weight") == 0).any()


def test_constraints_come_after_every_so_many_steps() -> None:
    net = net_of()
    step = stepper(net, make("penalties", "max_norm", bound=0.1, every=3, layers=("0",)))
    longest = []
    for number in range(6):
        step(batch_of(), number, rate=0.1)
        longest.append(net.get_parameter("0.weight").norm(dim=1).max().item())
    assert [length <= 0.1 + 1e-12 for length in longest] == [False, False, True, False, False, True]
    assert net.get_parameter("2.weight").norm(dim=1).max() > 0.1


def test_a_closure_sees_the_penalty() -> None:
    net = net_of()
    rule = make("optimizers", "lbfgs")
    step = stepper(net, make("penalties", "l2", strength=3.0), rule=rule, closure=True)
    for number in range(60):
        step(batch_of(), number, rate=rule.lr)
    twin = net_of()
    twin.load_state_dict(net.state_dict())
    loss = nn.functional.cross_entropy(twin(batch_of().inputs["input"]), batch_of().target)
    torch.autograd.backward(loss + 1.5 * sum(p.square().sum() for p in twin.parameters() if p.dim() == 2))
    assert max(float(p.grad.abs().max()) for p in twin.parameters() if p.grad is not None) < 1e-6


def test_a_penalty_that_is_not_finite_stops_before_the_weights_change() -> None:
    net = net_of()
    before = [p.clone() for p in net.parameters()]
    with pytest.raises(NotFinite, match="the penalty is inf in step 3"):
        stepper(net, make("penalties", "l2", strength=1e308), make("penalties", "l1", strength=1e308))(
            batch_of(), 2, 0.1
        )
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), before, strict=True))


def test_frozen_layers_and_biases_are_left_alone() -> None:
    net = net_of()
    net[0].requires_grad_(False)
    assert [tuple(p.shape) for p in weights_of(net)] == [(3, 5)]
    assert list(weights_of(net, ["0"])) == []


def test_a_path_stands_for_all_inside_and_for_no_other_that_begins_alike() -> None:
    net = nn.ModuleDict({"a": nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4)), "ab": nn.Linear(2, 5)})
    assert [len(p) for p in weights_of(net, ["a"])] == [3, 4]
    assert [len(p) for p in weights_of(net, ["a.1", "ab"])] == [4, 5]


@pytest.mark.parametrize("kind", kinds_of("layers", Layer))
def test_check_knows_which_layers_have_weights(kind: str) -> None:
    cls = find("layers", kind)
    assert cls is not None
    for example in cls.examples:
        assert example.input is not None
        x, component = Shape(example.input, example.tokens, example.vocabulary), layer(example.yaml)
        assert has_weights(component, x) == any(True for _ in weights_of(materialise(component, x)))


def test_every_member_of_an_ensemble_is_penalised() -> None:
    recipe: dict[str, Any] = {"bagging": 2, "penalties": [{"max_norm": {"bound": 0.1, "layers": ["linear1"]}}]}
    graph = build(spec_of(layers=[{"linear": 4}, "relu", {"linear": 3}], **recipe))
    assert len(list(weights_of(compile_whole(graph), ["linear1"]))) == 2


@pytest.mark.parametrize(
    ("penalties", "messages"),
    [
        ([{"l1": {"strength": 1, "layers": ["liner1"]}}], [("there is no layer `liner1`", "did you mean `linear1`?")]),
        (
            [{"l1": {"strength": 1, "layers": ["linear1", "batch_norm1"]}}],
            [
                (
                    "`batch_norm1` has no weights: biases, gains and shifts are not penalised",
                    "layers with weights that learn: linear1, linear2",
                )
            ],
        ),
    ],
)
def test_layers_named_in_vain(penalties: list[Any], messages: list[tuple[str, str]]) -> None:
    with pytest.raises(SpecError) as caught:
        build(spec_of(data=points(), penalties=penalties))
    assert [(p.message, p.hint) for p in caught.value.problems] == messages
    assert all(p.position.line is not None for p in caught.value.problems)
