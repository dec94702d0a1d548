"""The sections of a spec as typed, frozen objects: data, model, train."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from nnctl.component.markers import Many, Named, One
from nnctl.component.types import (
    LARGEST,
    Below1,
    Count,
    Expected,
    FilePath,
    Flag,
    NonNegative,
    Positive,
    Share,
    Text,
    as_tuple,
)
from nnctl.document.node import Mapping, Node
from nnctl.kinds.augmentations.base import Augmentation
from nnctl.kinds.datasets.base import Dataset
from nnctl.kinds.initializers.base import Init
from nnctl.kinds.losses.base import Loss
from nnctl.kinds.optimizers.base import Optimizer
from nnctl.kinds.penalties.base import Penalty
from nnctl.kinds.schedules.base import Schedule


def _check_share(value: float) -> float:
    if isinstance(value, float) and value > 1:
        raise ValueError("a share is at most 1")
    return value


ShareOrCount: TypeAlias = Annotated[
    float | int,
    Field(ge=0, le=LARGEST),
    AfterValidator(_check_share),
    Expected("a share from 0 to 1, or a whole number of samples"),
]
BatchSize: TypeAlias = Annotated[Count | Literal["all"], Expected("a whole number of at least 1, or all")]


class Section(BaseModel):
    """A group of fields that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)

    main: ClassVar[str | None] = None
    """The field that a bare value in place of a mapping fills."""


class Stream(Section):
    """A further set of samples beside the data set, for losses that compare the two; its targets are not used."""

    main = "dataset"

    dataset: Annotated[Dataset, One("datasets")]
    """The data set, of which the training samples are taken."""
    transform: Annotated[tuple[Augmentation, ...], Many("augmentations")] = ()
    """Changes of every sample, in order."""
    augment: Annotated[tuple[Augmentation, ...], Many("augmentations")] = ()
    """Random changes, in order."""


class Data(Section):
    """Which samples, how they are split and changed."""

    dataset: Annotated[Dataset, One("datasets")]
    """The data set."""
    root: FilePath | None = None
    """The folder that named data sets lie under; $NNCTL_DATA if not given, else ./data."""
    validation: ShareOrCount = 0.1
    """Share or number of training samples held out, stratified by the seed; 0 for none."""
    subset: ShareOrCount | None = None
    """Share (a fraction) or number (a whole number) of training samples used, stratified, cut first."""
    label_noise: Share = 0.0
    """Share of training labels redrawn uniformly over all classes, after validation is cut."""
    transform: Annotated[tuple[Augmentation, ...], Many("augmentations")] = ()
    """Changes of every sample, in evaluation too, in order; none is random."""
    augment: Annotated[tuple[Augmentation, ...], Many("augmentations")] = ()
    """Random changes of training samples, in order."""
    streams: Annotated[dict[str, Stream], Named(Stream), Expected("a mapping from names to data sets")] = Field(
        default_factory=dict
    )
    """Further sets beside the data set by name, in batches of the same size and an order of their own."""


class EarlyStopping(Section):
    """When to stop before the last epoch."""

    monitor: Text | None = None
    """What is watched; the spec's `monitor` if not given."""
    min_delta: NonNegative = 0.0
    """By how much better counts as better."""
    patience: Count = 1
    """Epochs in a row without getting better before training stops."""
    restore_best: Flag = False
    """Whether the network ends with its best weights rather than its last."""


class Clip(Section):
    """A bound on gradients, of their common norm or of each value."""

    norm: Positive | None = None
    """Largest norm of all gradients together."""
    value: Positive | None = None
    """Largest size of a single gradient entry."""


class Ema(Section):
    """An average of the weights over the steps, used for validation and for the best checkpoint.

    Running statistics of norms are averaged with them. A uniform average from late in training on is stochastic weight
    averaging (Izmailov et al., 2018).
    """

    main = "decay"

    decay: Below1 = 0.99
    """Weight of the old average in each step of an exponential average."""
    uniform: Flag = False
    """Whether all steps count the same, in place of `decay`."""
    start: Below1 = 0.0
    """Share of all steps after which the average begins; until then it is the present weights."""

    @model_validator(mode="after")
    def _check_one(self) -> Ema:
        if self.uniform and self.decay != type(self).model_fields["decay"].default:
            raise ValueError("with `uniform: true` all steps count the same: leave out `decay`")
        return self


class Bagging(Section):
    """Several networks trained side by side, each on a bootstrap resample of the training set, whose predictions are
    averaged (Breiman, 1996)."""

    main = "members"

    members: Annotated[int, Field(ge=2, le=1000), Expected("a whole number from 2 to 1000")] = 10
    """How many networks there are."""


