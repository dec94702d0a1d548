"""One optimiser step against the same sums written out."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nnctl.data.split import Batch
from nnctl.objective import Objective, Pass
from nnctl.optim.averaging import Average
from nnctl.optim.clipping import clip_by_norm, clip_by_value
from nnctl.optim.groups import parameter_groups
from nnctl.spec.sections import Clip
from nnctl.step import NotFinite, Stepper
from tests.recipe.helpers import make


def batch_of(n: int = 7) -> Batch:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, 4, generator=generator, dtype=torch.float64)
    return Batch({"input": x}, torch.arange(n) % 3)


def net_of() -> nn.Sequential:
    generator = torch.Generator().manual_seed(2)
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return net


def stepper(net: nn.Module, losses: list[Any] | None = None, **options: Any) -> Stepper:
    rule = make("optimizers", "sgd", lr=1.0)
    optimizer = rule.build(parameter_groups(net, rule))
    objective = Objective(losses or [make("losses", "cross_entropy")])
    return Stepper(net, objective, optimizer, seed=0, device=torch.device("cpu"), **options)


def gradients(net: nn.Module) -> list[Tensor]:
    return [p.grad for p in net.parameters() if p.grad is not None]


def test_a_step_is_plain_gradient_descent() -> None:
    net, twin, batch = net_of(), net_of(), batch_of()
    loss, output = stepper(net)(batch, 0, rate=0.1)
    expected = nn.functional.cross_entropy(twin(batch.inputs["input"]), batch.target)
    torch.autograd.backward(expected)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    torch.testing.assert_close(output, twin(batch.inputs["input"]).detach())
    for p, q in zip(net.parameters(), twin.parameters(), strict=True):
        assert q.grad is not None
        torch.testing.assert_close(p.detach(), q.detach() - 0.1 * q.grad)


@pytest.mark.parametrize("parts", [2, 3, 7, 20])
def test_a_batch_in_parts_is_the_whole(parts: int) -> None:
    whole, cut, batch = net_of(), net_of(), batch_of()
    first = stepper(whole)(batch, 0, rate=0.1)
    second = stepper(cut, accumulate=parts)(batch, 0, rate=0.1)
    torch.testing.assert_close(first, second, rtol=1e-12, atol=1e-14)
    for p, q in zip(whole.parameters(), cut.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


def test_no_part_is_smaller_than_allowed() -> None:
    sizes = []
    net = net_of()
    net.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    stepper(net, accumulate=4, smallest_part=2)(batch_of(5), 0, rate=0.1)
    assert sizes == [2, 3]


def test_terms_are_summed_by_weight_at_their_places() -> None:
    class TwoOutputs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net_of()

        def outputs(self, x: Tensor) -> dict[str, Tensor]:
            return {"output": self.net(x), "side": self.net(x) * 2}

    losses = [
        make("losses", "cross_entropy"),
        make("losses", "cross_entropy", weight=0.3, at="side"),
        make("losses", "l1", weight=0.5, at="side", target="data.extra"),
    ]
    net, batch = TwoOutputs(), batch_of()
    extra = torch.ones(7, 3, dtype=torch.float64)
    z = net.net(batch.inputs["input"]).detach()
    cross = nn.functional.cross_entropy
    expected = cross(z, batch.target) + 0.3 * cross(2 * z, batch.target) + 0.5 * (2 * z - 1).abs().mean()
    objective = Objective(losses)
    outputs = net.outputs(batch.inputs["input"])
    value = objective(Pass(nn.Identity(), Batch({**batch.inputs, "extra": extra}, batch.target), outputs, {}))
    assert value.item() == pytest.approx(expected.item(), rel=1e-12)
    assert len(Objective(losses, missing=["side"]).terms) == 1


@pytest.mark.parametrize("bound", [0.01, 0.5, 100.0])
def test_the_norm_after_clipping_is_the_smaller_of_norm_and_bound(bound: float) -> None:
    before = [torch.randn(3, 4, dtype=torch.float64), torch.randn(5, dtype=torch.float64)]
    after = [g.clone() for g in before]
    norm = clip_by_norm(after, bound)
    expected = torch.cat([g.flatten() for g in before]).norm()
    assert norm.item() == pytest.approx(expected.item())
    factor = min(1.0, bound / expected.item())
    for g, h in zip(before, after, strict=True):
        torch.testing.assert_close(h, g * factor)


def test_gradients_of_zero_stay_zero_under_a_norm() -> None:
    (g,) = gs = [torch.zeros(3)]
    clip_by_norm(gs, 1.0)
    assert torch.equal(g, torch.zeros(3))


def test_clipping_by_value() -> None:
    g = torch.tensor([-3.0, 0.1, 2.0])
    clip_by_value([g], 0.5)
    assert g.tolist() == pytest.approx([-0.5, 0.1, 0.5])


@pytest.mark.parametrize("clip", [Clip(norm=0.05), Clip(value=0.02)])
def test_the_step_clips_the_whole_gradient(clip: Clip) -> None:
    net = net_of()
    stepper(net, clip=clip, accumulate=2)(batch_of(), 0, rate=0.1)
    flat = torch.cat([g.flatten() for g in gradients(net)])
    if clip.norm is not None:
        assert flat.norm().item() == pytest.approx(clip.norm)
    else:
        assert flat.abs().max().item() == clip.value


def test_the_average_follows_its_formula() -> None:
    net = net_of()
    average = Average(net, decay=0.75)
    step = stepper(net, average=average)
    expected = {name: p.detach().clone() for name, p in net.named_parameters()}
    for number in range(4):
        step(batch_of(), number, rate=0.1)
        for name, p in net.named_parameters():
            expected[name] = 0.75 * expected[name] + 0.25 * p.detach()
    for name, tensor in expected.items():
        torch.testing.assert_close(average.tensors[name], tensor)
    own = copy.deepcopy(net.state_dict())
    with average.applied():
        torch.testing.assert_close(dict(net.named_parameters()), expected, check_stride=False)
    assert all(torch.equal(own[name], tensor) for name, tensor in net.state_dict().items())


def test_dropout_is_a_function_of_seed_and_step() -> None:
    def output(seed: int, step: int) -> Tensor:
        net = nn.Sequential(net_of(), nn.Dropout(0.5))
        torch.manual_seed(step + 17)
        s = stepper(net)
        s.seed = seed
        return s(batch_of(), step, rate=0.1)[1]

    assert torch.equal(output(0, 3), output(0, 3))
    assert not torch.equal(output(0, 3), output(0, 4))
    assert not torch.equal(output(0, 3), output(1, 3))


def test_parts_drop_differently() -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 3, dtype=torch.float64))
    one = torch.ones(1, 4, dtype=torch.float64)
    seen: list[Tensor] = []
    net[0].register_forward_hook(lambda module, inputs, output: seen.append(output.detach()))
    stepper(net, accumulate=8)(Batch({"input": one.repeat(8, 1)}, torch.zeros(8, dtype=torch.int64)), 0, rate=0.1)
    assert len({tuple(t.flatten().tolist()) for t in seen}) > 1


def test_weights_are_untouched_by_a_loss_that_is_not_finite() -> None:
    net, batch = net_of(), batch_of()
    batch.inputs["input"][0, 0] = float("nan")
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(NotFinite, match="the loss is nan in step 5"):
        stepper(net)(batch, 4, rate=0.1)
    assert all(torch.equal(before[name], t) for name, t in net.state_dict().items())


def test_bf16_computes_in_bf16_and_keeps_fp32_weights() -> None:
    net = net_of().float()
    batch = batch_of()
    batch = Batch({"input": batch.inputs["input"].float()}, batch.target)
    seen: list[torch.dtype] = []
    net.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    loss, _ = stepper(net, precision="bf16")(batch, 0, rate=0.1)
    assert seen == [torch.bfloat16]
    assert loss.dtype == torch.float32
    assert {p.dtype for p in net.parameters()} == {torch.float32}


def test_a_step_that_fails_leaves_the_weights_of_an_optimiser_that_looks_ahead() -> None:
    net, batch = net_of(), batch_of()
    rule = make("optimizers", "sgd", lr=1.0, momentum=0.9, nesterov=True, form="notes")
    optimizer = rule.build(parameter_groups(net, rule))
    take = Stepper(net, Objective([make("losses", "cross_entropy")]), optimizer, seed=0, device=torch.device("cpu"))
    take(batch, 0, rate=0.1)
    before = [p.detach().clone() for p in net.parameters()]
    broken = Batch({"input": batch.inputs["input"] * float("nan")}, batch.target)
    with pytest.raises(NotFinite):
        take(broken, 1, rate=0.1)
    assert all(torch.equal(p, q) for p, q in zip(net.parameters(), before, strict=True))
