"""What computes a network that the options name: an engine over its weights, or over its file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from featherface.devices.precision import FULL
from featherface.engine_choice.conversion import convert
from featherface.engine_choice.fastest import fastest
from featherface.engines.opening import engine_of, open_file
from featherface.engines.pytorch import PyTorchEngine
from featherface.engines.table import AUTO, TORCH
from featherface.errors import UsageError
from featherface.networks.pixels import KEYS
from featherface.variants.table import VARIANTS, variant
from featherface.weights.network_settings import conflicts, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from featherface.engines.engine import Engine
    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig


def is_exported(weights: Path | None) -> bool:
    """Whether WEIGHTS is a file that an engine runs by itself."""
    return weights is not None and engine_of(weights) is not None


class Wish(NamedTuple):
    """What the options say of the engine."""

    engine: str | None
    """None: PyTorch, or what an exported file is for."""
    device: str | None
    """As --device has it."""
    settled_device: Callable[[], str]
    """Gives where PyTorch computes."""
    precision: str = FULL
    pictures: int = 1
    """How many shall be looked at."""
    folder: Path | None = None
    """Where converted networks are kept."""
    note: Callable[[str], None] = lambda _: None
    warn: Callable[[str], None] = lambda _: None


def engine_for(wish: Wish, model: Detector, variant_name: str) -> Engine:
    """Return what computes MODEL, as WISH says; tell what `auto` takes.

    Raises:
        UnavailableError: the engine is not installed, or gives other answers than PyTorch.
        UsageError: it does not compute on the device.
    """
    name = wish.engine or TORCH
    if name not in (AUTO, TORCH):
        return convert(
            model,
            variant_name,
            name,
            folder=wish.folder,
            threads=torch.get_num_threads(),
            device=file_device(wish.device),
        )
    device = wish.settled_device()
    if name == AUTO and wish.precision == FULL:
        choice = fastest(
            model, variant_name, wish.pictures, folder=wish.folder, device=device, say=wish.note
        )
        wish.note(f"engine: {choice.reason}")
        if choice.engine.name != TORCH:
            return choice.engine
    return PyTorchEngine(model.to(device))


def file_device(name: str | None) -> str:
    """Return where an engine of files computes: on the processor, unless NAME asks for a card."""
    return "cpu" if name in (None, "auto") else str(name)


def exported(
    wish: Wish, path: Path, variant_name: str | None, settings: dict[str, Any]
) -> tuple[Engine, str, dict[str, Any]]:
    """Open the exported file at PATH; return its engine, variant and what is not the variant's.

    VARIANT_NAME and SETTINGS are those of the options, which the file's own metadata need not agree
    with.

    Raises:
        UsageError: it is of another variant or for another engine than is said, or a setting
            is in the file and can't be changed.
        WeightsError: it is damaged, or doesn't say which network it is, or is another one.
    """
    own = engine_of(path)
    if wish.engine not in (None, AUTO, own):
        raise UsageError(
            f"--engine {wish.engine} can't run {path.name}, which is for {own}",
            f"give --engine {own}, or leave it out",
        )
    engine = open_file(path, torch.get_num_threads(), file_device(wish.device))
    name = engine.variant or variant_name or ""
    if variant_name not in (None, name):
        raise UsageError(
            f"{path} is of {name}, not of {variant_name}",
            f"leave out --variant, or give --variant {name}",
        )
    engine.config = _with_settings(wish, settings, engine.config, path)
    differing = conflicts(engine.config, variant(name)) if name in VARIANTS else {}
    return engine, name, {key: pair[0] for key, pair in differing.items()}


def _with_settings(
    wish: Wish, settings: dict[str, Any], config: DetectorConfig, path: Path
) -> DetectorConfig:
    """Return CONFIG with what SETTINGS change of the pixels that are given to the file.

    Raises:
        UsageError: a setting is of the network in the file, or of how its answers are read.
    """
    changed = replace(config, **settings)
    for key, (before, after) in conflicts(config, changed).items():
        if key not in KEYS:
            raise UsageError(
                f"--set model.{key}={shown(after)} can't change {path.name}: its network was"
                f" written with {shown(before)}",
                f"only {', '.join(KEYS)} can be set, which are not in the file; for another"
                " network give its weights, and --engine",
            )
        wish.warn(
            f"--set model.{key}={shown(after)} wins over {shown(before)}, which {path.name} needs"
        )
    return changed
