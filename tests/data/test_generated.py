"""Sets drawn from a formula, and the notes' table, against closed forms."""

from __future__ import annotations

import csv
import io
from math import erf, sqrt
from pathlib import Path

import numpy as np
import pytest
import torch

from nnctl.component.validate import read_component
from nnctl.data.generated import legendre
from nnctl.data.progress import silent
from nnctl.document.reader import read_value
from nnctl.errors import Problem
from nnctl.kinds.datasets.base import SplitName
from nnctl.kinds.datasets.tax import ROWS
from tests.data.samples import dataset


def draw(text: str, split: SplitName = "train", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    found = dataset(text).read(Path(), split, seed, silent)
    return found.fields["input"].double().numpy(), found.target.numpy()


@pytest.mark.parametrize("text", ["gaussians: {means: [[0], [1]]}", "polynomial", "teacher"])
def test_sets_are_drawn_from_the_seed(text: str) -> None:
    same, again, other, test = draw(text)[0], draw(text)[0], draw(text, seed=1)[0], draw(text, "test")[0]
    assert np.array_equal(same, again)
    assert not np.array_equal(same, other)
    assert not np.array_equal(same, test)


def test_gaussians_overlap_as_much_as_the_closed_form_says() -> None:
    x, y = draw("gaussians: {means: [[0, 0], [3, 4]], std: 2.5, samples: 40000}")
    assert np.abs(x[y == 1].mean(0) - [3, 4]).max() < 0.06
    assert np.cov(x[y == 0].T) == pytest.approx(2.5**2 * np.eye(2), abs=0.15)
    wrong = ((x @ [3, 4] > 12.5) != y).mean()  # beyond the middle between the means
    assert wrong == pytest.approx((1 - erf(5 / (2 * 2.5) / sqrt(2))) / 2, abs=0.006)


def test_a_polynomials_inputs_are_legendres_polynomials() -> None:
    x = np.linspace(-1, 1, 7)
    expected = np.polynomial.legendre.legvander(x, 12)[:, 1:]
    assert np.allclose(legendre(torch.from_numpy(x), 12).numpy(), expected, atol=1e-12)
    assert legendre(torch.from_numpy(x), 1).shape == (7, 1)


def test_a_polynomial_without_noise_is_fitted_exactly_by_its_own_degree() -> None:
    x, y = draw("polynomial: {coefficients: [1, 0, -2, 3], degree: 3, noise: 0, samples: 50}")
    design = np.hstack([np.ones((50, 1)), x])
    solution = np.linalg.lstsq(design, y, rcond=None)[0][:, 0]
    assert np.polynomial.legendre.leg2poly(solution) == pytest.approx([1, 0, -2, 3], abs=1e-4)
    noisy = draw("polynomial: {coefficients: [0], degree: 1, noise: 0.5, samples: 20000}")[1]
    assert noisy.std() == pytest.approx(0.5, rel=0.03)


def test_a_teacher_is_a_network_with_as_many_units_as_it_says() -> None:
    x, y = draw("teacher: {features: 1, hidden: 3, samples: 4000}")
    for side in (x[:, 0] > 0, x[:, 0] < 0):  # in one dimension relu units without biases are a line on either side
        slopes = y[side, 0] / x[side, 0]
        assert slopes.std() < 1e-5
    train, test = draw("teacher: {features: 1}"), draw("teacher: {features: 1}", "test")
    up = [pair[1][pair[0][:, 0] > 0, 0] / pair[0][pair[0][:, 0] > 0, 0] for pair in (train, test)]
    assert up[0].mean() == pytest.approx(up[1].mean(), rel=1e-5)
    noise = draw("teacher: {noise: 0.5, samples: 5000}")[1] - draw("teacher: {samples: 5000}")[1]
    assert noise.std() == pytest.approx(0.5, rel=0.05)


def test_the_tax_table_is_that_of_the_notes() -> None:
    x, y = draw("tax")
    rows = list(csv.DictReader(io.StringIO(ROWS.decode())))
    assert len(rows) == 10
    assert y.tolist() == [int(row["Cheat"] == "Yes") for row in rows] == [0, 0, 0, 0, 1, 0, 0, 1, 0, 1]
    for row, sample in zip(rows, x, strict=True):
        statuses = [row["Marital Status"] == status for status in ("Divorced", "Married", "Single")]
        assert sample.tolist() == [row["Refund"] == "No", row["Refund"] == "Yes", *statuses, int(row["Taxable Income"])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gaussians: {means: [[0], [1, 2]]}", "`gaussians` has 2 numbers in means[1], but 1 in means[0]"),
        ("gaussians: {means: []}", "a list of means, each a list of numbers"),
        ("gaussians: {means: [[0]], std: 0}", "a number above 0"),
        ("polynomial: {degree: 0}", "a whole number from 1 to 50"),
        ("polynomial: {coefficients: []}", "a list of numbers, constant first"),
        ("teacher: {hidden: 0}", "a whole number of at least 1"),
        ("text: {path: p, length: 3, words: 0}", "a whole number from 1 to 20000, or a list of words"),
        ("csv: {path: p, target: y, missing: skip}", "refuse, mean, median or most_frequent"),
        ("csv: {path: p, target: y, columns: {y: number}}", "`csv` has its target `y` among the `columns`"),
        ("csv: {path: p, target: y, columns: {x: numbr}}", '`columns.x` is "numbr", expected number, category'),
        (
            "csv: {path: p, target: y, task: regression, classes: 2}",
            "`csv` has `classes`, but its `task` is regression",
        ),
        ("csv: {path: p, target: y, one_hot: true, columns: {x: {text: {length: 2}}}}", "cannot put the text `x`"),
    ],
)
def test_mistakes_in_fields_are_said(text: str, message: str) -> None:
    problems: list[Problem] = []
    read_component("datasets", read_value(text, 1, problems), problems, "data.dataset")
    assert [message in problem.message for problem in problems] == [True]
