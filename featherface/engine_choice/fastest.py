"""Which engine computes a network fastest here: found by measuring, and kept."""

from __future__ import annotations

import json
import platform
import statistics
import time
from typing import TYPE_CHECKING, NamedTuple

import torch

from featherface.engine_choice.conversion import LIBRARIES, ConvertedEngine, convert
from featherface.engines.opening import CPU, installed
from featherface.engines.pytorch import PyTorchEngine
from featherface.engines.table import ENGINES, TORCH
from featherface.errors import ThesisError
from featherface.source.cache_entries import entry_path, read_entry, write_entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from featherface.engines.engine import Engine
    from featherface.networks.detector import Detector

WORTHWHILE = 100
"""Pictures from which on writing and measuring, some 10 s for each engine, pays by itself."""
SHOWN = (320, 320)
"""Height and width in pixels of the picture that is timed."""
PASSES, WARMUP = 7, 2
"""Timed passes of each engine, in turns, and those before them."""


class EngineChoice(NamedTuple):
    """The engine that was chosen, and why in a sentence."""

    engine: Engine
    reason: str


def fastest(
    model: Detector,
    variant_name: str,
    pictures: int,
    *,
    folder: Path | None = None,
    device: str = CPU,
    say: Callable[[str], None] = lambda _: None,
) -> EngineChoice:
    """Choose the engine that computes MODEL fastest here, of those with PyTorch's answers.

    What was measured once is kept in FOLDER. For fewer than WORTHWHILE PICTURES nothing is
    measured, since it takes longer than it saves. SAY is told which engines drop out, and why.
    """
    torch_engine = PyTorchEngine(model)
    if device != CPU:
        return EngineChoice(torch_engine, f"{TORCH}, as it computes on {device}")
    others = [name for name in ENGINES if name != TORCH and installed(name)]
    threads = torch.get_num_threads()
    path = None if folder is None else _kept_path(folder, torch_engine, others, threads)
    times = _kept_times(path)
    if not times and pictures < WORTHWHILE:
        return EngineChoice(
            torch_engine, f"{TORCH}: for {pictures} pictures measuring takes longer than it saves"
        )
    wanted = [min(times, key=times.__getitem__)] if times else others
    engines: dict[str, Engine] = {TORCH: torch_engine}
    for name in wanted:
        try:
            engine = convert(model, variant_name, name, folder=folder, threads=threads)
        except ThesisError as error:
            say(f"engine {name} drops out: {error.message}")
            continue
        if engine.fixed_size is None:
            engines[name] = engine
        else:
            say(f"engine {name} drops out: it takes pictures of one size alone")
    if not times:
        times = milliseconds(engines)
        if path is not None:
            write_entry(path, json.dumps({"milliseconds": times, "parity": _parities(engines)}))
    name = min((each for each in times if each in engines), key=times.__getitem__, default=TORCH)
    told = ", ".join(f"{each} {value:.1f} ms" for each, value in times.items())
    size = " × ".join(map(str, SHOWN))
    return EngineChoice(engines[name], f"{name} is the fastest here for {size} pixels: {told}")


def milliseconds(engines: Mapping[str, Engine]) -> dict[str, float]:
    """Return the median time of ENGINES for one picture, in turns."""
    picture = torch.zeros(1, 3, *SHOWN)
    taken: dict[str, list[float]] = {name: [] for name in engines}
    for index in range(WARMUP + PASSES):
        for name, engine in engines.items():
            with engine.ready():
                start = time.perf_counter()
                engine(picture)
                seconds = time.perf_counter() - start
            if index >= WARMUP:
                taken[name].append(1000 * seconds)
    return {name: round(statistics.median(values), 3) for name, values in taken.items()}


def _parities(engines: Mapping[str, Engine]) -> dict[str, float]:
    return {
        name: engine.parity
        for name, engine in engines.items()
        if isinstance(engine, ConvertedEngine)
    }


def _kept_path(folder: Path, engine: Engine, others: list[str], threads: int) -> Path:
    """Return where the times on this machine are kept, with these engines and THREADS."""
    machine = [platform.node(), platform.machine(), platform.processor()]
    inputs = [engine.fingerprint(), str(threads), *machine, *others]
    needs = [ENGINES[name].needs or name for name in others]
    return entry_path(
        folder, milliseconds, inputs, libraries=(*LIBRARIES, *needs), suffix=".times.json"
    )


def _kept_times(path: Path | None) -> dict[str, float]:
    """Return the milliseconds that PATH keeps; empty where nothing is kept."""
    content = read_entry(path) if path is not None else None
    try:
        told = json.loads(content or b"{}")
        return {str(name): float(value) for name, value in told["milliseconds"].items()}
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}
