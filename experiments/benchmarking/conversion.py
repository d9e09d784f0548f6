"""A network of PyTorch's as another engine runs it: written to a file that the engine opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.engine_choice.conversion import format_for
from featherface.engines.opening import open_file
from featherface.export.formats import ExportConfig
from featherface.export.writing import export

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.engines.engine import Engine
    from featherface.networks.detector import Detector

CHECKED = ((64, 96),)
"""Heights and widths in pixels at which the file's answers are compared with the network's."""


@dataclass(frozen=True)
class BenchmarkedFile:
    """A file of a network, opened by what runs it."""

    engine: Engine
    file: Path


def convert(
    model: Detector, variant: str, engine: str, folder: Path, threads: int = 0
) -> BenchmarkedFile:
    """Write MODEL to FOLDER in the first format that ENGINE runs, check it, and open it.

    Raises:
        UsageError: no format of this version is for ENGINE.
        UnavailableError: a tool is missing, or the file computes something else.
    """
    config = ExportConfig(formats=(format_for(engine),), parity_sizes=CHECKED)
    (artifact,) = export(model, config, folder, variant, variant)
    return BenchmarkedFile(open_file(artifact.path, threads), artifact.path)
