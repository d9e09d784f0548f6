"""Cache of network summaries: computing one needs PyTorch and half a second, reading none.

Taking a network apart needs PyTorch and half a second; reading what was found needs neither.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from featherface import errors
from featherface.filesystem.atomic import keep
from featherface.model_summary.summary_types import Anatomy

if TYPE_CHECKING:
    from featherface.variants.config import DetectorConfig

SOURCES = ("networks/**/*.py", "model_summary/*.py", "profiling/counting.py", "variants/config.py")
"""What decides on the answer, from the folder of this package."""
SIDE = 640
"""Height and width in pixels where none are given."""


def anatomy(
    config: DetectorConfig, folder: Path | None, height: int = SIDE, width: int = SIDE
) -> Anatomy:
    """Describe the network of CONFIG; what was found before is read from FOLDER.

    Raises:
        UsageError: a side is not a positive multiple of 32.
    """
    path = folder / f"{_key(config, height, width)}.json" if folder else None
    if path is not None and (known := _read(path)):
        return known
    from featherface.model_summary.description import describe  # noqa: PLC0415 - loads PyTorch

    summary = describe(config, height, width)
    if path is not None:
        keep(path, json.dumps(summary.to_json()))
    return summary


def _read(path: Path) -> Anatomy | None:
    try:
        return Anatomy.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key(config: DetectorConfig, height: int, width: int) -> str:
    whole = json.dumps([_program(), asdict(config), height, width])
    return hashlib.sha256(whole.encode()).hexdigest()


@cache
def _program() -> str:
    folder = Path(errors.__file__).parent
    files = sorted(path for pattern in SOURCES for path in folder.glob(pattern))
    content = b"".join(path.read_bytes() for path in files)
    return f"torch {metadata.version('torch')} {hashlib.sha256(content).hexdigest()}"
