"""Searching the value of one setting that gives a wanted number of parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

from featherface.errors import UsageError, unknown
from featherface.networks.detector import Detector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from featherface.variants.config import DetectorConfig

KNOBS: dict[str, int] = {
    "channels": 512,
    "repeats": 12,
    "reduction": 256,
    "attention_kernel": 31,
    "attention_passes": 8,
    "enhancement_passes": 8,
    "context_groups": 64,
    "context_paths": 8,
}
"""Whole numbers of a configuration that can be turned, and the largest value that is tried."""
FEW = 12
"""So many legal values are all counted; among more, the nearest is searched for."""
BESIDE = 3
"""Neighbours on each side that are told."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One legal value of the knob."""

    value: int
    parameters: int
    distance: int
    """Parameters less the target."""


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """What turning a knob can reach."""

    knob: str
    target: int
    current: Candidate
    best: Candidate
    neighbours: tuple[Candidate, ...]
    """The best and the legal values on both sides of it, in order."""


def legal_values(config: DetectorConfig, knob: str) -> list[int]:
    """Return the values of KNOB that CONFIG can have, from the smallest, up to `KNOBS`.

    Raises:
        UsageError: no such knob.
    """
    if knob not in KNOBS:
        raise UsageError(unknown("knob", knob, KNOBS), f"choose one of {', '.join(KNOBS)}")
    return [value for value in range(KNOBS[knob] + 1) if _is_legal(config, knob, value)]


def tune(config: DetectorConfig, knob: str, target: int) -> Tuning:
    """Find the legal value of KNOB with which CONFIG comes nearest to TARGET parameters.

    Raises:
        UsageError: no such knob, or it changes nothing in this network.
    """
    values = legal_values(config, knob)

    @cache
    def count(value: int) -> int:
        return count_parameters(turned(config, knob, value))

    if len({count(values[0]), count(values[-1]), count(getattr(config, knob))}) == 1:
        raise UsageError(
            f"model.{knob} changes no parameters of this network",
            f"turn another knob: {', '.join(_helpful(config, knob)) or 'none helps here'}",
        )

    def candidate(value: int) -> Candidate:
        return Candidate(value=value, parameters=count(value), distance=count(value) - target)

    near = values if len(values) <= FEW else _near(values, count, target)
    now = getattr(config, knob)
    best = min(near, key=lambda value: (abs(count(value) - target), abs(value - now)))
    place = _nearest_alike(values, count, values.index(best), values.index(now))
    beside = values[max(0, place - BESIDE) : place + BESIDE + 1]
    return Tuning(
        knob=knob,
        target=target,
        current=candidate(now),
        best=candidate(values[place]),
        neighbours=tuple(map(candidate, beside)),
    )


def turned(config: DetectorConfig, knob: str, value: int) -> DetectorConfig:
    """Return CONFIG with KNOB at VALUE.

    Raises:
        UsageError: that is not legal.
    """
    changes: dict[str, Any] = {knob: value}
    return replace(config, **changes)


def count_parameters(config: DetectorConfig) -> int:
    """Return the parameters of the network of CONFIG, built without a single number in it."""
    with torch.device("meta"), _Uninitialised():
        return sum(parameter.numel() for parameter in Detector(config).parameters())


def _near(values: Sequence[int], count: Callable[[int], int], target: int) -> Sequence[int]:
    """Halve the way until TARGET lies between two neighbours; return those around it.

    Counts go up or down with the knob; where they go in steps, the ones around tell.
    """
    rising = count(values[-1]) >= count(values[0])
    low, high = 0, len(values) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if (count(values[middle]) < target) == rising:
            low = middle
        else:
            high = middle
    return values[max(0, low - BESIDE) : high + BESIDE + 1]


def _nearest_alike(values: Sequence[int], count: Callable[[int], int], place: int, now: int) -> int:
    """Return, of the places around PLACE that count alike, the one nearest to NOW."""
    wanted = count(values[place])
    if count(values[now]) == wanted:
        return now
    while abs(place - now) > 1:
        middle = (place + now) // 2
        if count(values[middle]) == wanted:
            place = middle
        else:
            now = middle
    return place


def _is_legal(config: DetectorConfig, knob: str, value: int) -> bool:
    try:
        turned(config, knob, value)
    except UsageError:
        return False
    return True


def _helpful(config: DetectorConfig, useless: str) -> list[str]:
    """Name the knobs that change the number of parameters."""
    now = count_parameters(config)
    knobs = []
    for knob in KNOBS:
        values = legal_values(config, knob) if knob != useless else []
        if {count_parameters(turned(config, knob, value)) for value in values[:2]} - {now}:
            knobs.append(knob)
    return knobs


class _Uninitialised(TorchFunctionMode):
    """Skip the drawing of first weights, which takes most of the time of building."""

    def __torch_function__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))
