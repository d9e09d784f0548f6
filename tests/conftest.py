"""Fixtures that every part of the suite may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of real weights, images and expected values; the test skips without it."""
    value = os.environ.get("THESIS_REFERENCE_DATA")
    if not value:
        pytest.skip("THESIS_REFERENCE_DATA is not set: no real data to test with")
    folder = Path(value).resolve()
    if not (folder / "expected.json").is_file():
        pytest.fail(f"THESIS_REFERENCE_DATA={value} holds no expected.json")
    return folder
