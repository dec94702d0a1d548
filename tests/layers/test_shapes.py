"""Shape formulas against torch and the lecture notes' figures."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from nnctl.kinds.layers.base import Shape, ShapeError
from tests.components import image, layer, materialise, normal, tokens

GRID = list(product(range(1, 10), range(1, 5), range(1, 4), range(3), range(1, 3)))


def slid(text: str, rows: list[list[int]], kernel: list[list[int]] | None = None) -> list[list[int]]:
    """Return what the layer makes of one image, as whole numbers."""
    batch = torch.tensor(rows, dtype=torch.float32)[None, None]
    module = materialise(layer(text), image(*batch.shape[1:]))
    if kernel is not None:
        module.load_state_dict({"weight": torch.tensor(kernel, dtype=torch.float32)[None, None]})
    result: list[list[int]] = module(batch)[0, 0].int().tolist()
    return result


def torch_shape(module: nn.Module, *dims: int) -> tuple[int, ...] | None:
    """Return the shape that torch computes, without the batch; None where torch refuses the input."""
    try:
        return tuple(module.to("meta")(torch.empty(2, *dims, device="meta")).shape[1:])
    except RuntimeError:
        return None


def declared_shape(text: str, x: Shape) -> tuple[int, ...] | None:
    try:
        return layer(text).output(x).dims
    except ShapeError:
        return None


def test_conv_shapes_are_torchs() -> None:
    for size, kernel, stride, padding, dilation in GRID:
        text = f"conv: {{channels: 1, kernel: {kernel}, stride: {stride}, padding: {padding}, dilation: {dilation}}}"
        with torch.device("meta"):
            module = nn.Conv1d(1, 1, kernel, stride, padding, dilation)
        assert declared_shape(text, image(1, size)) == torch_shape(module, 1, size), (text, size)


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(("kind", "pool"), [("max_pool", nn.MaxPool1d), ("avg_pool", nn.AvgPool1d)])
def test_pool_shapes_are_torchs(kind: str, pool: type[nn.Module], ceil: bool) -> None:
    for size, kernel, stride, padding, _ in GRID:
        text = f"{kind}: {{kernel: {kernel}, stride: {stride}, padding: {padding}, ceil: {str(ceil).lower()}}}"
        module = pool(kernel, stride, padding, ceil_mode=ceil)
        assert declared_shape(text, image(1, size)) == torch_shape(module, 1, size), (text, size)


def test_axes_are_reckoned_one_by_one() -> None:
    text = "conv: {channels: 4, kernel: [3, 2, 1], stride: [1, 2, 3], padding: [0, 1, 0], dilation: [2, 1, 1]}"
    with torch.device("meta"):
        module = nn.Conv3d(2, 4, (3, 2, 1), (1, 2, 3), (0, 1, 0), (2, 1, 1))
    assert layer(text).output(image(2, 9, 8, 7)).dims == torch_shape(module, 2, 9, 8, 7)


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (5, 1), (3, 2), (5, 3), (7, 1)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_leaves_the_size_over_the_stride(kernel: int, dilation: int, stride: int) -> None:
    text = f"conv: {{channels: 1, kernel: {kernel}, dilation: {dilation}, stride: {stride}}}"
    for size in range(1, 12):
        assert layer(text).output(image(1, size)).dims == (1, -(-size // stride))


@pytest.mark.parametrize("kernel", [2, 4])
def test_same_padding_adds_nothing_to_even_kernels(kernel: int) -> None:
    # also where dilation would make the padding whole
    for dilation in (1, 2):
        text = f"conv: {{channels: 1, kernel: {kernel}, dilation: {dilation}}}"
        assert layer(text).output(image(1, 12)).dims == (1, 12 - dilation * (kernel - 1))


@pytest.mark.parametrize(
    ("fields", "size"),
    [("padding: 0", 6), ("padding: 1", 8), ("padding: 1, stride: 2", 4)],
)
def test_sizes_of_the_notes(fields: str, size: int) -> None:
    assert layer(f"conv: {{channels: 5, {fields}}}").output(image(3, 8, 8)).dims == (5, size, size)


def test_conv_parameters_of_the_notes() -> None:
    # (k² c_in + 1) c_out; GoogLeNet's 5×5 costs a fifth behind a 1×1
    assert layer("conv: {channels: 32, kernel: 5}").parameters(image(192, 28, 28)) == 153_632
    squeezed = layer("conv: {channels: 32, kernel: 1}").parameters(image(192, 28, 28))
    assert squeezed + layer("conv: {channels: 32, kernel: 5}").parameters(image(32, 28, 28)) == 31_808


def test_conv_of_the_notes_small_image() -> None:
    rows = [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert slid("conv: {channels: 1, kernel: 2, bias: false}", rows, [[0, 1], [2, 3]]) == [[19, 25], [37, 43]]


def test_max_pool_of_the_notes() -> None:
    assert slid("max_pool: 2", [[3, 4, 6, 5], [2, 4, 6, 8], [1, 6, 7, 5], [9, 7, 4, 6]]) == [[4, 8], [9, 7]]


def test_filter_of_the_notes_on_six_by_six() -> None:
    ones = {(0, 0), (0, 5), (1, 1), (1, 4), (2, 2), (2, 3), (3, 0), (3, 4), (4, 1), (4, 4), (5, 2), (5, 4)}
    rows = [[int((row, column) in ones) for column in range(6)] for row in range(6)]
    diagonal = [[1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    plain = slid("conv: {channels: 1, padding: 0, bias: false}", rows, diagonal)
    assert plain == [[3, -1, -3, -1], [-3, 1, 0, -3], [-3, -3, 0, 1], [3, -2, -2, -1]]
    assert slid("conv: {channels: 1, padding: 0, stride: 2, bias: false}", rows, diagonal) == [[3, -3], [-3, 0]]
    assert slid("max_pool: 2", plain) == [[3, 0], [3, 1]]


@pytest.mark.parametrize("mode", ["circular", "reflect"])
@pytest.mark.parametrize("dims", [(2, 6), (2, 5, 6), (2, 4, 5, 6)])
def test_padding_modes_are_numpys(mode: str, dims: tuple[int, ...]) -> None:
    batch = normal(2, *dims)
    widths = [(0, 0), (0, 0), *[(2, 2)] * (len(dims) - 1)]
    padded = np.pad(batch.numpy(), widths, mode="wrap" if mode == "circular" else "reflect")
    module = materialise(layer(f"conv: {{channels: 3, kernel: 5, padding_mode: {mode}}}"), image(*dims))
    plain = materialise(layer("conv: {channels: 3, kernel: 5, padding: 0}"), image(*padded.shape[1:]))
    plain.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(batch), plain(torch.from_numpy(padded)))


def test_shift_of_the_image_shifts_a_circular_conv() -> None:
    batch = normal(1, 2, 6, 6)
    module = materialise(layer("conv: {channels: 3, padding_mode: circular}"), image(2, 6, 6))
    torch.testing.assert_close(module(batch.roll((1, 2), (2, 3))), module(batch).roll((1, 2), (2, 3)))


@pytest.mark.parametrize(
    "text",
    [
        "conv: {channels: 1, kernel: 5}",
        "conv: {channels: 1, kernel: 3, dilation: 3}",
        "conv: {channels: 1, kernel: 4, stride: 2, padding: 1}",
        "avg_pool: {kernel: 3, stride: 1}",
        "avg_pool: 2",
        "adaptive_avg_pool: 3",
        "adaptive_avg_pool: 5",
        "adaptive_avg_pool: 20",
    ],
)
def test_window_is_what_an_output_depends_on(text: str) -> None:
    component, x = layer(text), image(1, 16)
    module = materialise(component, x)
    batch = normal(1, 1, 16).requires_grad_()
    rows = [torch.autograd.grad(value, batch, retain_graph=True)[0] for value in module(batch).flatten()]
    seen = [row.flatten().nonzero().flatten() for row in rows]
    window = component.window(x)
    assert max(int(places[-1] - places[0]) + 1 for places in seen) == window.extent[0]
    middle = len(seen) // 2
    if "adaptive" not in text:
        assert int(seen[middle + 1][0] - seen[middle][0]) == window.stride[0]


def test_adaptive_windows_are_the_widest_of_their_definition() -> None:
    for before, after in product(range(1, 25), range(1, 25)):
        window = layer(f"adaptive_max_pool: {after}").window(image(1, before))
        starts = [i * before // after for i in range(after)]
        ends = [-(-(i + 1) * before // after) for i in range(after)]
        assert window.extent == (max(end - start for start, end in zip(starts, ends, strict=True)),)
        if before % after == 0:
            assert window.stride == (before // after,)
        elif before < after:
            assert window.stride == (1,)


def test_layers_that_mix_all_of_space_say_so() -> None:
    for text in ("flatten", "global_avg_pool", "global_max_pool", "reshape: [60]"):
        x = image(1, 5, 12)
        assert layer(text).window(x).extent == (5, 12)


def test_global_pools_are_numpys() -> None:
    batch = normal(2, 3, 4, 5)
    flat = batch.numpy().reshape(2, 3, -1)
    mean = materialise(layer("global_avg_pool"), image(3, 4, 5))(batch)
    torch.testing.assert_close(mean, torch.from_numpy(flat.mean(-1)))
    largest = materialise(layer("global_max_pool"), image(3, 4, 5))(batch)
    assert torch.equal(largest, torch.from_numpy(flat.max(-1)))


def test_linear_acts_on_each_token() -> None:
    component, x = layer("linear: 4"), tokens(5, 3)
    assert component.output(x) == Shape((5, 4), tokens=True)
    assert component.parameters(x) == 3 * 4 + 4
    assert component.macs(x) == 5 * 3 * 4
    module, batch = materialise(component, x), normal(2, 5, 3)
    weight, bias = (tensor.numpy() for tensor in module.state_dict().values())
    torch.testing.assert_close(module(batch), torch.from_numpy(batch.numpy() @ weight.T + bias))


def test_reshape_keeps_the_order_of_numbers() -> None:
    x = image(2, 4, 3)
    component = layer("reshape: {tokens: 4, features: 6}")
    assert component.output(x) == Shape((4, 6), tokens=True)
    batch = normal(2, *x.dims)
    rows = batch.numpy().reshape(2, 4, 6)
    assert torch.equal(materialise(component, x)(batch), torch.from_numpy(rows))
    assert layer("flatten").output(tokens(4, 6)) == Shape((24,))


def test_scale_starts_as_nothing_and_learns_along_its_channels() -> None:
    for x, shape in ((image(3, 2, 2), (3, 1, 1)), (tokens(2, 3), (1, 3))):
        batch, values = normal(2, *x.dims), torch.tensor([1.0, 2.0, 3.0])
        for form, name in (("bias", "bias"), ("multiplier", "weight")):
            module = materialise(layer(f"scale: {{form: {form}, per: channel}}"), x)
            assert torch.equal(module(batch), batch)
            module.load_state_dict({name: values})
            along = values.view(shape)
            assert torch.equal(module(batch), batch + along if form == "bias" else batch * along)


def test_dropout_by_p_and_by_keep_are_one() -> None:
    batch = torch.ones(1, 100_000)
    for text in ("dropout: 0.2", "dropout: {keep: 0.8}", "spatial_dropout: 0.2"):
        x = image(100_000, 1) if "spatial" in text else image(100_000)
        module = materialise(layer(text), x)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            result = module(batch.view(1, *x.dims))
        assert set(result.unique().tolist()) == {0.0, 1.25}
        assert (result == 0).double().mean().item() == pytest.approx(0.2, abs=0.005)
        assert torch.equal(module.eval()(batch), batch)


def test_spatial_dropout_drops_whole_channels() -> None:
    for dims in ((50, 4), (50, 3, 3), (50, 2, 2, 2)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            result = materialise(layer("spatial_dropout: 0.5"), image(*dims))(torch.ones(2, *dims)).flatten(2)
        assert (result == result[:, :, :1]).all()
        assert 0 < (result[:, :, 0] == 0).sum() < 100


@pytest.mark.parametrize("dims", [(3,), (3, 5), (3, 4, 4), (3, 2, 3, 2)])
def test_batch_norm_is_its_formula(dims: tuple[int, ...]) -> None:
    batch = normal(8, *dims, dtype=torch.float64) * 3 + 2
    module = materialise(layer("batch_norm: {eps: 0.01, momentum: 0.3}"), image(*dims)).double()
    axes = [0, *range(2, batch.dim())]
    values = batch.numpy()
    mean, variance = values.mean(tuple(axes), keepdims=True), values.var(tuple(axes), keepdims=True)
    expected = (values - mean) / (variance + 0.01) ** 0.5
    torch.testing.assert_close(module(batch).detach(), torch.from_numpy(expected))
    count = batch.numel() // 3
    state = module.state_dict()
    torch.testing.assert_close(state["running_mean"], torch.from_numpy(0.3 * mean.ravel()))
    unbiased = variance.ravel() * count / (count - 1)
    torch.testing.assert_close(state["running_var"], torch.from_numpy(0.7 + 0.3 * unbiased))
    assert list(state) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
