"""Which machine this is, and how fast numbers travel on it."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from typing import TYPE_CHECKING

import torch

from featherface.profiling.timing import wait
from gpu_parts.precisions import computing, here

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpu_parts.answers import Answers, Setting


def describe(setting: Setting, answers: Answers) -> None:
    device = setting.device
    answers.add(
        system=platform.platform(),
        python=platform.python_version(),
        cores=os.cpu_count(),
        torch=torch.__version__,
        built_for_cuda=torch.version.cuda,
        kernels_for=torch.cuda.get_arch_list() if torch.cuda.is_available() else [],
    )
    if device.type == "cuda":
        found = torch.cuda.get_device_properties(device)
        answers.add(
            device=found.name,
            devices=torch.cuda.device_count(),
            capability=f"{found.major}.{found.minor}",
            memory_gb=found.total_memory / 1e9,
            cudnn=torch.backends.cudnn.version(),
            driver=driver(),
        )
    side = setting.pick(4096, 256)
    left, right = (torch.randn(side, side, device=device) for _ in range(2))
    for precision in here(device):
        with computing(precision, device):
            seconds = timed(lambda: left @ right, device, setting.pick(20, 2))
        answers.row("matrix products", precision=precision, tflops=2 * side**3 / seconds / 1e12)


def driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"unknown ({error})"
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "unknown"


def copy_rates(setting: Setting, answers: Answers) -> None:
    device, times = setting.device, setting.pick(10, 2)
    count = setting.pick(157_286_400, 1_000_000)  # 32 pictures of 640 x 640 in single precision
    pageable = torch.zeros(count, dtype=torch.uint8)
    sources = {"pageable memory": pageable}
    if device.type == "cuda":
        sources["pinned memory"] = pageable.pin_memory()
    far = pageable.to(device)
    for name, source in sources.items():
        kept = source.clone() if name == "pageable memory" else source
        there = timed(lambda kept=kept: far.copy_(kept, non_blocking=True), device, times)
        back = timed(lambda kept=kept: kept.copy_(far, non_blocking=True), device, times)
        answers.row("copies", host=name, to_gb_s=count / there / 1e9, back_gb_s=count / back / 1e9)
    small = torch.zeros((), device=device)
    answers.add(scalar_read_us=1e6 * timed(small.item, device, setting.pick(200, 5)))


def timed(action: Callable[[], object], device: torch.device, times: int) -> float:
    """Seconds of one ACTION, the mean of TIMES after two."""
    for _ in range(2):
        action()
    wait(device)
    start = time.perf_counter()
    for _ in range(times):
        action()
    wait(device)
    return (time.perf_counter() - start) / times
