"""What a student takes from whom, and when. Lean: imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from featherface.checks import require
from featherface.variants.config import DetectorConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

WEIGHTS = (
    *("soft_weight", "box_weight", "landmark_weight"),
    *("feature_weight", "attention_weight", "cross_scale_weight"),
    *("self_weight", "temporal_weight"),
)
"""Keys that weigh a part of what is taught; 0 leaves the part out."""
ALIGNED = ("feature_weight", "attention_weight", "cross_scale_weight")
"""Those of the parts that compare maps within the networks."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What holds in a stretch of the epochs; a key that is left out keeps the section's value."""

    until: float
    """Share of the epochs at which it ends: 0.25 of 400 epochs is the end of epoch 100."""
    name: str = ""
    """What it is for, such as `align`; for readers."""
    temperature: float | None = None
    alpha: float | None = None
    soft_weight: float | None = None
    box_weight: float | None = None
    landmark_weight: float | None = None
    feature_weight: float | None = None
    attention_weight: float | None = None
    cross_scale_weight: float | None = None
    self_weight: float | None = None
    temporal_weight: float | None = None

    def changes(self) -> dict[str, Any]:
        """Return the keys that it sets."""
        keys = ("temperature", "alpha", *WEIGHTS)
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}


@dataclass(frozen=True, kw_only=True)
class TeacherModel:
    """What a recipe says of the network of a teacher's weights file."""

    overrides: Mapping[str, Any] = field(default_factory=dict, metadata={"inline": DetectorConfig})
    """Fields of the variant's configuration that it sets."""


