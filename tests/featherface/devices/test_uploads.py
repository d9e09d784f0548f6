"""What travels to a device, and what waits for that."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import featherface
from featherface.devices.uploads import uploaded


class Asked:
    """A tensor that says how it is asked to travel."""

    def to(self, device, *, non_blocking):
        return device.type, non_blocking


@pytest.mark.parametrize(("kind", "at_once"), [("cuda", True), ("mps", False)])
def test_only_devices_that_keep_what_they_read_are_not_waited_for(kind, at_once):
    assert uploaded(Asked(), torch.device(kind)) == (kind, at_once)


def test_nothing_else_goes_without_waiting():
    sources = Path(featherface.__file__).parent.rglob("*.py")
    found = {one.name for one in sources if "non_blocking=" in one.read_text(encoding="utf-8")}
    assert found == {"uploads.py"}
