"""Measurement settings in words: protocol, picture sizes, batch, threads."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.wording.phrases import say

if TYPE_CHECKING:
    from experiments.conditions import Conditions


@dataclass(frozen=True)
class MeasurementSettings:
    """Distinct measurement settings, worded as one list."""

    of: tuple[Conditions, ...]

    def text(self, language: str = "en") -> str:
        """Return them in LANGUAGE, parted by strokes."""
        return " / ".join(setting(conditions, language) for conditions in self.of)


def setting(conditions: Conditions, language: str = "en") -> str:
    """Return how a value was measured: `320×320, lots de 1, un seul fil d'exécution`."""
    protocol = dataclasses.replace(conditions, sizes=(), batch=0, threads=0).identity
    parts = [protocol, *(f"{width}×{height}" for width, height in conditions.sizes)]
    if conditions.batch:
        parts.append(say("setting.batch", language, n=str(conditions.batch)))
    if conditions.threads:
        key = "one_thread" if conditions.threads == 1 else "threads"
        parts.append(say(key, language, n=str(conditions.threads)))
    return ", ".join(part for part in parts if part)
