"""The distillation loss of a training step, and the modules and caches that it needs.

Up to three sources are compared with the student: frozen teachers, the student's own moving
average, and its outputs of earlier epochs (a temporal ensemble).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from featherface.devices.dtypes import widened
from featherface.networks.pixels import converted
from featherface.training.config.distill import ALIGNED
from featherface.training.distillation.alignment import DistillationParameters
from featherface.training.distillation.cached_teachers import (
    CachedTeachers,
    announcement,
    maps_compared,
)
from featherface.training.distillation.teacher_outputs import attention_maps, decode
from featherface.training.distillation.temporal_ensemble import OUTPUTS, TemporalEnsemble
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

CACHE_FOLDER = "answers"
"""Folder of the cached teacher outputs within the training's, where no other is given."""
Parts = dict[str, "Tensor"]


class NetworkOutput(NamedTuple):
    """Raw outputs of a network for a batch, and the feature maps that they come from."""

    output: RawOutput
    maps: Sequence[Tensor]
    """(B,C,H,W) at strides 8, 16 and 32, float32; empty where no phase compares them."""
    attention_maps: Sequence[Tensor] = ()
    """(B, H*W) of each map, rows of length 1, where they were cached instead of the maps."""


class DistillationLoss:
    """The part of the objective that comes from teachers and from the student's own outputs.

    Holds what is trained beside the student (`learned`), its moving average, and the caches on the
    disk; `phase` is the configuration of the current epoch.
    """

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
            self.learned = DistillationParameters(self.models, student, self.config).to(device)
        own = self.config.uses("self_weight")
        self.self_average = (
            MovingAverage(student.to(device), self.config.self_decay) if own else None
        )
        given = torch.tensor(self.config.teacher_shares or (1.0,) * len(self.models))
        self.shares = (given / given.sum()).to(device)
        self.cached_teachers: CachedTeachers | None = None
        self.ensemble: TemporalEnsemble | None = None
        self.phase = self.config
        self.begin_epoch(0, 0)

    def open_caches(self, folder: Path, config: TrainConfig, pictures: int) -> str:
        """Open the caches in the training's FOLDER; return the sentences for the log.

        PICTURES is the size of the train split. Teacher outputs go to the folder that all
        trainings share, if the teacher names one.
        """
        distill_config = self.config
        cache_folder = self.teacher.cache_folder or folder / CACHE_FOLDER
        if distill_config.uses("temporal_weight"):
            path = folder / OUTPUTS
            self.ensemble = TemporalEnsemble(
                path, distill_config.temporal_decay, distill_config.confidence
            )
        if self.teacher.keeps(config.views):
            self.cached_teachers = CachedTeachers(
                self.models, distill_config, cache_folder, self.precision, self.student.config
            )
        if not self.models:
            return ""
        messages = [announcement(distill_config, config, self.student, pictures, cache_folder)]
        messages += [self.cached_teachers.ignored_files()] if self.cached_teachers else []
        return "; ".join(filter(None, messages))

    def begin_epoch(self, epoch: int, step: int) -> None:
        """Select the phase of EPOCH (from 0), which began after optimizer STEP."""
        self.phase = self.config.at(epoch, self.epochs)
        if self.ensemble is not None:
            self.ensemble.since = step

    @property
    def epoch_values(self) -> dict[str, float]:
        """Temperature and alpha of the phase, for the epoch's event; empty without phases."""
        phase = self.phase
        if not self.config.phases:
            return {}
        return {"temperature": phase.temperature, "alpha": phase.alpha}

    @property
    def parts(self) -> dict[str, Any]:
        """Objects with a `state_dict`, by their keys in the state file."""
        trained = any(True for _ in self.learned.parameters())
        learned = self.learned if trained else None
        return {"companions": learned, "own": self.self_average, "earlier": self.ensemble}

    def flush(self) -> str:
        """Write pending rows of the caches to the disk; return a warning, or nothing."""
        if self.ensemble is not None:
            self.ensemble.flush()
        if self.cached_teachers is None:
            return ""
        self.cached_teachers.flush()
        return self.cached_teachers.warning()

    def prune(self) -> None:
        """Delete superseded averages, once the state file of a whole epoch is written."""
        if self.ensemble is not None:
            self.ensemble.prune()

    def reset(self) -> None:
        """Delete the averages that another training left in the same folder."""
        if self.ensemble is not None:
            self.ensemble.remove()

    def finish(self) -> str:
        """Delete what only this training needed; return the cache's summary for the log."""
        self.reset()
        return self.cached_teachers.summary() if self.cached_teachers else ""

    def share_gradients(self, accelerator: Accelerator) -> None:
        """Average the gradients of `learned` over the processes that train together."""
        if accelerator.num_processes > 1:
            for value in self.learned.parameters():
                if value.grad is not None:
                    value.grad = accelerator.reduce(value.grad, "mean")

    def update(self, step: int) -> None:
        """Update the student's moving average after optimizer STEP, and date the ensemble."""
        if self.ensemble is not None:
            self.ensemble.step = step
        if self.self_average is not None:
            self.self_average.update(step)

    @contextlib.contextmanager
    def capture_maps(self) -> Iterator[list[Tensor]]:
        """Yield a list that the student's forward pass fills with the maps entering its heads."""
        maps: list[Tensor] = []
        if not self._aligning:
            yield maps
            return
        hook = self.student.heads.register_forward_pre_hook(
            lambda _, given: maps.extend(map(widened, given[0]))
        )
        try:
            yield maps
        finally:
            hook.remove()

    def __call__(
        self, truth: Tensor, images: Tensor, student: NetworkOutput, names: Sequence[bytes] = ()
    ) -> tuple[Tensor, Parts]:
        """Return the loss to lower, with TRUTH the ground truth's, and the parts before weights.

        NAMES are the hashes of IMAGES (B,3,S,S); without them nothing is cached.

        Raises:
            UsageError: a teacher has other priors than the student.
        """
        total, parts, phase = truth, Parts(), self.phase
        if self.models:
            taught, parts = self._teachers_loss(images, student, names)
            total = (1 - phase.alpha) * truth + phase.alpha * taught
            if self.config.staged:
                parts["taught"] = total - (1 - phase.alpha) * truth
        if self.self_average is not None and phase.self_weight:
            with torch.no_grad(), self.precision.computing():
                teacher = full(self.self_average.model(images))
            own, own_parts = self._compare(student, NetworkOutput(teacher, ()), None)
            total = total + phase.self_weight * own
            parts |= {f"self_{name}": value for name, value in own_parts.items()}
            parts["taught"] = parts.get("taught", 0) + phase.self_weight * own
        if self.ensemble is not None:
            teacher = self.ensemble.join(student.output, names)
        if self.ensemble is not None and phase.temporal_weight:
            past, own_parts = self._compare(student, NetworkOutput(teacher, ()), None)
            total = total + phase.temporal_weight * past
            parts |= {f"temporal_{name}": value for name, value in own_parts.items()}
            parts["taught"] = parts.get("taught", 0) + phase.temporal_weight * past
        return total, parts

    @property
    def _aligning(self) -> bool:
        """Whether this phase compares maps."""
        return bool(self.models) and any(getattr(self.phase, key) for key in ALIGNED)

    def _teachers_loss(
        self, images: Tensor, student: NetworkOutput, names: Sequence[bytes]
    ) -> tuple[Tensor, Parts]:
        """Return the loss from all teachers together, and its parts averaged over them."""
        losses, teacher_parts = [], []
        use_cache = self.cached_teachers is not None and names and not maps_compared(self.phase)
        for place, model in enumerate(self.models):
            adapters = self.learned.adapters
            aligned = adapters[place] if len(adapters) else None
            teacher = (
                self._cached_output(place, images, names, student)
                if use_cache
                else self._teacher_output(model, images)
            )
            loss, parts = self._compare(student, teacher, aligned)
            losses.append(loss)
            teacher_parts.append(parts)
        if len(losses) == 1:
            return losses[0], {f"teacher_{name}": part for name, part in teacher_parts[0].items()}
        shares, more = self._shares(losses[0])
        total = torch.stack(losses) @ shares + more
        normalised = shares.detach() / shares.detach().sum()
        table = {
            name: torch.stack([of_teacher[name].detach() for of_teacher in teacher_parts])
            for name in teacher_parts[0]
        }
        means = {f"teacher_{name}": column @ normalised for name, column in table.items()}
        if self.config.learn_shares:
            means |= {f"teacher_share_{place}": share for place, share in enumerate(normalised, 1)}
        return total, means

    def _shares(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return each teacher's share (T,), and what is added to the loss for them.

        Learnt ones are those of Kendall et al. (2018, https://arxiv.org/abs/1705.07115) without
        their factor 1/2: the log variance s of a teacher gives its loss exp(-s) and costs s.
        """
        log_variances = self.learned.log_variances
        if log_variances is not None:
            count = len(self.models)
            return torch.exp(-log_variances) / count, log_variances.sum() / count
        return self.shares.to(like.dtype), torch.zeros_like(like)

    def _teacher_output(self, model: Detector, images: Tensor) -> NetworkOutput:
        """Compute a teacher's outputs for IMAGES, with the maps where this phase compares them."""
        images = converted(images, self.student.config, model.config)
        with torch.no_grad(), self.precision.computing():
            if not self._aligning:
                return NetworkOutput(full(model(images)), ())
            maps = model.features(images)
            return NetworkOutput(
                full(model.predict(maps)), [widened(feature_map) for feature_map in maps]
            )

    def _cached_output(
        self, place: int, images: Tensor, names: Sequence[bytes], student: NetworkOutput
    ) -> NetworkOutput:
        """Return the outputs of the teacher at PLACE for IMAGES, cached ones where there are."""
        assert self.cached_teachers is not None  # noqa: S101 - the caller has looked
        outputs = self.cached_teachers.outputs_of(place, images, names)
        cells = [feature_map.shape[-2] * feature_map.shape[-1] for feature_map in student.maps]
        rows = attention_maps(outputs, cells, images.device) if cells else ()
        return NetworkOutput(decode(outputs, images.device), (), rows)

    def _compare(
        self, student: NetworkOutput, teacher: NetworkOutput, aligned: nn.Module | None
    ) -> tuple[Tensor, Parts]:
        """Return the weighted distance to one teacher's outputs, a scalar, and its parts."""
        phase = self.phase
        losses = distill(student.output, teacher.output, phase, self.negatives)
        parts = losses._asdict()
        if aligned is not None and student.maps:
            with self.precision.computing():
                parts |= aligned(student.maps, teacher.maps, phase, teacher.attention_maps)
        soft, *others = (getattr(phase, f"{name}_weight") * part for name, part in parts.items())
        return sum(others, start=soft), parts
