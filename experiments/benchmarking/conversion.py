"""A network of PyTorch's as another engine runs it: written to a file that the engine opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.engines.opening import open_file
from featherface.engines.table import ENGINES
from featherface.errors import UsageError
from featherface.export.formats import FORMATS, ExportConfig
from featherface.export.writing import WRITERS, export

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.engines.engine import Engine
    from featherface.networks.detector import Detector

CHECKED = ((64, 96),)
"""Heights and widths in pixels at which the file's answers are compared with the network's."""


@dataclass(frozen=True)
class ConvertedNetwork:
    """A file of a network, opened by what runs it."""

    engine: Engine
    file: Path


def convert(
    model: Detector, variant: str, engine: str, folder: Path, threads: int = 0
) -> ConvertedNetwork:
    """Write MODEL to FOLDER in the first format that ENGINE runs, check it, and open it.

    Raises:
        UsageError: no format of this version is for ENGINE.
        UnavailableError: a tool is missing, or the file computes something else.
    """
    config = ExportConfig(formats=(_format_for(engine),), parity_sizes=CHECKED)
    (artifact,) = export(model, config, folder, variant, variant)
    return ConvertedNetwork(open_file(artifact.path, threads), artifact.path)


def _format_for(engine: str) -> str:
    suffixes = ENGINES[engine].suffixes
    names = (name for name, kind in FORMATS.items() if kind.suffix in suffixes and name in WRITERS)
    name = next(names, None)
    if name is None:
        raise UsageError(
            f"no format of this version is for {ENGINES[engine].title}",
            f"choose among: {', '.join(ENGINES)}",
        )
    return name
