"""Training that starts with weights from a file, and layers that do not learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
import torchvision
from torch import Tensor, nn

import nnctl
from nnctl.checkpoint import read_weights
from nnctl.errors import CheckpointError, NnctlError, SpecError
from nnctl.graph.build import build, build_file
from nnctl.network.compile import compile_graph, compile_model, starting_network
from nnctl.training.run import train
from tests.training.helpers import Failure, Listener, StopAt, last_tensors, points, spec_of

ROOT = Path(__file__).parent.parent.parent
HIDDEN: list[Any] = [{"linear": 6}, "batch_norm", "relu", {"linear": 5}, "relu", {"linear": 3}]
"""A file's network: two inputs, three classes."""


def reference(classes: int = 3) -> nn.Sequential:
    """The same network as one would write it in torch, with statistics that are not those of a fresh norm."""
    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Linear(2, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, classes)
    )
    net(3 * torch.randn(40, 2) + 1)
    return net


def saved(path: Path, net: nn.Module | None = None) -> Path:
    torch.save((net or reference()).state_dict(), path)
    return path


def model(file: Path | str, **fields: str) -> list[str]:
    more = "".join(f", {key}: {value}" for key, value in fields.items())
    return [f"model.pretrained={{file: '{file}'{more}}}"]


def written(folder: Path, *overrides: str) -> Path:
    """Return the file of a spec, for what depends on where it is written."""
    text = nnctl.spec.resolved.to_yaml(spec_of(overrides, layers=HIDDEN))
    (folder / "spec.yaml").write_text(text)
    return folder / "spec.yaml"


# what goes where


def test_by_order_the_network_is_the_files(tmp_path: Path) -> None:
    net = compile_model(spec_of(model(saved(tmp_path / "net.pth"), match="order"), layers=HIDDEN)).eval()
    x = torch.randn(9, 2)
    torch.testing.assert_close(net(x), reference().eval()(x), rtol=0, atol=0)


