"""Cache of network summaries, kept until the code that makes them changes.

Taking a network apart needs PyTorch and half a second; reading what was found needs neither.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

from featherface.model_summary.summary_types import Anatomy
from featherface.source.cache_entries import entry_path, read_entry, write_entry
from featherface.variants.config import identity

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.variants.config import DetectorConfig

SIDE = 640
"""Height and width in pixels where none are given."""


def anatomy(
    config: DetectorConfig, folder: Path | None, height: int = SIDE, width: int = SIDE
) -> Anatomy:
    """Describe the network of CONFIG; what was found before is read from FOLDER.

    Raises:
        UsageError: a side is not a positive multiple of 32.
    """
    if folder is None:
        return describe_network(config, height, width)
    inputs = [json.dumps([identity(config), height, width])]
    path = entry_path(folder, describe_network, inputs, libraries=["torch"])
    known = _read(path)
    if known is None:
        known = _described(config, height, width)
        write_entry(path, json.dumps(known.to_json()))
    return known


def describe_network(config: DetectorConfig, height: int, width: int) -> Anatomy:
    """Take the network of CONFIG apart, whatever was found before.

    Raises:
        UsageError: a side is not a positive multiple of 32.
    """
    from featherface.model_summary.description import describe  # noqa: PLC0415 - loads PyTorch

    return describe(config, height, width)


@cache
def _described(config: DetectorConfig, height: int, width: int) -> Anatomy:
    """Take a network apart once for all folders of this process."""
    return describe_network(config, height, width)


def _read(path: Path) -> Anatomy | None:
    try:
        return Anatomy.from_json(json.loads(read_entry(path) or b""))
    except (ValueError, KeyError, TypeError):
        return None
