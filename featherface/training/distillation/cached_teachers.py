"""Frozen teachers behind a cache: each picture is computed once and read back from then on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from featherface.devices.dtypes import widened
from featherface.devices.uploads import uploaded
from featherface.geometry.priors import levels
from featherface.networks.pixels import converted, taken_in
from featherface.training.distillation.alignment import attention
from featherface.training.distillation.engine_teacher import EngineTeacher
from featherface.training.distillation.teacher_cache import SUFFIX, TeacherCache, identity
from featherface.training.distillation.teacher_outputs import encode
from featherface.training.optimization.curriculum import side_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from torch import Tensor, nn

    from featherface.networks.detector import Detector
    from featherface.training.config.distill import DistillConfig
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.teacher_outputs import TeacherOutput
    from featherface.training.optimization.precision import Precision
    from featherface.variants.config import DetectorConfig

MAP_WEIGHTS = ("feature_weight", "cross_scale_weight")
"""Weights of the parts that need the teacher's whole maps, 27 times the rest: never cached."""


class CachedTeachers:
    """Outputs of TEACHERS, computed in PRECISION and cached in FOLDER.

    Files name device and precision, so that outputs of other ones are never mixed in. The pictures
    come as the network MADE_FOR takes them in, a teacher's own where it is left out.
    """

    def __init__(
        self,
        teachers: Sequence[Detector],
        config: DistillConfig,
        folder: Path,
        precision: Precision,
        made_for: DetectorConfig | None = None,
    ) -> None:
        self.made_for = made_for
        self.teachers, self.confidence, self.precision = teachers, config.confidence, precision
        self.with_attention = config.uses("attention_weight")
        limit = 1e9 * config.cache_gb
        names = [
            identity(
                teacher,
                self.confidence,
                self.with_attention,
                *self._conversion(teacher),
                *_engine_of(teacher),
            )
            for teacher in teachers
        ]
        self.caches = [
            TeacherCache(folder / f"{name}-{precision.name}{SUFFIX}", limit) for name in names
        ]
        self.unlabelled = [folder / f"{name}{SUFFIX}" for name in names]
        """Files of earlier versions, whose names lack device and precision."""
        self.requested = self.hits = 0
        """Outputs requested, and those of them that were in the cache."""
        self._warned = False

    def outputs_of(
        self, teacher_index: int, images: Tensor, names: Sequence[bytes]
    ) -> list[TeacherOutput]:
        """Return one teacher's output for each of IMAGES (B,3,S,S), whose hashes are NAMES."""
        cache = self.caches[teacher_index]
        cached = cache.read(names)
        missing = {name: row for row, name in enumerate(names) if name not in cached}
        self.requested, self.hits = (
            self.requested + len(names),
            self.hits + len(names) - len(missing),
        )
        computed = {}
        if missing:
            rows = uploaded(torch.tensor(list(missing.values())), images.device)
            computed = dict(
                zip(missing, self._compute(self.teachers[teacher_index], images[rows]), strict=True)
            )
        cache.write(computed)
        cached |= computed
        return [cached[name] for name in names]

    def _conversion(self, teacher: Detector) -> tuple[object, ...]:
        """Return what tells apart the pictures that are converted for TEACHER; empty: none are."""
        if self.made_for is None or taken_in(self.made_for) == taken_in(teacher.config):
            return ()
        return taken_in(self.made_for)

    def _compute(self, teacher: Detector, images: Tensor) -> Iterable[TeacherOutput]:
        """Compute TEACHER's outputs for IMAGES (B,3,S,S).

        On the CPU one picture at a time, so that an output does not depend to the last bit on
        which pictures of the batch were cached.
        """
        if self.made_for is not None:
            images = converted(images, self.made_for, teacher.config)
        for part in torch.split(images, 1 if images.device.type == "cpu" else len(images)):
            with torch.no_grad(), self.precision.computing():
                maps = teacher.features(part) if self.with_attention else []
                output = teacher.predict(maps) if maps else teacher(part)
            rows = (
                [attention(widened(feature_map)) for feature_map in maps]
                if self.with_attention
                else ()
            )
            yield from encode(output, rows, self.confidence)

    def flush(self) -> None:
        """Write what is still in memory to the disk."""
        for cache in self.caches:
            cache.flush()

    def warning(self) -> str:
        """Return once why outputs are not cached any more; empty while they are."""
        trouble = next((cache.trouble for cache in self.caches if cache.trouble), "")
        if self._warned or not trouble:
            return ""
        self._warned = True
        return (
            f"{trouble}: further answers of the teacher are not kept, it looks again each time;"
            f" delete old files there, raise distill.cache_gb, or lower train.views"
        )

    def ignored_files(self) -> str:
        """Return a sentence on files whose device and precision are unknown; empty: none."""
        ignored = [str(path) for path in self.unlabelled if path.is_file()]
        if not ignored:
            return ""
        return (
            f"{', '.join(ignored)}, of an earlier version, names neither device nor precision:"
            f" the teacher looks anew for {self.precision.name}, and the file may be deleted"
        )

    def summary(self) -> str:
        """Return how many outputs came from the cache, as a sentence."""
        return (
            f"{self.hits} of {self.requested} answers of the teacher were read back"
            f" from {self.caches[0].path.parent}"
        )


def _engine_of(teacher: nn.Module) -> tuple[str, ...]:
    """Return the engine that computes TEACHER, whose last digits are its own; () for PyTorch."""
    return (teacher.engine.name,) if isinstance(teacher, EngineTeacher) else ()


def announcement(
    distill_config: DistillConfig,
    config: TrainConfig,
    student: Detector,
    pictures: int,
    folder: Path,
) -> str:
    """Return before training whether PICTURES are cached, how many bytes, or why not."""
    if distill_config.cache is False:
        return ""
    if not distill_config.keeps(config.views):
        return (
            "every epoch augments pictures anew, so the teacher looks at all of them every time:"
            " with train.views=8 it would look at each in 8 augmentations only"
        )
    mapped = [
        epoch
        for epoch in range(config.epochs)
        if maps_compared(distill_config.at(epoch, config.epochs))
    ]
    if len(mapped) == config.epochs:
        return (
            "the teacher's maps are compared in every epoch and are too large to keep, so it looks"
            " at every batch: distill.phases can end feature_weight and cross_scale_weight earlier"
        )
    passes = min(config.views or config.epochs, config.epochs)
    size = math.ceil(pictures * passes * _bytes(distill_config, config, student) / 1e6)
    sentence = f"what the teacher says is kept in {folder}, up to {size} MB"
    if config.views == 0 or config.views >= config.epochs:
        sentence += ", for other trainings: this one sees no picture twice alike"
    if mapped:
        sentence += (
            f"; in {len(mapped)} of {config.epochs} epochs its maps are compared: it looks anew"
        )
    return sentence


def maps_compared(phase: DistillConfig) -> bool:
    """Whether PHASE compares whole maps."""
    return any(getattr(phase, key) > 0 for key in MAP_WEIGHTS)


def _bytes(distill_config: DistillConfig, config: TrainConfig, student: Detector) -> float:
    """Estimate the bytes of one output: scores, and boxes of one prior in fifty."""
    side = side_of(config, config.epochs - 1)
    priors = sum(levels(student.config, side).counts)
    cells = priors // student.config.anchors if distill_config.uses("attention_weight") else 0
    return 2 * priors + 2 * cells + 32 * priors * (1 if distill_config.confidence == 0 else 0.02)
