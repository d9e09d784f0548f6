"""Conditions as earlier versions recorded them: in text, or not at all.

Records keep their bytes for ever, so each text that a version wrote is read here, and only here,
into the values that are written and compared today. `thesis.toml` and the packaged facts use the
same text, as a person types it.
"""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from experiments.conditions import ON_DATA, TIMED, USUAL_ENGINE, Conditions, Setting

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMING = re.compile(
    r"(?P<sizes>\d+×\d+(?:, \d+×\d+)*)(?:, batch (?P<batch>\d+))?(?:, (?P<threads>\d+) threads)?"
)
"""`640×640, batch 1, 2 threads` of a latency; `640×640, 320×320` of an export's check."""
EVALUATION = re.compile(r"(?P<name>[^+()]+)(?P<extras>(?:\+\w+)*)(?: \((?P<settings>.+)\))?")
"""`vga+flip (score_threshold=0.1)` of an evaluation."""


@cache
def from_text(text: str) -> Conditions:
    """Return the conditions that TEXT states; a text that no version wrote is a protocol's name.

    `from_text(text).identity == text` for every text.

    >>> from_text("640×640, batch 1, 2 threads").batch
    1
    >>> from_text("vga+flip (score_threshold=0.1)").settings
    (('flip', True), ('score_threshold', 0.1))
    """
    timing = TIMING.fullmatch(text)
    conditions = _evaluation(text) if timing is None else _timing(timing)
    kept = conditions.identity == text and Conditions.from_json(conditions.to_json()) == conditions
    return conditions if kept else Conditions(protocol=text)


def _timing(match: re.Match[str]) -> Conditions:
    sizes = (size.split("×") for size in match["sizes"].split(", "))
    return Conditions(
        sizes=tuple((int(width), int(height)) for width, height in sizes),
        batch=int(match["batch"] or 0),
        threads=int(match["threads"] or 0),
    )


def _evaluation(text: str) -> Conditions:
    match = EVALUATION.fullmatch(text)
    if match is None:
        return Conditions(protocol=text)
    extras = tuple((name, True) for name in match["extras"].split("+")[1:])
    stated = (pair.partition("=") for pair in (match["settings"] or "").split(", ") if pair)
    settings = tuple((key, _value(value)) for key, _, value in stated)
    return Conditions(protocol=match["name"], settings=(*extras, *settings))


def _value(text: str) -> Setting:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def read_conditions(values: Mapping[str, Any]) -> Conditions:
    """Return the conditions in a metric's plain VALUES, of whichever version they are.

    Raises:
        DataError: what stands there are no conditions.
    """
    return _read(values.get("protocol", ""), json.dumps(values.get("conditions", {})))


@lru_cache(maxsize=4096)
def _read(text: str, conditions: str) -> Conditions:
    """Read once what thousands of metrics have in common."""
    typed = Conditions.from_json(json.loads(conditions))
    if not text or typed.manner != Conditions():
        return typed
    engine = typed.engine or (USUAL_ENGINE if typed.known else "")  # there was no other
    return from_text(text).on(dataclasses.replace(typed, engine=engine))


def as_recorded(
    metric: str, hardware: Mapping[str, Any], details: Mapping[str, Any], *, judged: bool
) -> Conditions:
    """Return on what METRIC was computed by a record that was written before this was kept.

    Where nothing but a processor was there, it computed in single precision; what a card did, its
    default rounding included, is not known. DETAILS are those of results.json; JUDGED says that
    the detections came from elsewhere.
    """
    if metric.startswith(TIMED):
        return _timed(metric, hardware, str(details.get("benchmark", {}).get("device", "")))
    if metric.startswith(ON_DATA) and not judged and _only_a_processor(hardware):
        return _processor(hardware)
    return Conditions()


def _timed(metric: str, hardware: Mapping[str, Any], benchmarked: str) -> Conditions:
    device = benchmarked.partition(":")[0]
    if not device and metric.startswith("latency."):
        device = "cpu" if ".cpu." in metric else "cuda"
    if not device and _only_a_processor(hardware):
        device = "cpu"
    if device == "cpu":
        return _processor(hardware)
    if device == "mps":
        return dataclasses.replace(_processor(hardware), device="mps")
    name = str(hardware.get("gpu", "")) if device else ""
    return Conditions(device=device, hardware=name, engine=USUAL_ENGINE if device else "")


def _only_a_processor(hardware: Mapping[str, Any]) -> bool:
    """Whether HARDWARE has no card, nor may be a Mac, whose graphics no record names."""
    system = str(hardware.get("system", ""))
    return bool(system) and not system.startswith("Darwin") and not hardware.get("gpu")


def _processor(hardware: Mapping[str, Any]) -> Conditions:
    name = str(hardware.get("cpu", ""))
    return Conditions(device="cpu", hardware=name, precision="fp32", engine=USUAL_ENGINE)
