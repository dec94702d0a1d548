"""Ten tax payers, some of whom cheat."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nnctl.component.base import Example
from nnctl.kinds.datasets._csv_columns import Column, Table
from nnctl.kinds.datasets.base import Dataset, Facts, SplitName

if TYPE_CHECKING:
    from nnctl.data.fresh import Fresh
    from nnctl.data.progress import Progress
    from nnctl.data.samples import Samples

ROWS = b"""\
Refund,Marital Status,Taxable Income,Cheat
Yes,Single,125000,No
No,Married,100000,No
No,Single,70000,No
Yes,Married,120000,No
No,Divorced,95000,Yes
No,Married,60000,No
Yes,Divorced,220000,No
No,Single,85000,Yes
No,Married,75000,No
No,Single,90000,Yes
"""
TABLE = Table(
    columns=(
        Column("Refund", "category", ("No", "Yes"), 2),
        Column("Marital Status", "category", ("Divorced", "Married", "Single"), 3),
        Column("Taxable Income", "number"),
    ),
    target="Cheat",
    classes=("No", "Yes"),
    one_hot=True,
    gaps=False,
    rows=10,
)


class Tax(Dataset):
    """Ten tax payers by refund, marital status and taxable income, and who of them cheats.

    The table of the lecture notes; all rows are for training. Categories are one-hot, the income is standardised.
    """

    kind = "tax"
    test_exists = False
    paper = "P.-N. Tan, M. Steinbach, V. Kumar: Introduction to data mining, 2005"
    examples = (Example("tax"),)

    def facts(self, root: Path) -> Facts:
        """Return the constants."""
        return Facts("classification", TABLE.shapes(), 2, TABLE.classes, train=10)

    def read(self, root: Path, split: SplitName, seed: int, progress: Progress) -> Samples:
        """Return the ten rows."""
        from nnctl.data.csv_table import read_rows
        from nnctl.kinds.datasets._csv_file import open_sheet

        return read_rows([open_sheet("tax", ROWS)], TABLE, None, progress)

    def fresh(self, root: Path, file: str, content: bytes | None) -> Fresh:
        """Return the rows of a CSV file with the same columns."""
        from nnctl.data.csv_table import fresh_rows

        return fresh_rows(file, content, TABLE)
