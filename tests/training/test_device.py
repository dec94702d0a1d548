"""Devices by the names that users give."""

from __future__ import annotations

import pytest
import torch

from nnctl.device import resolve_device
from nnctl.errors import UsageError


def test_auto_is_cuda_where_there_is_one_else_the_cpu() -> None:
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "cpu:0", "", "xla"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="expected auto, cpu, cuda, cuda:N or mps"):
        resolve_device(name)


@pytest.mark.parametrize("name", ["cuda:99", "cuda:x", "cuda:"])
def test_devices_that_are_not_there_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"this machine has no device {name}"):
        resolve_device(name)