@dataclass(frozen=True, kw_only=True)
class DistillConfig:
    """What a student takes from frozen teachers, and from its own past.

    Without a teacher, `self_weight` and `temporal_weight`, nothing is distilled.
    """

    teacher: str | None = None
    """Selector of the run whose weights teach, such as `v1` or `v1@best`."""
    teacher_variant: str | None = None
    """Variant of `teacher_weights`, where no run teaches; may be left out where the file says."""
    teacher_weights: str | None = None
    """Weights file of the teacher, where no run teaches."""
    teacher_model: TeacherModel = field(default_factory=TeacherModel)
    """Settings of that teacher's network: `distill.teacher_model.leak`, as in `model`. What is left
    out is as its file says, else as its variant has it."""
    teacher_engine: str = "torch"
    """What computes the teachers: torch, or another of `featherface.engines.table.ENGINES`, which
    gives their outputs and not their maps."""
    teachers: tuple[str, ...] = ()
    """Selectors of further runs that teach beside the first."""
    teacher_shares: tuple[float, ...] = ()
    """Of each teacher's loss, the first teacher's first; empty: equal. Only their ratio counts."""
    learn_shares: bool = False
    """Learn the shares: a teacher whom the student can't follow loses weight."""
    temperature: float = 2.0
    """Softens both class distributions; 1 leaves them as they are."""
    alpha: float = 0.5
    """Share of the teachers' loss; the ground truth's loss keeps 1 - alpha."""
    soft_weight: float = 1.0
    """Of the divergence from the teacher's scores."""
    box_weight: float = 2.0
    """Of the distance to the teacher's box deltas."""
    landmark_weight: float = 1.0
    """Of the distance to the teacher's landmark deltas."""
    feature_weight: float = 0.0
    """Of the distance between the maps that enter the heads, the student's through an adapter."""
    attention_weight: float = 0.0
    """Of the distance between where those maps are strong."""
    cross_scale_weight: float = 0.0
    """Of the distance to the teacher's maps of the neighbouring strides, through adapters."""
    confidence: float = 0.5
    """Teacher's face score from which its box and landmarks are imitated."""
    init_backbone: bool = True
    """Start from the first teacher's backbone where name and shape agree."""
    self_weight: float = 0.0
    """Of the distance to the student's own moving average, beside everything else."""
    self_decay: float = 0.999
    """Of that average, per step."""
    temporal_weight: float = 0.0
    """Of the distance to what the student said of the picture in earlier epochs, averaged; needs
    `train.views`."""
    temporal_decay: float = 0.6
    """Of that average, each time the picture is seen."""
    cache: bool | Literal["auto"] = "auto"
    """Keep on the disk what a teacher says of a picture; `auto`: where `train.views` is set."""
    cache_gb: float = 20.0
    """Most that may take, 10^9 bytes; what does not fit is asked of the teacher again."""
    phases: tuple[Phase, ...] = ()
    """Stretches of the epochs with other values, one after the other; the last ends at 1."""

    def __post_init__(self) -> None:
        for key in ("teachers", "teacher_shares", "phases"):
            object.__setattr__(self, key, tuple(getattr(self, key)))  # YAML gives lists
        self._check_teachers()
        self._check_numbers()
        ends = [phase.until for phase in self.phases]
        rising = all(0 < end <= 1 for end in ends) and ends == sorted(set(ends))
        ending = not ends or ends[-1] == 1
        require(rising and ending, "distill.phases", ends, "rising in `until`, the last one 1")
        for phase in self.phases:
            replace(self, phases=(), **phase.changes())  # names a value that won't do

    def _check_teachers(self) -> None:
        alone = self.teacher is None or self.teacher_weights is None
        require(alone, "distill.teacher", self.teacher, "left out where teacher_weights is set")
        paired = (self.teacher_weights is None) == (self.teacher_variant is None)
        given = self.teacher_variant
        require(paired, "distill.teacher_variant", given, "given together with teacher_weights")
        mapped = self.teacher_engine != "torch" and self.uses(*ALIGNED)
        wanted = f"torch where {', '.join(ALIGNED)} compare maps: other engines give outputs alone"
        require(not mapped, "distill.teacher_engine", self.teacher_engine, wanted)
        settings = dict(self.teacher_model.overrides)
        wanted = "left out, or given together with teacher_weights"
        fits = self.teacher_weights is not None or not settings
        require(fits, "distill.teacher_model", settings, wanted)
        first = self.teacher is not None or self.teacher_weights is not None
        wanted = "left out, or given beside distill.teacher"
        require(first or not self.teachers, "distill.teachers", self.teachers, wanted)
        shares, count = self.teacher_shares, first + len(self.teachers)
        legal = not shares or (len(shares) == count and min(shares) >= 0 and sum(shares) > 0)
        wanted = f"one share from 0 for each teacher ({count}), not all 0"
        require(legal, "distill.teacher_shares", shares, wanted)
        useful = not self.learn_shares or (count > 1 and not shares)
        wanted = "false, or used with several teachers and without teacher_shares"
        require(useful, "distill.learn_shares", self.learn_shares, wanted)

    def _check_numbers(self) -> None:
        require(self.temperature > 0, "distill.temperature", self.temperature, "above 0")
        for name in ("alpha", "confidence"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"distill.{name}", value, "from 0 to 1")
        for name in WEIGHTS:
            value = getattr(self, name)
            require(value >= 0, f"distill.{name}", value, "0 or more")
        require(self.cache_gb > 0, "distill.cache_gb", self.cache_gb, "above 0")
        for name in ("self_decay", "temporal_decay"):
            value = getattr(self, name)
            require(0 <= value < 1, f"distill.{name}", value, "from 0 to below 1")

    @property
    def taught(self) -> bool:
        """Whether there is a teacher."""
        return self.teacher is not None or self.teacher_weights is not None

    @property
    def enabled(self) -> bool:
        """Whether anything is distilled."""
        return self.taught or self.uses("self_weight", "temporal_weight")

    @property
    def staged(self) -> bool:
        """Whether it says more than one teacher's scores, boxes and landmarks throughout."""
        fixed = (
            "self_decay",
            "temporal_decay",
            "confidence",
            "init_backbone",
            "learn_shares",
            "cache",
            "cache_gb",
        )
        plain = ("teacher", "teacher_variant", "teacher_weights", "teacher_model")
        idle = {*fixed, *plain, "temperature", "alpha", "box_weight", "landmark_weight"}
        return any(
            getattr(self, member.name) != member.default
            for member in fields(self)
            if member.name not in idle
        )

    def uses(self, *keys: str) -> bool:
        """Whether one of the weights KEYS is above 0, now or in a phase."""
        values = [getattr(part, key) for part in (self, *self.phases) for key in keys]
        return any(value for value in values)

    def keeps(self, views: int) -> bool:
        """Whether what teachers say is kept, with so many VIEWS of each picture (0: no end)."""
        return views > 0 if self.cache == "auto" else self.cache

    def whole(self) -> DistillConfig:
        """Return a phase with all that any of them compares: none takes more time or memory."""
        lessons = (self, *self.phases)
        most: dict[str, Any] = {
            key: max(getattr(phase, key) or 0.0 for phase in lessons) for key in WEIGHTS
        }
        return replace(self, phases=(), **most)

    def at(self, epoch: int, epochs: int) -> DistillConfig:
        """Return what holds in EPOCH (from 0) of EPOCHS."""
        for phase in self.phases:
            if epoch + 0.5 < phase.until * epochs or phase is self.phases[-1]:
                return replace(self, phases=(), **phase.changes())
        return self
