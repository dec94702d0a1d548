"""What an augmentation is: a change of a whole batch of inputs, random or not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from nnctl.component.base import Component
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    import torch


class Augmentation(Component):
    """A component that changes training inputs, one draw per sample, as a function of the generator alone."""

    family = "augmentations"

    random: ClassVar[bool] = True
    """False for transforms, which may stand under `data.transform` and then apply in evaluation too."""
    corrupts: ClassVar[bool] = False
    """Whether it destroys what a denoiser must rebuild: `data.input` as a target is what came before. Those that
    corrupt come after all others, whatever the order of writing."""

    @abstractmethod
    def check(self, x: Shape) -> None:
        """Raise ShapeError where samples of shape `x` cannot be augmented so."""

    def output(self, x: Shape) -> Shape:
        """Return the shape that samples of shape `x` get. Only transforms change it."""
        return x

    @abstractmethod
    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return the changed batch: (N, C, H, W) -> (N, C, H, W), the dtype kept, uint8 or float.

        Draws come from `generator`, which lives on the CPU; the batch may be on any device.
        """


class Transform(Augmentation):
    """A change without chance, the same for every sample."""

    random = False

    def check(self, x: Shape) -> None:
        """Raise ShapeError where `output` does."""
        self.output(x)

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Return `change(batch)`."""
        return self.change(batch)

    @abstractmethod
    def change(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the changed batch, (N, …) -> (N, …) as `output` says, the dtype kept, uint8 or float."""


class Mixing(Augmentation):
    """A change that blends samples with others of their batch, and their targets with them."""

    def apply(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Mixing is done last, by `mix`."""
        return batch

    @abstractmethod
    def mix(
        self, inputs: torch.Tensor, target: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return standardised inputs and targets, float32, both blended; classes come as one-hot rows (N, K)."""


def output_of(transforms: Sequence[Augmentation], x: Shape) -> Shape:
    """Return the shape of a sample after all transforms. Raises ShapeError where one cannot be applied."""
    for transform in transforms:
        transform.check(x)
        x = transform.output(x)
    return x
