"""Files of networks, opened by the engine that runs them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from featherface.engines.table import ENGINES
from featherface.errors import NotFoundError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.engines.engine import Engine


def engine_of(path: Path) -> str | None:
    """Return the name of the engine that runs PATH by its ending; None for files of weights."""
    suffix = path.suffix.lower()
    return next((name for name, kind in ENGINES.items() if suffix in kind.suffixes), None)


def open_file(path: Path, threads: int = 0) -> Engine:
    """Open the network in the file at PATH; THREADS of the CPU compute, 0 leaves it to the engine.

    Raises:
        NotFoundError: there is no such file.
        UsageError: no engine runs such files.
        WeightsError: it is damaged, or doesn't say which network it is.
    """
    name = engine_of(path)
    if name is None:
        raise UsageError(f"{path.name} holds weights, not a network that an engine runs by itself")
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", "check the path")
    module = importlib.import_module(f"featherface.engines.{ENGINES[name].module}")
    engine: Engine = module.open_file(path, threads)
    return engine
