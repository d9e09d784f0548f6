"""Runs of small recipes, most of them alike."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _probed_once(probed_once):
    """Each run keeps the probes of its settings, which are those of many others."""
