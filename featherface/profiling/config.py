"""Benchmark settings. Lean: nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass

from featherface.devices.names import check_device
from featherface.devices.precision import FULL, check_precision
from featherface.errors import UsageError


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

    def __post_init__(self) -> None:
        check_precision("benchmark.precision", self.precision)
        for key, low in (("image_size", 32), ("batch_size", 1), ("runs", 1)):
            _check_at_least(key, getattr(self, key), low)
        _check_at_least("warmup", self.warmup, 0)
        _check_at_least("threads", self.threads, 0)
        if self.image_size % 32:
            raise UsageError(
                f"benchmark.image_size: {self.image_size} is no multiple of 32",
                f"try {round(self.image_size / 32) * 32}",
            )
        check_device(self.device, "benchmark.device")


def _check_at_least(key: str, value: object, low: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < low:
        raise UsageError(
            f"benchmark.{key}: {value!r} is not legal", f"give a whole number from {low}"
        )
