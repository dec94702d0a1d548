"""A wrong field name is answered with the field that was meant, and never with one that is given already."""

from __future__ import annotations

import pytest

from nnctl.component.family import FAMILIES, find, names
from nnctl.component.field_names import SYNONYMS
from tests.frontend.helpers import problem_of, problems_of, spec

HEAD = "name: a\nmodel:\n  input: [3, 8, 8]\n  layers:\n"


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        ("linear: {units: 4, init: zero}", "nnctl calls it `features`"),
        ("conv: {channels: 8, kernel_size: 3}", "nnctl calls it `kernel`"),
        ("dropout: {rate: 0.2}", "nnctl calls it `p`"),
        ("basic_block: {filters: 8}", "nnctl calls it `channels`"),
        ("conv: {channels: 8, kernal: 3}", "did you mean `kernel`?"),
        ("linear: {features: 4, featurez: 4}", "fields: bias, features, init, name"),
        ("linear: {features: 4, units: 4}", "remove it: `features` is given already"),
    ],
)
def test_the_field_that_was_meant(layer: str, hint: str) -> None:
    (problem,) = problems_of(f"{HEAD}    - {layer}\n")
    assert problem.code == "unknown-key"
    assert problem.hint == hint


def test_optimisers_know_the_names_of_other_tools() -> None:
    rest = """
        data: {dataset: digits}
        train: {epochs: 1, loss: cross_entropy, optimizer: {adam: {learning_rate: 0.1}}}
    """
    assert problem_of(spec("- flatten\n- linear: 10", input="[1, 8, 8]", rest=rest)).hint == "nnctl calls it `lr`"


def test_a_synonym_stands_for_a_field_that_exists() -> None:
    kinds = [cls for family in FAMILIES for kind in names(family) if (cls := find(family, kind)) is not None]
    for synonym, fields in SYNONYMS.items():
        assert all(any(field in cls.model_fields for cls in kinds) for field in fields), synonym
