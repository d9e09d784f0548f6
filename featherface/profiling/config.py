"""Benchmark settings. Lean: nothing heavy is imported."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from featherface.devices.names import check_device
from featherface.devices.precision import FULL, check_precision
from featherface.engines.table import ENGINES
from featherface.errors import UsageError, unknown


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig:
    """One measurement of latency and memory."""

    image_size: int = 640
    """Side in pixels of the square picture; a multiple of 32."""
    batch_size: int = 1
    """Pictures at a time."""
    runs: int = 20
    """Timed forward passes."""
    warmup: int = 3
    """Passes before the first timed one."""
    threads: int = 0
    """CPU threads; 0 leaves PyTorch's choice."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1` (any number) or `mps`."""
    precision: str = FULL
    """In which precision the network computes: fp32, tf32, bf16 or fp16."""
    beside: tuple[str, ...] = ()
    """Runs whose networks are timed in turns with this one, such as `v1@1`: the record then tells
    how many times as long this one takes, with an interval."""
    sizes: tuple[int, ...] = ()
    """Sides in pixels at which further cases are timed; empty for `image_size` alone."""
    batches: tuple[int, ...] = ()
    """Pictures at a time in the further cases; empty for `batch_size` alone."""
    engines: tuple[str, ...] = ()
    """What computes the further cases, in turns: torch, onnxruntime, …; empty for torch alone."""
    end_to_end: bool = False
    """Whether the further cases time whole detections too: from a picture in memory to boxes."""
    exports: bool = False
    """Whether the export stage times each file that runs here, in turns with the network."""

    def __post_init__(self) -> None:
        check_precision("benchmark.precision", self.precision)
        for key in ("sizes", "batches", "engines"):
            object.__setattr__(self, key, tuple(getattr(self, key)))
        for size in self.sizes:
            _check_side("sizes", size)
        for batch in self.batches:
            _check_at_least("batches", batch, 1)
        for engine in self.engines:
            if engine not in ENGINES:
                raise UsageError(f"benchmark.engines: {unknown('engine', engine, ENGINES)}")
        _check_side("image_size", self.image_size)
        for key, low in (("batch_size", 1), ("runs", 1), ("warmup", 0), ("threads", 0)):
            _check_at_least(key, getattr(self, key), low)
        check_device(self.device, "benchmark.device")

    @property
    def cases(self) -> tuple[tuple[int, int], ...]:
        """Side and pictures at a time of each further case; none where none is asked for."""
        if not (self.sizes or self.batches or self.engines or self.end_to_end):
            return ()
        return tuple(
            itertools.product(self.sizes or (self.image_size,), self.batches or (self.batch_size,))
        )


def _check_side(key: str, side: object) -> None:
    _check_at_least(key, side, 32)
    if isinstance(side, int) and side % 32:
        raise UsageError(
            f"benchmark.{key}: {side} is no multiple of 32", f"try {round(side / 32) * 32}"
        )


def _check_at_least(key: str, value: object, low: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise UsageError(
            f"benchmark.{key}: {value!r} is not legal", f"give a whole number from {low}"
        )
