"""On what a number was measured, as far as it decides the number.

Size, batch and threads are still words of a metric's `protocol`; what stands here is typed.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping


TIMED = ("latency.", "memory.")
"""Starts of metrics that the device decides: milliseconds, and how memory is counted on it."""
ON_DATA = "widerface."
"""Start of metrics that the device decides in the last digits only, as long as its precision is
told by the protocol."""
SHOWN = {"fp32": "fp32", "tf32": "TF32", "bf16": "bf16", "fp16": "fp16"}


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Where and in which precision a network computed; empty is not known, or means nothing."""

    device: str = ""
    """`cpu`, `cuda` or `mps`."""
    hardware: str = ""
    """Its name, such as `NVIDIA GeForce RTX 3060`."""
    precision: str = ""
    """One of `featherface.devices.precision.PRECISIONS`."""

    @property
    def known(self) -> bool:
        """Whether anything is."""
        return self != Conditions()

    @property
    def full(self) -> bool:
        """Whether nothing was rounded, as far as is known."""
        return self.precision == "fp32"

    def decisive(self, metric: str) -> tuple[str, ...]:
        """Return what must agree for two values of METRIC to be compared."""
        return (self.device, self.hardware, self.precision) if metric.startswith(TIMED) else ()

    def shown(self) -> str:
        """Return the hardware's name, and the precision where it is not a CPU's usual one.

        >>> Conditions(device="cuda", hardware="RTX 3060", precision="tf32").shown()
        'RTX 3060, TF32'
        """
        usual = self.device in ("", "cpu") and self.precision in ("", "fp32")
        told = SHOWN.get(self.precision, self.precision)
        return ", ".join(part for part in (self.hardware, "" if usual else told) if part)

    def to_json(self) -> dict[str, str]:
        """Return what is known; `from_json` gives an equal value back."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value}

    @classmethod
    def from_json(cls, values: object) -> Conditions:
        """Read what `to_json` wrote; keys that a later version added are ignored.

        Raises:
            DataError: it is no mapping of names.
        """
        if not isinstance(values, dict):
            raise DataError(f"not the conditions of a measurement: {values!r}")
        known = {field.name for field in dataclasses.fields(cls)}
        return cls(**{key: str(value) for key, value in values.items() if key in known})


def as_recorded(
    metric: str, hardware: Mapping[str, Any], details: Mapping[str, Any], *, judged: bool
) -> Conditions:
    """Return what a record tells of METRIC that was written before conditions were kept.

    Where nothing but a processor was there, it computed in single precision; what a card did, its
    default rounding included, is not known. DETAILS are those of results.json; JUDGED says that
    the detections came from elsewhere.
    """
    if metric.startswith(TIMED):
        return _timed(metric, hardware, str(details.get("benchmark", {}).get("device", "")))
    if metric.startswith(ON_DATA) and not judged and _only_a_processor(hardware):
        return _processor(hardware)
    return Conditions()


def _timed(metric: str, hardware: Mapping[str, Any], told: str) -> Conditions:
    device = told.partition(":")[0]
    if not device and metric.startswith("latency."):
        device = "cpu" if ".cpu." in metric else "cuda"
    if not device and _only_a_processor(hardware):
        device = "cpu"
    if device == "cpu":
        return _processor(hardware)
    if device == "mps":
        return dataclasses.replace(_processor(hardware), device="mps")
    return Conditions(device=device, hardware=str(hardware.get("gpu", "")) if device else "")


def _only_a_processor(hardware: Mapping[str, Any]) -> bool:
    """Whether HARDWARE has no card, nor may be a Mac, whose graphics no record names."""
    system = str(hardware.get("system", ""))
    return bool(system) and not system.startswith("Darwin") and not hardware.get("gpu")


def _processor(hardware: Mapping[str, Any]) -> Conditions:
    return Conditions(device="cpu", hardware=str(hardware.get("cpu", "")), precision="fp32")