def test_torchvisions_resnet_by_order(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs = torchvision.models.resnet18().eval()
    overrides = ["model.input=[3,32,32]", *model(saved(tmp_path / "resnet18.pth", theirs), match="order")]
    net, transfer = starting_network(build_file(ROOT / "specs" / "imagenet" / "resnet18.yaml", overrides))
    x = torch.randn(2, 3, 32, 32)
    expected = theirs(x)
    assert (net.eval()(x) - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert transfer is not None
    assert transfer.fresh == transfer.left == ()


def test_files_without_counters_fit_by_order(tmp_path: Path) -> None:
    tensors = {name: t for name, t in reference().state_dict().items() if "tracked" not in name}
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "old.pth")
    net = compile_model(spec_of(model(tmp_path / "old.pth", match="order"), layers=HIDDEN)).eval()
    x = torch.randn(9, 2)
    torch.testing.assert_close(net(x), reference().eval()(x), rtol=0, atol=0)


@pytest.mark.parametrize("head", [[{"linear": 4}], [{"linear": 7}, "relu", {"linear": 3}]])
def test_a_new_head_by_order_starts_as_it_would_without_a_file(tmp_path: Path, head: list[Any]) -> None:
    layers = [*HIDDEN[:-1], *head]
    new = "[linear3, linear4]" if len(head) > 1 else "[linear3]"
    spec = spec_of(model(saved(tmp_path / "net.pth"), match="order", new=new), layers=layers)
    net, transfer = starting_network(build(spec))
    fresh = compile_graph(build(spec)).state_dict()
    theirs = list(reference().state_dict().values())
    for number, (name, tensor) in enumerate(net.state_dict().items()):
        body = number < len(theirs) - 2
        assert torch.equal(tensor, theirs[number] if body else fresh[name]), name
    assert transfer is not None
    assert set(transfer.fresh) == {name for name in fresh if name.startswith(("linear3", "linear4"))}
    assert transfer.left == ("5.weight", "5.bias")


def test_by_name_what_the_file_lacks_starts_afresh(tmp_path: Path) -> None:
    train(spec_of(layers=HIDDEN, epochs=1), run=tmp_path / "run")
    trained = read_weights(tmp_path / "run").tensors
    layers = [*HIDDEN[:-1], {"linear": {"features": 3, "name": "head"}}]
    listener = Listener()
    spec = spec_of(model(tmp_path / "run"), layers=layers, optimizer={"sgd": 1e-9}, epochs=1)
    train(spec, run=tmp_path / "tuned", reporter=listener)
    net, transfer = starting_network(build(spec))
    for name, tensor in net.state_dict().items():
        expected = compile_graph(build(spec)).state_dict()[name] if name.startswith("head") else trained[name]
        assert torch.equal(tensor, expected), name
    assert transfer is not None
    assert transfer.fresh == ("head.weight", "head.bias")
    assert listener.notes[0] == f"pretrained: 9 of 11 tensors from {tmp_path / 'run' / 'best.safetensors'}"
    assert "  linear1.weight                   ← linear1.weight (6, 2)" in listener.notes
    assert "  head.weight                      new (3, 5)" in listener.notes
    assert listener.notes[-1] == "  not used: linear3.weight, linear3.bias"
    started = last_tensors(tmp_path / "tuned")["model:linear1.weight"]
    torch.testing.assert_close(started, trained["linear1.weight"])


def test_nnctls_own_files_keep_their_order(tmp_path: Path) -> None:
    train(spec_of(layers=HIDDEN, epochs=1), run=tmp_path / "run")
    renamed = [{"linear": {"features": 6, "name": "zeta"}}, *HIDDEN[1:]]
    net = compile_model(spec_of(model(tmp_path / "run", match="order"), layers=renamed))
    trained = read_weights(tmp_path / "run").tensors
    assert torch.equal(net.get_parameter("zeta.weight"), trained["linear1.weight"])


# refusals


REFUSED: dict[str, tuple[dict[str, str], list[Any], str]] = {
    "another shape by order": (
        {"match": "order"},
        [{"linear": 7}, *HIDDEN[1:]],
        "pretrained weights for 3 layers have another shape",
    ),
    "more tensors": ({"match": "order"}, HIDDEN[:-2], "they cannot be matched by order"),
    "fewer tensors": ({"match": "order"}, [*HIDDEN, "relu", {"linear": 3}], "they cannot be matched by order"),
    "no name in common": ({"match": "name"}, HIDDEN, "no tensor of the file has the path of a layer"),
}


@pytest.mark.parametrize(("fields", "layers", "message"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(tmp_path: Path, fields: dict[str, str], layers: list[Any], message: str) -> None:
    spec = spec_of(model(saved(tmp_path / "net.pth"), **fields), layers=layers)
    with pytest.raises(SpecError, match=message):
        train(spec, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_refusal_names_tensor_shapes_and_cure(tmp_path: Path) -> None:
    spec = spec_of(model(saved(tmp_path / "net.pth"), match="order"), layers=[*HIDDEN[:-1], {"linear": 4}])
    with pytest.raises(SpecError) as caught:
        compile_model(spec)
    problem = caught.value.problems[0]
    assert problem.details == (
        "linear3.weight (4, 5) here, 5.weight (3, 5) in the file",
        "linear3.bias (4,) here, 5.bias (3,) in the file",
    )
    assert problem.hint == "to train it from the start, write `pretrained: {…, new: [linear3]}`"


def test_a_file_of_another_network_is_one_mistake(tmp_path: Path) -> None:
    file = saved(tmp_path / "resnet18.pth", torchvision.models.resnet18())
    narrow = ["model.input=[3,32,32]", "model.layers[0].conv.channels=32", "model.layers[4].stage.channels=32"]
    overrides = [*narrow, *model(file, match="order")]
    with pytest.raises(SpecError) as caught:
        starting_network(build_file(ROOT / "specs" / "imagenet" / "resnet18.yaml", overrides))
    (found,) = caught.value.problems
    assert found.details[0] == "conv1.weight (32, 3, 7, 7) here, conv1.weight (64, 3, 7, 7) in the file"
    unlike = 1 + 4 + 4 * (1 + 4) + 2  # the stem and its norm, the first stage, what reads it: conv and shortcut
    assert (len(found.details), found.details[-1]) == (6, f"and {unlike - 5} more")
    assert found.message == "pretrained weights for 12 layers have another shape"


def test_check_counts_the_layers_that_do_not_fit(tmp_path: Path) -> None:
    tensors = {f"linear{number}.weight": torch.zeros(99) for number in (1, 2, 3)}
    safetensors.torch.save_file(tensors, tmp_path / "net.safetensors")
    with pytest.raises(SpecError) as caught:
        build_file(written(tmp_path, *model(tmp_path / "net.safetensors")))
    (found,) = caught.value.problems
    assert found.message == "3 pretrained layers have other numbers of parameters than here"
    assert found.details == tuple(f"linear{n}: 99 in the file, {own} here" for n, own in ((1, 18), (2, 35), (3, 18)))
    assert found.hint == "to train them from the start, write `pretrained: {…, new: [linear1, linear2, linear3]}`"


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this must never run",)


def test_no_file_runs_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"weight": Code()}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointError, match=r"cannot use .*evil\.pth"):
        compile_model(spec_of(model(tmp_path / "evil.pth"), layers=HIDDEN))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"not a zip", b"\x80\x02}q\x00."])
