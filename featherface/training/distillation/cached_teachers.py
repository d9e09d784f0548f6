"""Teachers that look at each picture once: what they said of it is read back from then on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from featherface.devices.dtypes import widened
from featherface.devices.uploads import uploaded
from featherface.geometry.priors import levels
from featherface.training.distillation.alignment import attention
from featherface.training.distillation.teacher_cache import SUFFIX, Notebook, identity
from featherface.training.distillation.teacher_outputs import noted
from featherface.training.optimization.curriculum import side_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.training.config.distill import DistillConfig
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.teacher_outputs import Answer
    from featherface.training.optimization.precision import Precision

MAPPED = ("feature_weight", "cross_scale_weight")
"""Weights of what is compared with whole maps of the teacher, 27 times the rest: never kept."""


class Recall:
    """What TEACHERS said, computing in PRECISION, kept in FOLDER.

    Files name device and precision: what was computed otherwise is never taken for the same.
    """

    def __init__(
        self,
        teachers: Sequence[Detector],
        config: DistillConfig,
        folder: Path,
        precision: Precision,
    ) -> None:
        self.teachers, self.confidence, self.precision = teachers, config.confidence, precision
        self.strong = config.uses("attention_weight")
        limit = 1e9 * config.cache_gb
        names = [identity(teacher, self.confidence, self.strong) for teacher in teachers]
        self.books = [
            Notebook(folder / f"{name}-{precision.name}{SUFFIX}", limit) for name in names
        ]
        self.nameless = [folder / f"{name}{SUFFIX}" for name in names]
        """Files of earlier versions, that do not say what computed them."""
        self.asked = self.found = 0
        """Pictures that a teacher was asked about, and those of which it was known."""
        self._told = False

    def ask(self, place: int, images: Tensor, names: Sequence[bytes]) -> list[Answer]:
        """Return what the teacher at PLACE says of each of IMAGES (B,3,S,S), which are NAMES."""
        book = self.books[place]
        known = book.read(names)
        new = {name: row for row, name in enumerate(names) if name not in known}
        self.asked, self.found = self.asked + len(names), self.found + len(names) - len(new)
        said = {}
        if new:
            rows = uploaded(torch.tensor(list(new.values())), images.device)
            said = dict(zip(new, self._look(self.teachers[place], images[rows]), strict=True))
        book.write(said)
        known |= said
        return [known[name] for name in names]

    def _look(self, teacher: Detector, images: Tensor) -> Iterable[Answer]:
        """Let TEACHER look at IMAGES.

        On the CPU at one after the other, so that what it says to the last bit does not depend on
        which of a batch were known.
        """
        for part in torch.split(images, 1 if images.device.type == "cpu" else len(images)):
            with torch.no_grad(), self.precision.computing():
                maps = teacher.features(part)
                output = teacher.predict(maps)
            rows = [attention(widened(feature_map)) for feature_map in maps] if self.strong else ()
            yield from noted(output, rows, self.confidence)

    def flush(self) -> None:
        """Bring to the disk what is still in memory."""
        for book in self.books:
            book.flush()

    def complaint(self) -> str:
        """Say once why answers are not kept any more; empty while they are."""
        trouble = next((book.trouble for book in self.books if book.trouble), "")
        if self._told or not trouble:
            return ""
        self._told = True
        return (
            f"{trouble}: further answers of the teacher are not kept, it looks again each time;"
            f" delete old files there, raise distill.cache_gb, or lower train.views"
        )

    def passed_over(self) -> str:
        """Say which files are not read since nobody knows what computed them; empty: none."""
        unnamed = [str(path) for path in self.nameless if path.is_file()]
        if not unnamed:
            return ""
        return (
            f"{', '.join(unnamed)}, of an earlier version, names neither device nor precision:"
            f" the teacher looks anew for {self.precision.name}, and the file may be deleted"
        )

    def summary(self) -> str:
        """Say how much was read back."""
        return (
            f"{self.found} of {self.asked} answers of the teacher were read back"
            f" from {self.books[0].path.parent}"
        )


def announcement(
    lesson: DistillConfig, config: TrainConfig, student: Detector, pictures: int, folder: Path
) -> str:
    """Say before training whether the teacher looks at each of PICTURES once, and why not."""
    if lesson.cache is False:
        return ""
    if not lesson.keeps(config.views):
        return (
            "every epoch augments pictures anew, so the teacher looks at all of them every time:"
            " with train.views=8 it would look at each in 8 augmentations only"
        )
    mapped = [
        epoch for epoch in range(config.epochs) if maps_compared(lesson.at(epoch, config.epochs))
    ]
    if len(mapped) == config.epochs:
        return (
            "the teacher's maps are compared in every epoch and are too large to keep, so it looks"
            " at every batch: distill.phases can end feature_weight and cross_scale_weight earlier"
        )
    looks = min(config.views or config.epochs, config.epochs)
    size = math.ceil(pictures * looks * _bytes(lesson, config, student) / 1e6)
    kept = f"what the teacher says is kept in {folder}, up to {size} MB"
    if config.views == 0 or config.views >= config.epochs:
        kept += ", for other trainings: this one sees no picture twice alike"
    if mapped:
        kept += f"; in {len(mapped)} of {config.epochs} epochs its maps are compared: it looks anew"
    return kept


def maps_compared(lesson: DistillConfig) -> bool:
    """Whether LESSON compares whole maps."""
    return any(getattr(lesson, key) > 0 for key in MAPPED)


def _bytes(lesson: DistillConfig, config: TrainConfig, student: Detector) -> float:
    """Return what one answer takes, about: scores, and boxes of one prior in fifty."""
    side = side_of(config, config.epochs - 1)
    priors = sum(levels(student.config, side).counts)
    cells = priors // student.config.anchors if lesson.uses("attention_weight") else 0
    return 2 * priors + 2 * cells + 32 * priors * (1 if lesson.confidence == 0 else 0.02)
