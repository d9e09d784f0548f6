"""Time and memory of a forward pass, layer by layer."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from featherface.devices.select import choose
from featherface.networks.layers.convolution import PerLevel
from featherface.profiling.memory import LiveBytes, tensor_bytes
from featherface.profiling.timing import made_up, measuring, wait
from featherface.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from featherface.profiling.config import BenchmarkConfig
    from featherface.progress import OnProgress

IDLE = (nn.Sequential, PerLevel, nn.Identity)
"""Modules that only hand on: what they seem to take is the watching."""


@dataclass(frozen=True, kw_only=True)
class LayerCost:
    """What one module does itself: what the modules inside it do is theirs."""

    name: str
    """Dotted path in the network; empty for the network itself."""
    kind: str
    """Its class."""
    calls: int
    """Times it works in one pass; a head that all levels share works three times."""
    milliseconds: float
    """Median of the timed passes, all calls together."""
    share: float
    """Of the sum over all layers."""
    output_megabytes: float
    """10^6 bytes that all calls return."""
    peak_megabytes: float
    """Most 10^6 bytes of tensors alive while it works, the picture and the weights left out."""


@dataclass
class _ModuleCall:
    """One module at work."""

    module: str
    start: Any
    end: Any = None
    parent: _ModuleCall | None = None


def layer_costs(
    model: nn.Module, config: BenchmarkConfig, on_progress: OnProgress = silent
) -> tuple[LayerCost, ...]:
    """Measure every module of MODEL that does something itself, in the order of work.

    Times are medians over CONFIG's runs, taken by events on CUDA and by the clock elsewhere.
    Watching costs some microseconds per module, so their sum is above `latency`'s median. Memory
    comes from one more pass, counted as `peak_memory` does on the CPU.
    """
    device = choose(config.device)
    with measuring(model, device, config), torch.inference_mode():
        images = made_up(config, device)
        passes: list[dict[str, float]] = []
        for index in range(-config.warmup, config.runs):
            spent = _timed(model, images)
            if index >= 0:
                passes.append(spent)
                on_progress(Progress("layers", index + 1, config.runs, "runs"))
        weighed = _weighed(model, images)
    times = {
        name: statistics.median(times_of_pass[name] for times_of_pass in passes)
        for name in passes[0]
    }
    total = sum(times.values())
    return tuple(
        LayerCost(
            name=name,
            kind=type(model.get_submodule(name)).__name__,
            milliseconds=spent,
            share=spent / total if total else 0.0,
            **weighed[name],
        )
        for name, spent in times.items()
    )


def _timed(model: nn.Module, images: Tensor) -> dict[str, float]:
    """Return the milliseconds of each module itself in one pass."""
    spans: list[_ModuleCall] = []
    stack: list[_ModuleCall] = []
    stamp, between = _clock(images.device)

    def before(name: str) -> None:
        spans.append(_ModuleCall(name, stamp(), parent=stack[-1] if stack else None))
        stack.append(spans[-1])

    def after(_name: str, _output: Any) -> None:
        stack.pop().end = stamp()

    wait(images.device)
    with _watched(model, before, after):
        model(images)
    wait(images.device)
    own: dict[str, float] = defaultdict(float)
    for span in spans:
        spent = between(span.start, span.end)
        own[span.module] += spent
        if span.parent is not None:
            own[span.parent.module] -= spent
    return {name: max(0.0, spent) for name, spent in own.items()}


def _clock(device: torch.device) -> tuple[Callable[[], Any], Callable[[Any, Any], float]]:
    """Return what takes a stamp, and what gives the milliseconds between two."""
    if device.type != "cuda":
        return lambda: _now(device), lambda start, end: 1000 * float(end - start)

    def record() -> torch.cuda.Event:
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    return record, lambda start, end: float(start.elapsed_time(end))


def _now(device: torch.device) -> float:
    wait(device)
    return time.perf_counter()


def _weighed(model: nn.Module, images: Tensor) -> dict[str, dict[str, Any]]:
    """Return calls, output and peak of each module in one pass."""
    live = LiveBytes()
    outer: list[int] = []
    calls: Counter[str] = Counter()
    outputs: Counter[str] = Counter()
    peaks: Counter[str] = Counter()

    def before(_name: str) -> None:
        outer.append(live.peak)
        live.forget()

    def after(name: str, output: Any) -> None:
        calls[name] += 1
        outputs[name] += sum(tensor_bytes(tensor) for tensor in _tensors(output))
        peaks[name] = max(peaks[name], live.peak)
        live.peak = max(live.peak, outer.pop())

    with _watched(model, before, after), live:
        model(images)
    return {
        name: {
            "calls": count,
            "output_megabytes": outputs[name] / 1e6,
            "peak_megabytes": peaks[name] / 1e6,
        }
        for name, count in calls.items()
    }


@contextlib.contextmanager
def _watched(
    model: nn.Module, before: Callable[[str], None], after: Callable[[str, Any], None]
) -> Iterator[None]:
    """Tell BEFORE and AFTER of each module's work inside the block."""
    handles = []
    for name, module in model.named_modules():
        if isinstance(module, IDLE):
            continue
        handles.append(module.register_forward_pre_hook(lambda *_, name=name: before(name)))
        handles.append(
            module.register_forward_hook(lambda _m, _i, output, name=name: after(name, output))
        )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _tensors(output: Any) -> Iterator[Tensor]:
    """Yield the tensors in what a module returned."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        yield from _tensors(list(output.values()))
    elif isinstance(output, list | tuple):
        for item in output:
            yield from _tensors(item)
