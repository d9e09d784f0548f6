"""The conditions of a measurement, as far as they decide the number."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from featherface.evaluation.config import EvaluateConfig

TIMED = ("latency.", "throughput.", "energy.", "memory.")
"""Starts of metrics that the device decides: time, energy, and how memory is counted on it."""
ON_DATA = "widerface."
"""Start of metrics that the device decides in the last digits only, as long as its precision
stands among the settings."""
SHOWN = {"fp32": "fp32", "tf32": "TF32", "bf16": "bf16", "fp16": "fp16"}
USUAL_ENGINE = "torch"
"""What computes where nothing else is named."""
PLACE = ("device", "hardware", "precision", "engine")
"""Fields that say on what a network computed; the others say how it was measured."""
Setting: TypeAlias = bool | int | float | str


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """How and on what a value was measured; an empty field is not known, or means nothing.

    >>> Conditions(sizes=((640, 640),), batch=1, threads=2, device="cpu").identity
    '640×640, batch 1, 2 threads'
    """

    protocol: str = ""
    """At which sizes pictures were looked at: `original`, `vga`, `multiscale`, or whatever a
    publication or a record of another program calls it."""
    settings: tuple[tuple[str, Setting], ...] = ()
    """Keys of a recipe's `evaluate` that depart from their defaults and move the value: those that
    are switched on, then the others."""
    sizes: tuple[tuple[int, int], ...] = ()
    """Width and height in pixels of what the network was given; several where it was checked at
    several."""
    batch: int = 0
    """Pictures that went through the network together."""
    threads: int = 0
    """Threads of the CPU that computed."""
    device: str = ""
    """`cpu`, `cuda` or `mps`."""
    hardware: str = ""
    """Its name, such as `NVIDIA GeForce RTX 3060`."""
    precision: str = ""
    """One of `featherface.devices.precision.PRECISIONS`."""
    engine: str = ""
    """What ran the network: `torch`, `onnxruntime`, …"""

    @property
    def known(self) -> bool:
        """Whether anything is known of what computed."""
        return any(getattr(self, name) for name in PLACE)

    @property
    def full(self) -> bool:
        """Whether nothing was rounded, as far as is known."""
        return self.precision == "fp32"

    @cached_property
    def manner(self) -> Conditions:
        """How it was measured, whatever it was measured on."""
        return self.on(Conditions())

    def on(self, other: Conditions) -> Conditions:
        """Return the same manner, computed on what OTHER names."""
        return dataclasses.replace(
            self,
            device=other.device,
            hardware=other.hardware,
            precision=other.precision,
            engine=other.engine,
        )

    @property
    def identity(self) -> str:
        """How it was measured as English text: what records call `protocol`.

        >>> Conditions(protocol="vga", settings=(("flip", True), ("decision", 0.3))).identity
        'vga+flip (decision=0.3)'
        """
        extras = [key for key, value in self.settings if value is True]
        others = [f"{key}={value}" for key, value in self.settings if value is not True]
        name = "+".join([self.protocol, *extras])
        parts = [f"{name} ({', '.join(others)})" if others else name]
        parts += [f"{width}×{height}" for width, height in self.sizes]
        parts += [f"batch {self.batch}"] if self.batch else []
        parts += [f"{self.threads} threads"] if self.threads else []
        return ", ".join(part for part in parts if part)

    def decisive(self, metric: str) -> tuple[object, ...]:
        """Return what must agree for two values of METRIC to be compared."""
        on_what = (self.device, self.hardware, self.precision, self.engine)
        return (self.manner, *(on_what if metric.startswith(TIMED) else ()))

    def meets(self, wanted: Conditions) -> bool:
        """Tell whether all that WANTED states is so here; what it leaves empty may be anything."""
        stated = (field.name for field in dataclasses.fields(wanted) if getattr(wanted, field.name))
        return all(getattr(self, name) == getattr(wanted, name) for name in stated)

    def shown(self) -> str:
        """Return the hardware's name, with precision and engine where they are not the usual ones.

        >>> Conditions(device="cuda", hardware="RTX 3060", precision="tf32").shown()
        'RTX 3060, TF32'
        """
        usual = self.device in ("", "cpu") and self.precision in ("", "fp32")
        precision = "" if usual else SHOWN.get(self.precision, self.precision)
        engine = "" if self.engine == USUAL_ENGINE else self.engine
        return ", ".join(part for part in (self.hardware, precision, engine) if part)

    def to_json(self) -> dict[str, Any]:
        """Return what is known as plain typed values; `from_json` gives an equal value back."""
        values = {name: value for name in READ if (value := getattr(self, name))}
        if self.settings:
            values["settings"] = dict(self.settings)
        if self.sizes:
            values["sizes"] = [list(size) for size in self.sizes]
        return values

    @classmethod
    def from_json(cls, values: object) -> Conditions:
        """Read what `to_json` wrote; keys that a later version added are ignored.

        Raises:
            DataError: it is no mapping, or a value is of another type.
        """
        if not isinstance(values, dict):
            raise DataError(f"not the conditions of a measurement: {values!r}")
        try:
            return cls(**{key: READ[key](value) for key, value in values.items() if key in READ})
        except (TypeError, ValueError) as error:
            text = f"not the conditions of a measurement: {values!r} ({error})"
            raise DataError(text) from error

    @classmethod
    def of_evaluation(cls, evaluate: EvaluateConfig, *, decided: bool = False) -> Conditions:
        """Return how EVALUATE looks at pictures; DECIDED: the value depends on `decision` too."""
        settings = tuple(evaluate.departures(decided=decided).items())
        return cls(protocol=evaluate.protocol, settings=settings)


def _settings(values: Mapping[str, Any]) -> tuple[tuple[str, Setting], ...]:
    for key, value in dict(values).items():
        if not isinstance(value, bool | int | float | str):
            raise TypeError(f"settings.{key} is {value!r}")
    return tuple(dict(values).items())


def _sizes(values: Any) -> tuple[tuple[int, int], ...]:
    return tuple((int(width), int(height)) for width, height in values)


READ: dict[str, Any] = {
    "protocol": str,
    "settings": _settings,
    "sizes": _sizes,
    "batch": int,
    "threads": int,
    **dict.fromkeys(PLACE, str),
}
"""Field -> what reads its plain value."""