class Autoencoder(Section):
    """Greedy layer-wise pretraining: each stage in turn learns to rebuild its own input (Bengio et al., 2007).

    The recipe's batch size, optimiser, clip and precision hold for it; schedule, penalties, accumulation and average
    begin with the training itself.
    """

    stages: Annotated[tuple[str, ...], BeforeValidator(as_tuple), Expected("a list of names of layers")]
    """Entries of `model.layers` by name, in their order; each is trained with what comes before it fixed."""
    epochs: Count = 5
    """Passes over the training set for each stage."""
    corrupt: Below1 = 0.0
    """Share of a stage's inputs that are set to 0 in training; it still has to rebuild them (Vincent et al., 2008)."""


class Pretrain(Section):
    """What is learned before the recipe itself begins."""

    autoencoder: Autoencoder
    """Stages that learn to rebuild their inputs."""


class Inspect(Section):
    """When a step of the training is looked into, as `nnctl inspect` does, and written to metrics.jsonl."""

    main = "every"

    every: Count = 100
    """Optimiser steps from one to the next."""


class Checkpoint(Section):
    """When the state that resuming needs is saved, besides the end of each epoch."""

    every: Count | None = None
    """Optimiser steps between two states."""
    seconds: Positive | None = None
    """Seconds between two states."""
    keep: Count = 2
    """How many states are kept."""


class Train(Section):
    """The recipe."""

    epochs: Count
    """Passes over the training set."""
    batch_size: BatchSize = 128
    """Samples that one optimiser step sees; `all` for the whole set."""
    sampling: Annotated[Literal["shuffle", "draw"], Expected("shuffle or draw")] = "shuffle"
    """How samples come: `shuffle`, each once an epoch in a new order, or `draw`, each drawn afresh from all of them."""
    accumulate: Count = 1
    """Parts in which a batch is computed, for batches that do not fit in memory at once."""
    loss: Annotated[tuple[Loss, ...], Many("losses", single=True)]
    """What is minimised; a list is a sum."""
    optimizer: Annotated[Optimizer, One("optimizers")]
    """The rule of one step."""
    schedule: Annotated[Schedule | None, One("schedules")] = None
    """The learning rate's course; constant if not given."""
    penalties: Annotated[tuple[Penalty, ...], Many("penalties")] = ()
    """What is asked of the weights themselves: terms beside the loss, and bounds."""
    early_stopping: EarlyStopping | None = None
    """When to stop before the last epoch."""
    monitor: Text | None = None
    """The measure that chooses the best weights; val_accuracy, val_loss or train_loss if not given."""
    clip: Clip | None = None
    """A bound on gradients."""
    ema: Ema | None = None
    """A moving average of the weights."""
    pretrain: Pretrain | None = None
    """What layers learn one by one before all are trained together."""
    bagging: Bagging | None = None
    """Several networks on resamples of the training set, in place of one."""
    precision: Annotated[Literal["fp32", "bf16"], Expected("fp32 or bf16")] = "fp32"
    """The arithmetic of forward and backward pass; weights stay fp32."""
    checkpoint: Checkpoint = Checkpoint()
    """When the state is saved."""
    inspect: Inspect | None = None
    """When signals and gradients of every layer are logged."""


class Lint(Section):
    """Which warnings are silenced."""

    allow: Annotated[tuple[str, ...], BeforeValidator(as_tuple), Expected("a list of codes")] = ()
    """Codes of warnings that are not shown."""


Paths: TypeAlias = Annotated[tuple[Text, ...], BeforeValidator(as_tuple), Expected("a list of layer paths")]


class Pretrained(Section):
    """Weights from a file that training starts with."""

    main = "file"

    file: FilePath
    """A .safetensors file, a run directory (its best weights), or a .pth file of torch's."""
    match: Annotated[Literal["order", "name"], Expected("order or name")] = "name"
    """Whether tensors are matched by layer path and name, or one by one in the order of `state_dict()`."""
    new: Paths = ()
    """Paths of layers, or of what holds them, that start afresh all the same, such as the head for other classes."""


@dataclass(frozen=True)
class Block:
    """A block of the user's own, or one shipped with nnctl: parameters and the entries they are put into."""

    name: str
    params: Mapping | None
    layers: Node
    shipped: bool = False


@dataclass(frozen=True)
class Model:
    """The network as written: entries stay nodes until they are expanded, because `$` depends on the place."""

    layers: Node
    input: Node | None = None
    params: Mapping | None = None
    init: Init = field(default_factory=Init)
    blocks: dict[str, Block] = field(default_factory=dict)
    pretrained: Pretrained | None = None
    freeze: tuple[str, ...] = ()
    """Paths of layers, or of what holds them, that do not learn."""


@dataclass(frozen=True)
class Spec:
    """A checked spec. `document` is the merged tree that all of it came from."""

    name: str
    seed: int
    description: str
    data: Data | None
    model: Model
    train: Train | None
    lint: Lint
    document: Mapping
    file: str | None = None
