"""The parts of `benchmarks/gpu.py`, each with its limit in seconds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gpu_parts.answers import Answers, Setting


class Part(NamedTuple):
    """What is run in a process of its own."""

    module: str
    function: str
    seconds: float
    """It is stopped after so many."""

    def run(self, setting: Setting, answers: Answers) -> None:
        getattr(import_module(f"gpu_parts.{self.module}"), self.function)(setting, answers)


PARTS = {
    "machine": Part("machine", "describe", 60),
    "copies": Part("machine", "copy_rates", 60),
    "deformable": Part("kernels", "deformable", 60),
    "matchings": Part("kernels", "matchings", 90),
    "variants": Part("kernels", "variants", 240),
    "product": Part("product", "whole_run", 300),
    "half": Part("product", "half_precision", 120),
    "steps": Part("steps", "by_precision", 180),
    "stalls": Part("steps", "profile", 90),
    "auto": Part("steps", "automatic", 150),
    "loader": Part("loader", "by_workers", 120),
    "accuracy": Part("accuracy", "by_precision", 180),
    "latency": Part("accuracy", "latencies", 120),
    "exports": Part("exports", "files", 240),
    "together": Part("product", "two_processes", 150),
}
"""In the order they run: what the others stand on comes first."""
