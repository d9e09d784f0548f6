"""Training steps: how fast, in how much memory, with how many launches and stalls."""

from __future__ import annotations

import itertools
import statistics
from typing import TYPE_CHECKING

import torch

from featherface.networks.detector import build
from featherface.training.config.distill import DistillConfig
from featherface.training.config.train import TrainConfig
from featherface.training.distillation.terms import Teacher
from featherface.training.tuning.automatic import settle
from featherface.training.tuning.step_benchmark import StepBenchmark
from featherface.variants.table import variant
from gpu_parts.precisions import computing, here

if TYPE_CHECKING:
    from gpu_parts.answers import Answers, Setting

AMP = {"fp32": "no", "tf32": "no", "bf16": "bf16", "fp16": "fp16"}
WAYS = ((True, True), (True, False), (False, False))
"""Channels last, and only kernels that repeat their result."""
WAITS = ("cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaEventSynchronize")
COPIES = ("Memcpy DtoH", "Memcpy HtoD", "Memcpy DtoD")


def by_precision(setting: Setting, answers: Answers) -> None:
    """Pictures per second by precision and memory layout; the settings take turns."""
    device, rounds = setting.device, setting.pick(7, 2)
    count, side = setting.pick((32, 640), (2, 64))
    for name in setting.pick(["retinaface-mnet025", "v2", "v1"], ["v3-nano"]):
        benchmarks = {}
        for precision, (last, repeatable) in itertools.product(here(device), WAYS):
            config = TrainConfig(
                batch_size=count,
                image_size=side,
                amp=AMP[precision],
                channels_last=last,
                deterministic=repeatable,
                device=setting.name,
            )
            key = precision, last, repeatable
            benchmarks[key] = StepBenchmark(build(variant(name), 0), config, device)
        spent = {key: [] for key in benchmarks}
        peaks = {}
        for turn in range(rounds + 2):
            for key, benchmark in benchmarks.items():
                if device.type == "cuda":
                    torch.cuda.reset_peak_memory_stats(device)
                with computing("tf32" if key[0] == "tf32" else "fp32", device):
                    milliseconds = benchmark.milliseconds(count)
                if turn >= 2:
                    spent[key].append(milliseconds)
                if device.type == "cuda":
                    peaks[key] = torch.cuda.max_memory_allocated(device) / 1e6
        for key, runs in spent.items():
            precision, last, repeatable = key
            answers.row(
                "training steps",
                variant=name,
                precision=precision,
                channels_last=last,
                repeatable=repeatable,
                batch=count,
                pictures_per_second=1000 * count / statistics.median(runs),
                slowest_ms=max(runs),
                fastest_ms=min(runs),
                peak_mb=peaks.get(key),
            )
        del benchmarks


def profile(setting: Setting, answers: Answers) -> None:
    """What one step asks of the device: kernels launched, copies, waits; alone and taught."""
    device = setting.device
    count, side = setting.pick((32, 640), (2, 64))
    for taught in (False, True):
        teacher = Teacher(build(variant("v1"), 1), "v1", DistillConfig(teacher="v1"))
        config = TrainConfig(batch_size=count, image_size=side, device=setting.name)
        benchmark = StepBenchmark(
            build(variant("v2"), 0), config, device, teacher if taught else None
        )
        for _ in range(2):
            benchmark.step(count)
        activities = [torch.profiler.ProfilerActivity.CPU]
        if device.type == "cuda":
            activities.append(torch.profiler.ProfilerActivity.CUDA)
        with torch.profiler.profile(activities=activities) as seen:
            benchmark.step(count)
            if device.type == "cuda":
                torch.cuda.synchronize(device)
        events = seen.key_averages()
        counts = {one.key: one.count for one in events}
        answers.row(
            "one step",
            taught=taught,
            operations=sum(one.count for one in events if one.key.startswith("aten::")),
            launches=counts.get("cudaLaunchKernel", 0) + counts.get("cuLaunchKernelEx", 0),
            waits=sum(counts.get(name, 0) for name in WAITS),
            **{
                name.removeprefix("Memcpy "): sum(
                    number for key, number in counts.items() if key.startswith(name)
                )
                for name in COPIES
            },
        )
        if device.type == "cuda":
            longest = sorted(events, key=lambda one: -one.self_device_time_total)[:8]
            for one in longest:
                spent = one.self_device_time_total / 1000
                answers.row("longest", taught=taught, what=one.key, times=one.count, ms=spent)


def automatic(setting: Setting, answers: Answers) -> None:
    """What `auto` chooses, and what it measured."""
    for name in setting.pick(["v2", "v1"], ["v3-nano"]):
        config = TrainConfig(
            batch_size="auto",
            amp="auto",
            channels_last="auto",
            deterministic="auto",
            image_size=setting.pick(640, 64),
            device=setting.name,
        )
        chosen = settle(build(variant(name), 0), config, pictures=setting.pick(256, 4))
        for sentence in chosen.sentences():
            answers.row("auto", variant=name, said=sentence)
