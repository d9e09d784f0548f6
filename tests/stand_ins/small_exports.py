"""A small network for tests of exported files."""

from __future__ import annotations

from featherface.validation.case import VariantCase
from featherface.variants.table import variant

NAME = "v3-nano"


def small_network():
    """Return a network with no part at rest, always the same one."""
    return VariantCase(NAME, variant(NAME)).stirred()
