"""What a student is taught in each step, and what is trained and kept beside it for that."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from featherface.devices.dtypes import widened
from featherface.training.config.distill import ALIGNED
from featherface.training.distillation.alignment import Companions
from featherface.training.distillation.cached_teachers import Recall, announcement, maps_compared
from featherface.training.distillation.teacher_outputs import strong, told
from featherface.training.distillation.temporal_ensemble import OUTPUTS, EarlierOutputs
from featherface.training.distillation.terms import distill, freeze
from featherface.training.optimization.moving_average import MovingAverage
from featherface.training.optimization.precision import Precision, full

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from accelerate import Accelerator
    from torch import Tensor

    from featherface.networks.detector import Detector, RawOutput
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.terms import Teacher

ANSWERS = "answers"
"""Folder in the training's for what teachers say, where no other is given."""
Parts = dict[str, "Tensor"]


class Seen(NamedTuple):
    """What a network made of a batch."""

    output: RawOutput
    maps: Sequence[Tensor]
    """Those that enter the heads, in full precision; empty where nobody compares them."""
    strong: Sequence[Tensor] = ()
    """Where they are strong, (B, cells) each, where that is known without them."""


class Teaching:
    """The part of the objective that comes from teachers and from the student's own average."""

    def __init__(
        self, teacher: Teacher, student: Detector, config: TrainConfig, device: torch.device
    ) -> None:
        self.teacher, self.config, self.student = teacher, teacher.config, student
        self.epochs, self.negatives = config.epochs, config.negatives
        self.precision = Precision(device, config.amp)
        self.models = teacher.models
        for model in self.models:
            model.to(device)
        freeze(teacher)
        with torch.random.fork_rng(devices=[]):  # the training's own numbers stay as they are
            torch.manual_seed(config.seed)
            self.companions = Companions(self.models, student, self.config).to(device)
        own = self.config.uses("self_weight")
        self.own = MovingAverage(student.to(device), self.config.self_decay) if own else None
        given = torch.tensor(self.config.teacher_shares or (1.0,) * len(self.models))
        self.shares = (given / given.sum()).to(device)
        self.recall: Recall | None = None
        self.earlier: EarlierOutputs | None = None
        self.lesson = self.config
        self.begin(0, 0)

    def equip(self, folder: Path, config: TrainConfig, pictures: int) -> str:
        """Keep in the training's FOLDER what is to be known again; say what of it.

        PICTURES are in the train split. What teachers say is kept where all trainings find it,
        if there is such a place.
        """
        lesson, answers = self.config, self.teacher.answers or folder / ANSWERS
        if lesson.uses("temporal_weight"):
            path = folder / OUTPUTS
            self.earlier = EarlierOutputs(path, lesson.temporal_decay, lesson.confidence)
        if self.teacher.keeps(config.views):
            self.recall = Recall(self.models, lesson, answers, self.precision)
        if not self.models:
            return ""
        said = [announcement(lesson, config, self.student, pictures, answers)]
        said += [self.recall.passed_over()] if self.recall else []
        return "; ".join(filter(None, said))

    def begin(self, epoch: int, step: int) -> None:
        """Take up what EPOCH (from 0) teaches, which began after optimizer STEP."""
        self.lesson = self.config.at(epoch, self.epochs)
        if self.earlier is not None:
            self.earlier.since = step

    @property
    def facts(self) -> dict[str, float]:
        """What an epoch's event says of the lesson, where lessons change."""
        lesson = self.lesson
        if not self.config.phases:
            return {}
        return {"temperature": lesson.temperature, "alpha": lesson.alpha}

    @property
    def parts(self) -> dict[str, Any]:
        """What a resume needs, by name."""
        trained = any(True for _ in self.companions.parameters())
        companions = self.companions if trained else None
        return {"companions": companions, "own": self.own, "earlier": self.earlier}

    def flush(self) -> str:
        """Bring to the disk what is to be known again; return what is to be said of that."""
        if self.earlier is not None:
            self.earlier.flush()
        if self.recall is None:
            return ""
        self.recall.flush()
        return self.recall.complaint()

    def prune(self) -> None:
        """After the state of a whole epoch is kept: forget what went before."""
        if self.earlier is not None:
            self.earlier.prune()

    def forget(self) -> None:
        """Begin without what another training in the same folder left."""
        if self.earlier is not None:
            self.earlier.remove()

    def finish(self) -> str:
        """Take away what only this training needed; return what is to be said at its end."""
        self.forget()
        return self.recall.summary() if self.recall else ""

    def share_gradients(self, accelerator: Accelerator) -> None:
        """Average the companions' gradients over the processes that train together."""
        if accelerator.num_processes > 1:
            for value in self.companions.parameters():
                if value.grad is not None:
                    value.grad = accelerator.reduce(value.grad, "mean")

    def follow(self, step: int) -> None:
        """Let the student's own averages follow it after optimizer STEP."""
        if self.earlier is not None:
            self.earlier.step = step
        if self.own is not None:
            self.own.update(step)

    @contextlib.contextmanager
    def watch(self) -> Iterator[list[Tensor]]:
        """Catch the maps that enter the student's heads while it looks at a batch."""
        caught: list[Tensor] = []
        if not self._aligning:
            yield caught
            return
        hook = self.student.heads.register_forward_pre_hook(
            lambda _, given: caught.extend(map(widened, given[0]))
        )
        try:
            yield caught
        finally:
            hook.remove()

    def __call__(
        self, truth: Tensor, images: Tensor, seen: Seen, names: Sequence[bytes] = ()
    ) -> tuple[Tensor, Parts]:
        """Return the loss to lower, with TRUTH the ground truth's, and the parts before weights.

        NAMES stand for the pixels of each of IMAGES; without them nothing is remembered.

        Raises:
            UsageError: a teacher has other priors than the student.
        """
        total, parts, lesson = truth, Parts(), self.lesson
        if self.models:
            taught, parts = self._taught(images, seen, names)
            total = (1 - lesson.alpha) * truth + lesson.alpha * taught
            if self.config.staged:
                parts["taught"] = total - (1 - lesson.alpha) * truth
        if self.own is not None and lesson.self_weight:
            with torch.no_grad(), self.precision.computing():
                shown = full(self.own.model(images))
            own, own_parts = self._compared(seen, Seen(shown, ()), None)
            total = total + lesson.self_weight * own
            parts |= {f"self_{name}": value for name, value in own_parts.items()}
            parts["taught"] = parts.get("taught", 0) + lesson.self_weight * own
        if self.earlier is not None:
            shown = self.earlier.join(seen.output, names)
        if self.earlier is not None and lesson.temporal_weight:
            past, own_parts = self._compared(seen, Seen(shown, ()), None)
            total = total + lesson.temporal_weight * past
            parts |= {f"temporal_{name}": value for name, value in own_parts.items()}
            parts["taught"] = parts.get("taught", 0) + lesson.temporal_weight * past
        return total, parts

    @property
    def _aligning(self) -> bool:
        """Whether this lesson compares maps."""
        return bool(self.models) and any(getattr(self.lesson, key) for key in ALIGNED)

    def _taught(self, images: Tensor, seen: Seen, names: Sequence[bytes]) -> tuple[Tensor, Parts]:
        """Return the loss from all teachers together, and its parts averaged over them."""
        losses, teacher_parts = [], []
        recalled = self.recall is not None and names and not maps_compared(self.lesson)
        for place, model in enumerate(self.models):
            adapters = self.companions.adapters
            aligned = adapters[place] if len(adapters) else None
            shown = (
                self._recalled(place, images, names, seen)
                if recalled
                else self._shown(model, images)
            )
            loss, parts = self._compared(seen, shown, aligned)
            losses.append(loss)
            teacher_parts.append(parts)
        if len(losses) == 1:
            return losses[0], {f"teacher_{name}": part for name, part in teacher_parts[0].items()}
        shares, more = self._shares(losses[0])
        total = torch.stack(losses) @ shares + more
        told = shares.detach() / shares.detach().sum()
        table = {
            name: torch.stack([of_teacher[name].detach() for of_teacher in teacher_parts])
            for name in teacher_parts[0]
        }
        means = {f"teacher_{name}": column @ told for name, column in table.items()}
        if self.config.learn_shares:
            means |= {f"teacher_share_{place}": share for place, share in enumerate(told, 1)}
        return total, means

    def _shares(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return each teacher's share (T,), and what is added to the loss for them.

        Learnt ones are those of Kendall et al. (2018, https://arxiv.org/abs/1705.07115) without
        their factor 1/2: the doubt s of a teacher gives its loss exp(-s) and costs s.
        """
        doubts = self.companions.doubts
        if doubts is not None:
            count = len(self.models)
            return torch.exp(-doubts) / count, doubts.sum() / count
        return self.shares.to(like.dtype), torch.zeros_like(like)

    def _shown(self, model: Detector, images: Tensor) -> Seen:
        """Let a teacher look at IMAGES."""
        with torch.no_grad(), self.precision.computing():
            if not self._aligning:
                return Seen(full(model(images)), ())
            maps = model.features(images)
            return Seen(full(model.predict(maps)), [widened(feature_map) for feature_map in maps])

    def _recalled(self, place: int, images: Tensor, names: Sequence[bytes], seen: Seen) -> Seen:
        """Return what the teacher at PLACE says of IMAGES, or said of them before."""
        assert self.recall is not None  # noqa: S101 - the caller has looked
        answers = self.recall.ask(place, images, names)
        cells = [feature_map.shape[-2] * feature_map.shape[-1] for feature_map in seen.maps]
        rows = strong(answers, cells, images.device) if cells else ()
        return Seen(told(answers, images.device), (), rows)

    def _compared(self, seen: Seen, shown: Seen, aligned: nn.Module | None) -> tuple[Tensor, Parts]:
        """Return the weighted distance to what one teacher has shown, and its parts."""
        lesson = self.lesson
        losses = distill(seen.output, shown.output, lesson, self.negatives)
        parts = losses._asdict()
        if aligned is not None and seen.maps:
            with self.precision.computing():
                parts |= aligned(seen.maps, shown.maps, lesson, shown.strong)
        soft, *others = (getattr(lesson, f"{name}_weight") * part for name, part in parts.items())
        return sum(others, start=soft), parts
