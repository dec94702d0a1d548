"""`landscape`: the surface of the loss around trained weights, and its curvature there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nnctl.data.progress import Progress, silent
from nnctl.device import reproducible, resolve_device
from nnctl.diagnosis.gradient.case import LossFunction
from nnctl.diagnosis.surface.barrier import barrier_of
from nnctl.diagnosis.surface.batch_norm import norms_of
from nnctl.diagnosis.surface.convexity import is_nonconvex
from nnctl.diagnosis.surface.curvature import curvature_of
from nnctl.diagnosis.surface.drawing import draw_landscape
from nnctl.diagnosis.surface.files import check_own, write_picture
from nnctl.diagnosis.surface.result import BatchNorm, Curvature, LandscapeResult
from nnctl.diagnosis.surface.sampling import Measured, describe, measure_slice, wish_of
from nnctl.diagnosis.surface.setting import Setting, check_same, setting_of_module, setting_of_spec
from nnctl.errors import Problem, UsageError
from nnctl.spec.sections import Spec

SAMPLES, STEPS, TOP = 1024, 40, 3


def landscape(
    target: str | Path | Spec | nn.Module,
    spec: Spec | str | Path | tuple[Any, Any] | None = None,
    loss: LossFunction | None = None,
    *,
    to: str | Path | None = None,
    dims: int | None = None,
    points: int | None = None,
    span: float = 1.0,
    weights: bool = False,
    batch_norm: BatchNorm = "frozen",
    surface: bool = True,
    curvature: bool = True,
    top: int = TOP,
    steps: int = STEPS,
    samples: int = SAMPLES,
    seed: int = 0,
    overrides: Sequence[str] = (),
    device: str = "auto",
    folder: str | Path | None = None,
    progress: Progress = silent,
) -> LandscapeResult:
    """Measure a network's loss on a slice through its weights, and the eigenvalues of its Hessian.

    `target` is a checkpoint or run directory, a spec (fresh weights), a network beside its `spec`, or any module beside
    a batch `(x, y)` and a `loss`. The slice leads along `dims` filter-normalised random directions of `seed`, with
    `points` from −`span` to `span` on each axis; with `weights` over both weights of a network of two; with `to` along
    the line from one checkpoint, at 0, to another, at 1. Dropout is off; batch norm uses its running statistics, or
    with `batch_norm="recalibrate"` those measured afresh at each point.

    Curvature is that of the loss at the weights, in float64 on a CPU: the `top` largest and smallest eigenvalues from
    `steps` Lanczos steps, each with a bound, and their density. Both use `samples` training samples, not augmented.

    With a `folder`, losses are written there as they are measured, so that a call that was stopped goes on where it
    was, and the sheet as SVG and PNG. Raises SpecError, CheckpointError, DataError or UsageError where one of them
    cannot be used.
    """
    wish = wish_of(dims, points, span, weights, batch_norm, seed, line=to is not None)
    _check(top=top, steps=steps, samples=samples)
    place = resolve_device(device)
    with reproducible(place):
        if isinstance(spec, tuple) or loss is not None:
            setting = setting_of_module(*_batch(target, spec, loss))
        else:
            setting = setting_of_spec(target, spec, samples, overrides, place)
        end = None if to is None else setting_of_spec(to, None, samples, overrides, place)
        if end is not None:
            check_same(setting, end)
        here = setting.loss(place)
        stem = None if folder is None else _stem(Path(folder), surface, describe(setting, end, wish))
        record = stem.with_suffix(".jsonl") if stem else None
        shown = measure_slice(setting, end, wish, place, record, progress) if surface else None
        ends = [one for one in (setting, end) if curvature and one is not None]
        curved = [_curvature(one, setting, place, top, steps, seed, progress) for one in ends]
        first = {field.name: getattr(curved[0], field.name) for field in fields(Curvature)} if curved else {}
        centre = first.pop("loss") if first else here.value()
    result = LandscapeResult(
        name=setting.name,
        data=setting.data,
        samples=setting.samples,
        parameters=here.dimension,
        centre=centre,
        seed=seed,
        chance=setting.chance,
        batch_norm=batch_norm if shown and norms_of(here.net) else None,
        grid=shown.grid if shown else None,
        loss=shown.loss if shown else None,
        nonconvex=is_nonconvex(shown.losses) if shown else None,
        to=end.name if end else None,
        barrier=barrier_of(shown.grid.x, [*shown.losses.values()]) if shown and end else None,
        other=curved[1] if len(curved) > 1 else None,
        **first,
    )
    return result if stem is None else _drawn(result, shown, stem)


def _check(**counts: int) -> None:
    for name, count in counts.items():
        if count < 1:
            raise UsageError(Problem("usage", f"expected {name} of at least 1, found {count}"))


def _batch(target: Any, batch: Any, loss: LossFunction | None) -> tuple[nn.Module, Any, Any, LossFunction]:
    if not isinstance(target, nn.Module) or not isinstance(batch, tuple) or len(batch) != 2 or not callable(loss):
        message = "the loss of a module is drawn beside a batch and a loss"
        raise UsageError(Problem("usage", message, hint="call landscape(module, (x, y), loss_function)"))
    return target, *batch, loss


def _curvature(
    one: Setting, first: Setting, place: torch.device, top: int, steps: int, seed: int, progress: Progress
) -> Curvature:
    """Return the curvature of the first network's loss at the weights of one."""
    at = replace(first, net=one.net)
    loss = at.loss(place, torch.float64 if place.type == "cpu" else torch.float32)
    return curvature_of(loss, top, steps, seed, one.rate, progress)


def _stem(folder: Path, surface: bool, description: dict[str, object]) -> Path:
    """Return where to write, without a suffix: each slice of each network has a name of its own."""
    name = hashlib.sha256(json.dumps(description).encode()).hexdigest()[:8]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot write to {folder}: {error.strerror or error}"
        raise UsageError(Problem("write", message, hint="give another folder with --out")) from None
    stem = folder / f"{'landscape' if surface else 'spectrum'}-{name}"
    check_own(stem)
    return stem


def _drawn(result: LandscapeResult, shown: Measured | None, stem: Path) -> LandscapeResult:
    """Write the sheet, and return the result with the names of all files."""
    picture = draw_landscape(result, shown.centre if shown else (0.0, 0.0))
    svg, png = write_picture(picture, stem)
    files = (stem.with_suffix(".jsonl"), svg, png) if shown else (svg, png)
    return replace(result, files=tuple(str(file) for file in files))
