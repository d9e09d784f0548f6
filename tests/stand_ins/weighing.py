"""The memory of a network in a file, without the process of its own that weighs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.engines.opening import open_file
from featherface.profiling.memory import PROCESS, PeakMemory

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.profiling.config import BenchmarkConfig


def weighed_here(path: Path, config: BenchmarkConfig) -> PeakMemory:
    """Open PATH as the process would, and say what it might have: another megabyte each pass."""
    open_file(path, config.threads)
    size = path.stat().st_size / 1e6
    return PeakMemory.of([size + number for number in range(config.runs)], PROCESS)
