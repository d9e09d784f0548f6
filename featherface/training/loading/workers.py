"""The number of worker processes for data loading, and advice where loading is slow.

A GPU leaves the processor to them; a network that trains on the processor needs it itself, and
processes would only take turns with it. Starting them takes seconds each time a training starts,
which a small one never gets back.
"""

from __future__ import annotations

import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING, Any

from featherface.training.optimization.curriculum import largest_side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featherface.training.config.train import TrainConfig

MAX_WORKERS, MAX_WORKERS_ON_WINDOWS = 16, 4
"""Processes that `auto` starts. Under Windows each one that imports PyTorch for CUDA reserves
gigabytes of the paging file."""
START_SECONDS, START_SECONDS_ON_WINDOWS = 4.0, 10.0
"""Seconds until processes that were started all work: each imports PyTorch anew."""
START_PAYS_FACTOR = 5
"""Times the seconds of their start that what they take over must last."""
PICTURE_SECONDS = 0.02
"""Seconds that one core needs for a picture at SIDE pixels a side (benchmarks/loader.py)."""
SIDE = 640
PREFETCHED = 2
"""Batches that each process keeps ready, where there is room."""
MAX_PREFETCHED_BYTES = 2**30
"""Most memory for the batches that are ready."""
SHARED = Path("/dev/shm")  # noqa: S108 - no file of ours: PyTorch hands batches over through it
SLOW_LOADING_SHARE = 0.4
"""Share of the time from which loading is what a training waits for most."""


@dataclass(frozen=True, kw_only=True)
class LoaderMachine:
    """Cores and shared memory that data loading may use."""

    cores: int
    """That this process may use."""
    windows: bool = False
    processes: int = 1
    """Of a training that runs here in several, which share the cores."""
    shared: int | None = None
    """Bytes that processes can hand over at a time; None: as many as there is memory."""

    @property
    def most(self) -> int:
        """Processes for which there are cores beside the training's own."""
        return max(0, self.cores // self.processes - 1)

    @property
    def start(self) -> float:
        """Seconds until started processes all work."""
        return START_SECONDS_ON_WINDOWS if self.windows else START_SECONDS


def this_machine(processes: int = 1) -> LoaderMachine:
    """Return what this machine has, for a training in so many PROCESSES."""
    usable = getattr(os, "sched_getaffinity", None)
    return LoaderMachine(
        cores=len(usable(0)) if usable else os.cpu_count() or 1,
        windows=sys.platform == "win32",
        processes=processes,
        shared=disk_usage(SHARED).free if SHARED.is_dir() else None,
    )


def workers_for(config: TrainConfig, device: str, pictures: int, machine: LoaderMachine) -> int:
    """Return how many processes load for a training on DEVICE (a type) of so many PICTURES.

    What CONFIG says, unless that is `auto`. Then none where the network computes on the processor
    or where the whole training is short; else as many as there are cores, batches and room for.
    """
    if not isinstance(config.workers, str):
        return config.workers
    if device == "cpu" or seconds_of(config, pictures) < START_PAYS_FACTOR * machine.start:
        return 0
    most = min(machine.most, MAX_WORKERS_ON_WINDOWS if machine.windows else MAX_WORKERS)
    most = min(most, max(1, pictures // (config.pictures * machine.processes)))
    if machine.shared is not None:
        most = min(
            most, machine.shared // ((1 + PREFETCHED) * batch_bytes(config) * machine.processes)
        )
    return most


def makes_beside(device: str, threads: int, machine: LoaderMachine) -> bool:
    """Whether the next batch is made while a network computes in THREADS on DEVICE (a type).

    Not where they are on every core. Each operation ends with its slowest thread, and the one that
    shares its core with the making of a batch takes twice as long: the batch costs its time all the
    same, and the changes between the two cost more (`benchmarks/training.py --beside`).
    """
    return device != "cpu" or threads < machine.cores // machine.processes


def announcement(workers: int, machine: LoaderMachine) -> str:
    """Say how many WORKERS load the pictures, and where that is too many; empty for none."""
    if not workers:
        return ""
    who = "a process loads" if workers == 1 else f"{workers} processes load"
    crowded = f", for which {machine.cores} cores are too few: --set train.workers=auto"
    return f"{who} the pictures{crowded if workers > machine.most else ''}"


def seconds_of(config: TrainConfig, pictures: int) -> float:
    """Return about how long one core would make pictures for the whole training."""
    each = PICTURE_SECONDS * max(
        0.3, (config.image_size / SIDE) ** 2
    )  # decoding takes its part always
    return config.epochs * pictures * each


def batch_bytes(config: TrainConfig) -> int:
    """Return the bytes of the largest batch."""
    return config.pictures * 3 * largest_side(config) ** 2


def ahead(workers: int, config: TrainConfig) -> int | None:
    """Return how many batches each of so many WORKERS keeps ready; None where there are none."""
    if not workers:
        return None
    return max(1, min(PREFETCHED, MAX_PREFETCHED_BYTES // (workers * batch_bytes(config))))


def complaint(event: Mapping[str, Any], config: TrainConfig, machine: LoaderMachine) -> str:
    """Say that EVENT's epoch waited for its pictures and what helps; empty where it did not.

    More processes are advised only where there are cores for them and where what they would save
    is more than what starting them costs.
    """
    share = float(event.get("loading", 0.0))
    if event.get("kind") != "epoch" or share < SLOW_LOADING_SHARE:
        return ""
    remedies = [*_other_workers(event, config, machine)]
    if not config.cache:
        remedies.append("set train.cache=true")
    remedies += ["fewer train.augmentations", "smaller pictures"]
    advice = f"{', '.join(remedies[:-1])}, or {remedies[-1]}"
    return f"loading pictures takes {share:.0%} of the training's time: {advice}"


def _other_workers(
    event: Mapping[str, Any], config: TrainConfig, machine: LoaderMachine
) -> list[str]:
    now, share = int(event.get("workers", 0)), float(event["loading"])
    seconds, makers = float(event.get("seconds", 0.0)), max(1, now)  # without any, a thread makes
    wanted = min(machine.most, math.ceil(makers / max(0.05, 1 - share)))
    if wanted > makers:
        left = config.epochs - int(event.get("epoch", 0))
        saved = seconds * left * share * (1 - makers / wanted)
        if saved > START_PAYS_FACTOR * machine.start:
            return [f"set train.workers={wanted}"]
    short = seconds * config.epochs < START_PAYS_FACTOR * machine.start
    return ["set train.workers=auto"] if now > machine.most or (now and short) else []
