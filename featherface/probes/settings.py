"""The configurations that a probe computes under: those of one recipe, reduced to what it reads.

Lean: imports nothing heavy.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from featherface.evaluation.config import EvaluateConfig
from featherface.export.formats import ExportConfig
from featherface.training.config.distill import DistillConfig, TeacherModel
from featherface.training.config.train import TrainConfig
from featherface.variants.config import DetectorConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from featherface.data.config import SyntheticConfig

ANY_TEACHER = "teacher"
"""Stands for the name of any teacher: what a teacher outputs is compared by its own record."""


@dataclass(frozen=True, kw_only=True)
class ProbeSettings:
    """The configurations that a run's numbers follow from."""

    model: DetectorConfig = field(default_factory=DetectorConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    distill: DistillConfig = field(default_factory=DistillConfig)
    teacher: DetectorConfig | None = None
    """The network of a teacher that no run of ours trained; None where a run did."""
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    export: ExportConfig = field(default_factory=ExportConfig)
    synthetic: SyntheticConfig | None = None
    """What the synthetic set is drawn from; None where the pictures are real."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "distill", _without_teacher_names(self.distill))

    def reduced(self, reads: Iterable[str]) -> ProbeSettings:
        """Return the settings with nothing but what READS names; all else has its default.

        READS holds names of sections (`model`) and of keys in them (`train.lr`).

        >>> ProbeSettings(train=TrainConfig(lr=0.5, clip=1.0)).reduced(["train.lr"]).train.clip
        10.0
        """
        keys: dict[str, dict[str, Any]] = {}
        sections: dict[str, Any] = {}
        for name in reads:
            section, _, key = name.partition(".")
            value = getattr(self, section)
            if not key:
                sections[section] = value
            else:
                keys.setdefault(section, {})[key] = getattr(value, key)
        for section, values in keys.items():
            sections[section] = dataclasses.replace(getattr(_defaults(), section), **values)
        return ProbeSettings(**sections)

    def digest(self, reads: Iterable[str]) -> str:
        """Return a short SHA-256 that settings share which are equal in what READS names."""
        values = {}
        for name in reads:
            section, _, key = name.partition(".")
            values[name] = self._plain[section][key] if key else self._plain[section]
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def _plain(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@functools.cache
def _defaults() -> ProbeSettings:
    return ProbeSettings()


def _without_teacher_names(distill: DistillConfig) -> DistillConfig:
    """Return DISTILL without the names of its teachers: only how many they are decides here."""
    if not distill.taught:
        return distill
    others = (ANY_TEACHER,) * len(distill.teachers)
    return dataclasses.replace(
        distill,
        teacher=ANY_TEACHER,
        teacher_weights=None,
        teacher_variant=None,
        teacher_model=TeacherModel(),
        teachers=others,
    )
