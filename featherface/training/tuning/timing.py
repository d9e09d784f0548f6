"""Timing of a training step by precision, memory format and choice of kernels."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import torch

from featherface.errors import UnavailableError
from featherface.profiling.capacity import survives
from featherface.progress import Progress, silent
from featherface.training.config.train import AUTO
from featherface.training.tuning.step_benchmark import StepBenchmark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.terms import Teacher

ROUNDS = 3
"""Timed steps of each setting, after an untimed one."""
PROBE = {"cpu": 2}
"""Most pictures in a timed step, by device; elsewhere a whole batch."""
SETTINGS = ("amp", "channels_last", "deterministic")
"""Keys that decide how fast a step is, and not what it learns."""
PRECISION_GAIN, LAYOUT_GAIN = 0.1, 0.05
"""Share of the time that half precision, or another layout or kernel, must save to be chosen."""
LOSS_TOLERANCE = 0.1
"""Share by which the first loss in half precision may differ from that in single."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What a training step cost in one setting."""

    amp: str
    channels_last: bool
    deterministic: bool = True
    milliseconds: float
    """Per picture: the median of the timed steps."""
    runs: tuple[float, ...]
    """Milliseconds per picture of each timed step."""
    loss: float
    """Of the first step: the same network and pictures for every setting."""

    @property
    def setting(self) -> dict[str, Any]:
        """The values of SETTINGS."""
        return {key: getattr(self, key) for key in SETTINGS}

    def sentence(self) -> str:
        """Say what was measured."""
        layout = "channels last" if self.channels_last else "channels first"
        precision = "single precision" if self.amp == "no" else self.amp
        kernels = "" if self.deterministic else ", fastest kernels"
        return f"{precision}, {layout}{kernels}: {self.milliseconds:.1f} ms per picture"


def settings(config: TrainConfig, device: torch.device) -> list[TrainConfig]:
    """Return CONFIG in every setting that it leaves open, the usual one first."""
    choices = precisions(config, device), layouts(config), repeatabilities(config, device)
    combinations: list[dict[str, Any]] = [
        dict(zip(SETTINGS, choice, strict=True)) for choice in product(*choices)
    ]
    return [replace(config, **settings) for settings in combinations]


def probe(device: torch.device, batch: int) -> int:
    """Return how many pictures a timed step has where BATCH of them are trained with.

    A GPU is busy with a whole batch only; a CPU takes as long for each picture of a small one.
    """
    return min(batch, PROBE.get(device.type, batch))


def precisions(config: TrainConfig, device: torch.device) -> list[str]:
    """Return the precisions to try, full precision first."""
    if config.amp != AUTO:
        return [config.amp]
    if device.type == "cuda":  # older cards only pretend to compute in bf16
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return ["no", *(["bf16"] if bf16 else []), "fp16"]
    return ["no", "bf16"] if device.type == "cpu" and _processor_has_bf16() else ["no"]


def _processor_has_bf16() -> bool:
    """Whether this processor multiplies in bf16 (AMX, AVX512_BF16, ARM's); others convert it.

    True where an older PyTorch can't tell.
    """
    told = getattr(torch.cpu, "get_capabilities", None)
    return told is None or any(able for name, able in told().items() if "bf16" in name)


def layouts(config: TrainConfig) -> list[bool]:
    """Return the layouts to try, the usual one first."""
    return [True, False] if config.channels_last == AUTO else [bool(config.channels_last)]


def repeatabilities(config: TrainConfig, device: torch.device) -> list[bool]:
    """Return whether to try kernels that repeat their result, the usual ones first."""
    if config.deterministic != AUTO:
        return [bool(config.deterministic)]
    return [True, False] if device.type == "cuda" else [True]


def time_settings(
    model: Detector,
    options: Sequence[TrainConfig],
    pictures: int,
    device: torch.device,
    teacher: Teacher | None = None,
    on_progress: OnProgress = silent,
) -> tuple[Timing, ...]:
    """Time a training step with PICTURES in each of OPTIONS, in turns.

    One that has no room for it is left out.

    Raises:
        UnavailableError: none has.
    """
    benchmarks = [StepBenchmark(model, option, device, teacher) for option in options]
    losses = [math.nan] * len(benchmarks)
    runs: list[list[float]] = [[] for _ in benchmarks]
    errors: list[Exception] = []

    def first(place: int) -> bool:
        losses[place] = benchmarks[place].step(pictures)
        return True

    able = [place for place in range(len(benchmarks)) if survives(first, place, errors)]
    if not able:
        raise _no_room(pictures, benchmarks[0]) from (errors[-1] if errors else None)
    for turn in range(ROUNDS):
        for done, place in enumerate(able, turn * len(able) + 1):
            runs[place].append(benchmarks[place].milliseconds(pictures) / pictures)
            on_progress(Progress("measure", done, ROUNDS * len(able), "steps"))
    return tuple(
        Timing(
            amp=options[place].amp,
            channels_last=bool(options[place].channels_last),
            deterministic=bool(options[place].deterministic),
            milliseconds=statistics.median(runs[place]),
            runs=tuple(runs[place]),
            loss=losses[place],
        )
        for place in able
    )


def _no_room(pictures: int, benchmark: StepBenchmark) -> UnavailableError:
    return UnavailableError(
        f"a batch of {pictures} pictures of {benchmark.side} pixels does not fit on"
        f" {benchmark.device}",
        "let the machine choose: --set train.batch_size=auto; or lower train.batch_size",
    )


def fastest(timings: Sequence[Timing]) -> Timing:
    """Return the setting to train with: the first, unless another is clearly faster.

    Half precision must also give nearly the same loss as single precision does.
    """
    best = timings[0]
    for timing in timings[1:]:
        gain = LAYOUT_GAIN if timing.amp == best.amp else PRECISION_GAIN
        if _agrees(timing, timings[0]) and timing.milliseconds < (1 - gain) * best.milliseconds:
            best = timing
    return best


def _agrees(timing: Timing, full: Timing) -> bool:
    """Whether the loss of ONE is that of FULL precision, nearly."""
    return math.isclose(timing.loss, full.loss, rel_tol=LOSS_TOLERANCE)