@pytest.mark.parametrize("name", ["net.pth", "net.safetensors"])
def test_broken_files_are_told(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NnctlError, match=str(tmp_path / name)):
        compile_model(spec_of(model(tmp_path / name), layers=HIDDEN))


# at check, without torch


def problems(path: Path, *overrides: str) -> list[tuple[int | None, str]]:
    with pytest.raises(SpecError) as caught:
        build_file(path, overrides)
    return [(problem.position.line, problem.message) for problem in caught.value.problems]


def test_check_finds_a_missing_file_and_unknown_paths_with_their_lines(tmp_path: Path) -> None:
    overrides = [*model("gone.pth", new="[linaer3]"), "model.freeze=[linear1, nowhere]"]
    path = written(tmp_path, *overrides)
    lines = path.read_text().splitlines()
    where = {key: next(n for n, line in enumerate(lines, 1) if key in line) for key in ("gone", "linaer", "nowhere")}
    assert problems(path) == [
        (where["gone"], f"there is no file {Path('gone.pth').absolute()}"),
        (where["linaer"], "there is no layer `linaer3`"),
        (where["nowhere"], "there is no layer `nowhere`"),
    ]


def test_a_relative_file_starts_at_the_spec(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text().replace("layers:", "pretrained: {file: net.pth, match: order}\n  layers:"))
    saved(tmp_path / "net.pth")
    wanted = build_file(path).spec.model.pretrained
    assert wanted is not None
    assert wanted.file == str(tmp_path / "net.pth")


def test_check_reads_the_header_of_a_safetensors_file(tmp_path: Path) -> None:
    tensors: dict[str, Tensor] = {"linear1.weight": torch.zeros(6, 2), "linear1.bias": torch.zeros(6)}
    tensors |= {"linear3.weight": torch.zeros(3, 9), "linear3.bias": torch.zeros(3)}
    safetensors.torch.save_file(tensors, tmp_path / "net.safetensors")
    path = written(tmp_path, *model(tmp_path / "net.safetensors"))
    assert [message for _, message in problems(path)] == [
        "the pretrained `linear3` has 30 parameters, here it has 18",
    ]
    assert build_file(path, ["model.pretrained.new=[linear3]"]).trainable == 83
    assert [message for _, message in problems(path, "model.pretrained.match=order")] == [
        "the order of the file's tensors is lost: .safetensors sorts them by name"
    ]
    (tmp_path / "net.safetensors").write_bytes(b"\xff" * 40)
    assert "it is not a whole safetensors file" in problems(path)[0][1]


def test_the_resolved_spec_says_it_again(tmp_path: Path) -> None:
    saved(tmp_path / "net.pth")
    overrides = [*model(tmp_path / "net.pth", match="order", new="[linear3]"), "model.freeze=[linear1]"]
    path = written(tmp_path, *overrides)
    again = build_file(path).spec.model
    assert again.freeze == ("linear1",)
    assert again.pretrained == spec_of(overrides, layers=HIDDEN).model.pretrained


