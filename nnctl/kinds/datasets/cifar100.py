"""CIFAR-100."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, model_validator

from nnctl.component.base import Example
from nnctl.component.types import Expected, as_tuple
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName
from nnctl.kinds.layers.shape import Shape

if TYPE_CHECKING:
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

Level: TypeAlias = Literal["fine", "coarse"]

# In the order of fine_label_names.txt and coarse_label_names.txt
_FINE = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm
"""
_COARSE = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
    insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes
    large_omnivores_and_herbivores medium_mammals non-insect_invertebrates people reptiles small_mammals trees
    vehicles_1 vehicles_2
"""
FINE, COARSE = tuple(_FINE.split()), tuple(_COARSE.split())
NAMES: dict[str, tuple[str, ...]] = {"fine": FINE, "coarse": COARSE}


class Cifar100(Dataset):
    """60,000 colour photos of 32×32 pixels in a hundred classes or twenty coarse ones, 10,000 of them for the test.

    Under the root: the folder `cifar-100-binary`, or `cifar-100-binary.tar.gz`, which is fetched where both are
    missing. The version for Python is not read: its format can run code.
    """

    kind = "cifar100"
    places = ("cifar-100-binary", "cifar-100-binary.tar.gz")
    paper = "A. Krizhevsky: Learning multiple layers of features from tiny images, 2009"
    examples = (
        Example("cifar100"),
        Example("cifar100: coarse"),
        Example("cifar100: {labels: fine, also: [coarse]}"),
    )

    labels: Annotated[Level, Expected("fine or coarse")] = "fine"
    """The target: a hundred classes, or the twenty groups of five that they form."""
    also: Annotated[tuple[Level, ...], BeforeValidator(as_tuple), Expected("a list of fine or coarse")] = ()
    """The other labels as a field of their own, `data.coarse` or `data.fine`: the target of a second loss."""

    @model_validator(mode="after")
    def _check_also(self) -> Cifar100:
        other = "coarse" if self.labels == "fine" else "fine"
        if self.labels in self.also:
            raise ValueError(f"`also` names the target's own labels, `{self.labels}`; write `also: [{other}]`")
        if len(self.also) > 1:
            raise ValueError(f"`also` names `{other}` twice; write `also: [{other}]`")
        return self

    def facts(self, root: Path) -> Facts:
        """Return the constants."""
        names = NAMES[self.labels]
        further: dict[str, Shape] = {name: Shape((), vocabulary=len(NAMES[name])) for name in self.also}
        inputs = {"input": Shape((3, 32, 32)), **further}
        return Facts("classification", inputs, len(names), names, train=50_000, test=10_000)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the photos of a split."""
        from nnctl.data.cifar import Labels
        from nnctl.data.cifar100 import read_cifar100

        return read_cifar100(root, split, Labels(self.labels, NAMES, self.also), progress)
