"""Files of networks, opened by the engine that runs them."""

from __future__ import annotations

import importlib
from importlib import metadata
from typing import TYPE_CHECKING

from featherface.engines.table import ENGINES
from featherface.errors import NotFoundError, UnavailableError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.engines.engine import Engine

CPU = "cpu"


def engine_of(path: Path) -> str | None:
    """Return the name of the engine that runs PATH by its ending; None for files of weights."""
    suffix = path.suffix.lower()
    return next((name for name, kind in ENGINES.items() if suffix in kind.suffixes), None)


def installed(name: str) -> bool:
    """Whether the program of the engine NAME is here."""
    needs = ENGINES[name].needs
    if not needs:
        return True
    try:
        metadata.version(needs)
    except metadata.PackageNotFoundError:
        return False
    return True


def check_engine_here(name: str, device: str = CPU) -> None:
    """Refuse the engine NAME where its program is missing, or can't compute on DEVICE.

    Raises:
        UnavailableError: it is not installed.
        UsageError: it doesn't compute on such a device.
    """
    kind = ENGINES[name]
    if not installed(name):
        wanted = f'"thesis[{kind.extra}]"' if kind.extra else kind.needs
        raise UnavailableError(
            f"{kind.title} is not installed", f"install it: python -m pip install {wanted}"
        )
    if device.partition(":")[0] not in kind.devices:
        raise UsageError(
            f"{kind.title} does not compute on {device} here, but on {' or '.join(kind.devices)}",
            f"leave out --device, or give --device {CPU}",
        )


def open_file(path: Path, threads: int = 0, device: str = CPU) -> Engine:
    """Open the network in the file at PATH, to compute on DEVICE.

    THREADS of the CPU compute, 0 leaves it to the engine.

    Raises:
        NotFoundError: there is no such file.
        UnavailableError: the engine that runs such files is not installed.
        UsageError: no engine runs such files, or it can't compute on DEVICE.
        WeightsError: it is damaged, doesn't say which network it is, or is another one than it
            says.
    """
    name = engine_of(path)
    if name is None:
        raise UsageError(f"{path.name} holds weights, not a network that an engine runs by itself")
    if not path.is_file():
        raise NotFoundError(f"there is no file {path}", "check the path")
    check_engine_here(name, device)
    module = importlib.import_module(f"featherface.engines.{ENGINES[name].module}")
    places = () if device == CPU else (device,)  # engines of the processor alone take no device
    engine: Engine = module.open_file(path, threads, *places)
    return engine
