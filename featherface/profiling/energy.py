"""Energy of passes, where the machine counts it: RAPL of the processor, NVML of NVIDIA's cards.

What is counted is all that the processor's package or the card used meanwhile, idling included and
whatever else ran. Counters move every few milliseconds to tenths of a second, so passes are
repeated for a while and taken together, and never in turns with another network's. A machine that
tells nothing, or whose counter stands still, has no figure: never a zero.
"""

from __future__ import annotations

import importlib
import shutil
import statistics
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from featherface.profiling import machine as this_machine
from featherface.profiling.circumstances import LIMITS, Stretch
from featherface.profiling.stopwatch import wait

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

    from featherface.profiling.timing import Workload

POWERCAP = Path("/sys/class/powercap")
"""Where Linux shows RAPL's counters; in many systems only to root."""
SHORTEST = 2.0
"""Seconds that passes are repeated at least."""
DISTURBED = "disturbed"


class Meter(Protocol):
    """Something that counts energy."""

    name: str
    """What the figure is of, such as `RAPL package-0`."""

    def start(self) -> None:
        """Begin to count."""

    def joules(self) -> float | None:
        """Return what was used since the start; None where it does not tell."""


@dataclass(frozen=True, kw_only=True)
class Energy:
    """Joules of a stretch of passes."""

    joules: float
    seconds: float
    passes: int
    pictures: int
    meters: tuple[str, ...]
    other_cores: float | None
    """Cores that other programs kept busy meanwhile; their energy is in the figure."""

    @property
    def marks(self) -> tuple[str, ...]:
        """`disturbed` where other programs used a share of a core that counts; else nothing."""
        limit = LIMITS["load"]
        return (DISTURBED,) if self.other_cores is not None and self.other_cores > limit else ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "joules_per_picture": self.joules / self.pictures,
            "watts": self.joules / self.seconds,
            "joules": self.joules,
            "seconds": self.seconds,
            "passes": self.passes,
            "meters": list(self.meters),
            "other_cores": self.other_cores,
            "marks": list(self.marks),
        }


def meters_of(device: torch.device) -> Sequence[Meter]:
    """Return what counts the energy of DEVICE here; nothing where nothing does."""
    if device.type == "cpu":
        return rapl_meters(POWERCAP)
    if device.type == "cuda":
        return [meter for meter in (nvml_meter(device), smi_meter(device)) if meter][:1]
    return []


def energy(
    workload: Workload, pictures: int, passes: int, meters: Sequence[Meter]
) -> Energy | None:
    """Repeat WORKLOAD, of PICTURES each, for PASSES and two seconds at least; None: nobody tells.

    It is to be in order already, as inside `workload.ready()`.
    """
    if not meters:
        return None
    machine = this_machine.THIS
    times, start, count = machine.times(), machine.clock(), 0
    for meter in meters:
        meter.start()
    while count < passes or machine.clock() - start < SHORTEST:
        workload.work()
        wait(workload.device)
        count += 1
    used = [(meter.name, meter.joules()) for meter in meters]
    seconds = machine.clock() - start
    told = {name: joules for name, joules in used if joules is not None and joules > 0}
    if len(told) < len(meters):
        return None
    return Energy(
        joules=sum(told.values()),
        seconds=seconds,
        passes=count,
        pictures=count * pictures,
        meters=tuple(told),
        other_cores=Stretch(seconds=seconds, before=times, after=machine.times()).other_cores,
    )


@dataclass
class RaplMeter:
    """A package's counter of microjoules, which begins anew at its range."""

    folder: Path
    name: str
    _before: int | None = field(default=None, init=False)

    def start(self) -> None:
        """Read the counter."""
        self._before = _number(self.folder / "energy_uj")

    def joules(self) -> float | None:
        """Return the difference since the start, over one new beginning of the counter."""
        after, span = _number(self.folder / "energy_uj"), self.folder / "max_energy_range_uj"
        if self._before is None or after is None:
            return None
        if after < self._before:
            whole = _number(span)
            return None if whole is None else (after - self._before + whole) / 1e6
        return (after - self._before) / 1e6


def rapl_meters(root: Path) -> list[RaplMeter]:
    """Return the packages that RAPL counts under ROOT and lets this process read."""
    meters = []
    for folder in sorted(root.glob("intel-rapl:*")) if root.is_dir() else []:
        name = _text(folder / "name")
        if name.startswith("package-") and _number(folder / "energy_uj") is not None:
            meters.append(RaplMeter(folder, f"RAPL {name}"))
    return meters


@dataclass
class NvmlMeter:
    """A card's own counter of millijoules."""

    library: Any
    handle: Any
    name: str = "NVML"
    _before: float | None = field(default=None, init=False)

    def start(self) -> None:
        """Read the counter."""
        self._before = self._millijoules()

    def joules(self) -> float | None:
        """Return the difference since the start."""
        after = self._millijoules()
        return None if self._before is None or after is None else (after - self._before) / 1e3

    def _millijoules(self) -> float | None:
        try:
            return float(self.library.nvmlDeviceGetTotalEnergyConsumption(self.handle))
        except self.library.NVMLError:  # cards before Volta count no energy
            return None


def nvml_meter(device: torch.device) -> NvmlMeter | None:
    """Return the counter of the card DEVICE; None without the library or such a counter."""
    try:
        library = importlib.import_module("pynvml")
        library.nvmlInit()
        handle = library.nvmlDeviceGetHandleByUUID(card_uuid(device))
    except Exception:  # noqa: BLE001 - no library, no driver, or one that fails in its own way
        return None
    meter = NvmlMeter(library, handle)
    meter.start()
    return meter if meter.joules() is not None else None


@dataclass
class SmiMeter:
    """A card's power as nvidia-smi samples it; energy is its mean times the time."""

    program: str
    card: str
    name: str = "nvidia-smi power.draw"
    _sampling: subprocess.Popen[str] | None = field(default=None, init=False)
    _start: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Begin to sample every 100 ms."""
        query = ("--query-gpu=power.draw", "--format=csv,noheader,nounits", "--loop-ms=100")
        self._start = this_machine.THIS.clock()
        self._sampling = subprocess.Popen(  # noqa: S603 - the driver's program, found by its name
            [self.program, f"--id={self.card}", *query],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )

    def joules(self) -> float | None:
        """Stop, and return mean watts times seconds; None where no sample came."""
        if self._sampling is None:
            return None
        seconds = this_machine.THIS.clock() - self._start
        self._sampling.terminate()
        told, _ = self._sampling.communicate()
        self._sampling = None
        return joules_of_samples(told, seconds)


def smi_meter(device: torch.device) -> SmiMeter | None:
    """Return what samples the power of the card DEVICE; None where there is no nvidia-smi."""
    program = shutil.which("nvidia-smi")
    return SmiMeter(program, card_uuid(device)) if program else None


def joules_of_samples(told: str, seconds: float) -> float | None:
    """Return the mean of the watts TOLD, one a line, times SECONDS; None without any."""
    watts = [value for line in told.splitlines() if (value := _float(line)) is not None]
    return statistics.fmean(watts) * seconds if watts else None


def card_uuid(device: torch.device) -> str:
    """Return what NVIDIA's tools call the card DEVICE, whatever cards this process sees."""
    import torch  # noqa: PLC0415 - only where there is a card

    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text.isdigit() else None
