"""Progress and stop callbacks, through which the core reports without knowing terminals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Progress:
    """One step of some long work."""

    stage: str
    """What is being done: `train`, `evaluate`, `benchmark`, `export`, ..."""
    done: int
    total: int
    unit: str = "images"
    values: Mapping[str, float] = field(default_factory=dict)
    """What is worth showing beside the bar, such as the loss."""
    endless: bool = False
    """Whether nobody knows when it ends, as of a camera; `total` means nothing then."""


if TYPE_CHECKING:
    OnProgress = Callable[[Progress], None]
    ShouldStop = Callable[[], bool]


def silent(progress: Progress) -> None:
    """Show nothing."""
    del progress


def never() -> bool:
    """Never ask to stop."""
    return False
