"""Provenance of a run: the packages and the hardware; `source_patch` tells the code."""

from __future__ import annotations

import contextlib
import importlib
import os
import platform
import re
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.conditions import USUAL_ENGINE, Conditions
from featherface.devices.names import number
from featherface.devices.precision import FULL

if TYPE_CHECKING:
    import torch

    from featherface.engines.engine import Engine


@cache
def environment() -> str:
    """Return `name==version` of every installed package, one per line, sorted."""
    versions: dict[str, str] = {}
    for package in metadata.distributions():
        name = package.metadata["Name"]
        if name:
            versions.setdefault(re.sub(r"[-_.]+", "-", name).lower(), package.version)
    lines = [f"python=={platform.python_version()}"]
    lines += [f"{name}=={version}" for name, version in sorted(versions.items())]
    return "\n".join(lines) + "\n"


def hardware(device: str = "auto") -> dict[str, Any]:
    """Return what decides speed: processor, memory, system, and the card that DEVICE asks for."""
    import psutil  # noqa: PLC0415 - only runs ask

    facts: dict[str, Any] = {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
    }
    return facts | _accelerator(number(device))


def _cpu_name() -> str:
    """Return the processor's name as it is sold: `platform` knows its family alone."""
    systems = {"Linux": _cpu_of_linux, "Windows": _cpu_of_windows, "Darwin": _cpu_of_macos}
    name = ""
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        name = systems.get(platform.system(), str)().strip()
    return name or platform.processor() or platform.machine()


def _cpu_of_linux() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2] for line in lines if line.startswith("model name")), "")


def _cpu_of_windows() -> str:
    registry = importlib.import_module("winreg")
    place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    with registry.OpenKey(registry.HKEY_LOCAL_MACHINE, place) as key:
        return str(registry.QueryValueEx(key, "ProcessorNameString")[0])


def _cpu_of_macos() -> str:
    command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
    done = subprocess.run(  # noqa: S603 - the system's own program, by its full path
        command, capture_output=True, text=True, check=True, timeout=5
    )
    return done.stdout


def _accelerator(card: int | None) -> dict[str, Any]:
    """Return CARD, else the current one, asked only where PyTorch is loaded anyway."""
    torch = sys.modules.get("torch")
    if torch is None:
        return {}
    facts: dict[str, Any] = {"torch": str(torch.__version__), "threads": torch.get_num_threads()}
    if torch.cuda.is_available():
        count = facts["gpus"] = torch.cuda.device_count()
        there = card if card is not None and card < count else torch.cuda.current_device()
        facts["gpu"] = torch.cuda.get_device_name(there)
    return facts


def conditions_of(engine: Engine, precision: str) -> Conditions:
    """Return the conditions of what ENGINE computes here, asked for PRECISION."""
    written = engine.stored_in
    return conditions_on(engine.computes_on, precision if written == FULL else written, engine.name)


def conditions_on(device: torch.device, precision: str, engine: str = USUAL_ENGINE) -> Conditions:
    """Return the conditions of what DEVICE of this machine computes in PRECISION by ENGINE."""
    return Conditions(
        device=device.type,
        hardware=hardware_name(device),
        precision=precision,
        engine=engine,
    )


def hardware_name(device: torch.device) -> str:
    """Return what DEVICE is called; of several cards the one that it is."""
    if device.type == "cuda":
        import torch  # noqa: PLC0415 - loaded already, where there is a device

        return str(torch.cuda.get_device_name(device))
    return str(hardware()["cpu"])