# a run needs the file no longer


def test_resume_eval_and_inspect_do_without_the_file(tmp_path: Path) -> None:
    file = saved(tmp_path / "net.pth")
    overrides = [*model(file, match="order"), "model.freeze=[linear1, batch_norm1]"]
    spec = spec_of(overrides, layers=HIDDEN, checkpoint={"every": 2}, ema=0.9)
    whole = train(spec, run=tmp_path / "whole")
    with pytest.raises(Failure):
        train(spec, run=tmp_path / "cut", reporter=StopAt(9))
    file.unlink()
    resumed = train(build_file(tmp_path / "cut" / "spec.yaml", fresh=False), run=tmp_path / "cut", resume=True)
    assert resumed.metrics == whole.metrics
    assert nnctl.evaluate(tmp_path / "cut", split="validation").agrees_with_log
    assert nnctl.inspect(tmp_path / "cut").layers
    with pytest.raises(SpecError, match="there is no file"):
        train(spec, run=tmp_path / "new")


# freezing


def test_frozen_layers_stay_what_they_were(tmp_path: Path) -> None:
    overrides = ["model.freeze=[block1, linear2]", "train.optimizer.sgd.weight_decay=0.1"]
    layers = [{"linear": {"features": 6, "name": "block1"}}, *LAYERS_BEHIND]
    spec = spec_of(overrides, layers=layers)
    start = compile_graph(build(spec)).state_dict()
    train(spec, run=tmp_path / "run")
    for name, tensor in last_tensors(tmp_path / "run").items():
        group, _, path = name.partition(":")
        frozen = path.startswith(("block1", "linear2"))
        if group == "model":
            assert torch.equal(tensor, start[path]) == frozen, path
        assert group != "optimizer" or not frozen, path


LAYERS_BEHIND: list[Any] = ["batch_norm", "relu", {"linear": 5}, "relu", {"linear": 3}]


def test_a_frozen_norm_keeps_its_running_averages_and_uses_them(tmp_path: Path) -> None:
    overrides = [*model(saved(tmp_path / "net.pth"), match="order"), "model.freeze=[linear1, batch_norm1]"]
    net = compile_model(spec_of(overrides, layers=HIDDEN)).train()
    theirs = reference().eval()
    x = torch.randn(1, 2)  # a norm that learnt could not take a single sample
    torch.testing.assert_close(net(x), theirs(x), rtol=0, atol=0)
    for name, tensor in net.get_submodule("batch_norm1").state_dict().items():
        assert torch.equal(tensor, theirs[1].state_dict()[name])
    assert not net.eval().training
    assert net.train().get_submodule("linear2").training
    assert not net.get_submodule("batch_norm1").training


def test_frozen_costs_no_gradient_and_no_state() -> None:
    spec = spec_of(["model.freeze=[linear1, batch_norm1, linear2]"], layers=HIDDEN, optimizer={"adamw": 0.1})
    graph = build(spec)
    assert (graph.parameters, graph.trainable) == (83, 18)
    assert graph.memory.gradients == 4 * 18
    assert graph.memory.optimizer == 2 * 4 * 18
    assert not graph.has_batch_norm
    net = compile_graph(graph)
    assert sum(p.numel() for p in net.parameters() if p.requires_grad) == 18


def test_inspection_shows_frozen_layers_without_gradients() -> None:
    spec = spec_of(["model.freeze=[linear1]"], data=points(), layers=HIDDEN)
    first, *_, last = nnctl.inspect(spec).layers
    assert first.path == "linear1"
    assert first.grad_norm is None
    assert first.update_ratio == 0
    assert last.update_ratio


def test_nothing_left_to_train_is_a_warning_and_no_training(tmp_path: Path) -> None:
    spec = spec_of(["model.freeze=[linear1, batch_norm1, linear2, linear3]"], layers=HIDDEN)
    assert "no-parameters" in [problem.code for problem in build(spec).warnings]
    with pytest.raises(SpecError, match="every layer with weights is frozen"):
        train(spec, run=tmp_path / "run")
