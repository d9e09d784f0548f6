"""What a machine tells of itself while something is timed on it: clock, load, frequency, power."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

IDLE_FIELDS = ("idle", "iowait")
COUNTED_TWICE = ("guest", "guest_nice")
"""Fields of the system's times that `user` and `nice` hold too."""


@dataclass(frozen=True, kw_only=True)
class ProcessorTimes:
    """Seconds of work since some moment, on the cores that this process may use."""

    busy: float
    """Of all processes, and of what a hypervisor gave to others."""
    own: float
    """Of this process."""
    cores: int
    """Cores that this process may use."""


@dataclass(frozen=True, kw_only=True)
class MachineState:
    """What the system tells of one moment; None where it doesn't."""

    load_average: float | None = None
    """Processes that ran or waited to, over the last minute."""
    megahertz: float | None = None
    """Frequency of the processor now."""
    celsius: float | None = None
    """The warmest sensor of the processor."""
    on_battery: bool | None = None


class Machine:
    """This machine; tests have stand-ins that tell another story."""

    def clock(self) -> float:
        """Return the seconds since some moment."""
        return time.perf_counter()

    def times(self) -> ProcessorTimes | None:
        """Return how busy the processor has been; None where the system doesn't tell."""
        times: ProcessorTimes | None = _known(_times)
        return times

    def state(self) -> MachineState:
        """Return what the system tells of now."""
        return MachineState(
            load_average=_known(lambda: os.getloadavg()[0]),
            megahertz=_known(_megahertz),
            celsius=_known(_celsius),
            on_battery=_known(_on_battery),
        )


THIS = Machine()


def _known(read: Callable[[], Any]) -> Any:
    """Return what READ tells; None where this system has no such thing, or hides it."""
    try:
        return read()
    except Exception:  # noqa: BLE001 - drivers and containers fail in ways of their own
        return None


def _times() -> ProcessorTimes:
    import psutil  # noqa: PLC0415 - slow, and only a measurement asks

    process = psutil.Process()
    cores = psutil.cpu_times(percpu=True)
    usable = process.cpu_affinity() if hasattr(process, "cpu_affinity") else range(len(cores))
    mine = process.cpu_times()
    return ProcessorTimes(
        busy=sum(_busy(cores[at]) for at in usable),
        own=mine.user + mine.system,
        cores=len(usable),
    )


def _busy(core: Any) -> float:
    """Return the seconds that one core worked for anyone."""
    left_out = (*IDLE_FIELDS, *COUNTED_TWICE)
    return float(sum(value for name, value in core._asdict().items() if name not in left_out))


def _megahertz() -> float | None:
    import psutil  # noqa: PLC0415 - as above

    frequency = psutil.cpu_freq()
    return float(frequency.current) if frequency and frequency.current else None


def _celsius() -> float | None:
    import psutil  # noqa: PLC0415 - as above

    sensors = psutil.sensors_temperatures()
    names = [name for name in ("coretemp", "k10temp", "cpu_thermal") if name in sensors]
    return max(
        (float(reading.current) for name in names for reading in sensors[name]), default=None
    )


def _on_battery() -> bool | None:
    import psutil  # noqa: PLC0415 - as above

    battery = psutil.sensors_battery()
    return None if battery is None or battery.power_plugged is None else not battery.power_plugged
