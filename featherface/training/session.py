"""The state of a training in progress: its progress, checkpoints, events and messages."""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from accelerate.utils import broadcast_object_list

from featherface.errors import HeldError, TrainingError
from featherface.filesystem.atomic import replacing
from featherface.filesystem.retry import spared
from featherface.progress import Progress, silent
from featherface.training.loading.dataloader_wait import LoadingClock
from featherface.training.optimization.curriculum import holds_backbone
from featherface.training.optimization.schedules import learning_rate
from featherface.training.state import ResumePoint, restore, save_state, write_tensors
from featherface.weights.checkpoints import save_weights, weights_of, write_weights
from featherface.weights.network_settings import settings_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch
    from accelerate import Accelerator
    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.distillation_loss import DistillationLoss
    from featherface.training.loading.batches import Batch
    from featherface.training.optimization.moving_average import MovingAverage

    Evaluate = Callable[[torch.nn.Module, int], Mapping[str, float]]
    OnEvent = Callable[[dict[str, Any]], None]
    OnMessage = Callable[[str], None]

BEST, LAST = "best.safetensors", "last.safetensors"
"""Names of the weights in the training's folder."""
STANDS = "the one before it stands until the next checkpoint"
"""What follows where another program holds a file of a checkpoint."""
BAD_BATCH = "bad_batch.pt"
"""Name of the batch that gave a loss that is no number."""


@dataclass(frozen=True)
class TrainResult:
    """What a training left."""

    weights: Path
    """The best by the deciding metric; the last where nothing was evaluated."""
    last: Path
    epochs: int
    """Epochs trained, fewer than configured where training stopped early."""
    best: float | None
    """Highest value of the deciding metric."""
    metrics: dict[str, float]
    """Of the last evaluation."""


@dataclass
class TrainingSession:
    """One training in progress."""

    accelerator: Accelerator
    model: Detector
    average: MovingAverage | None
    optimizer: Any
    config: TrainConfig
    folder: Path
    total: int
    """Optimizer steps of the whole training."""
    place: ResumePoint = field(default_factory=ResumePoint)
    on_event: OnEvent | None = None
    on_progress: OnProgress = silent
    on_message: OnMessage | None = None
    evaluate: Evaluate | None = None
    metadata: Mapping[str, str] | None = None
    loading: LoadingClock = field(default_factory=LoadingClock)
    distillation: DistillationLoss | None = None
    _epoch_start: tuple[float, int] = field(default_factory=lambda: (time.perf_counter(), 0))
    """When this process began the current epoch, and the pictures it saw since."""
    _unsaved_best: dict[str, torch.Tensor] | None = None
    """The best weights so far, where they are not in their file yet."""

    def listen(
        self,
        on_event: OnEvent | None,
        on_progress: OnProgress,
        evaluate: Evaluate | None,
        metadata: Mapping[str, str] | None,
    ) -> None:
        """Set the callbacks, and the metadata of the weights files."""
        self.on_event, self.on_progress = on_event, on_progress
        settings = settings_metadata(self.model.config)
        self.evaluate, self.metadata = evaluate, {**settings, **(metadata or {})}

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or patience is at its end."""
        patience = self.config.patience
        return self.place.epoch >= self.config.epochs or 0 < patience <= self.place.waited

    @property
    def evaluated_model(self) -> torch.nn.Module:
        """The model whose weights are evaluated and saved: the moving average, if there is one."""
        return self.average.model if self.average else self.model

    @property
    def _parts(self) -> dict[str, Any]:
        parts = {"model": self.model, "optimizer": self.optimizer, "average": self.average}
        taught = self.distillation.parts if self.distillation else {}
        return {**parts, "scaler": self.accelerator.scaler, **taught}

    def restore(self) -> ResumePoint:
        """Take up the state file, where there is one."""
        self.place = restore(self.folder, self.config, self._parts)
        return self.place

    def begin_epoch(self) -> None:
        """Freeze or release the backbone for the coming epoch; select its distillation phase."""
        self.model.train()
        frozen = holds_backbone(self.config, self.place.epoch)
        self.model.backbone.requires_grad_(not frozen)
        if frozen:
            self.model.backbone.eval()  # its batch norms stay too
        if self.distillation is not None:
            before = self.place.step - self.place.batch // self.config.accumulate
            self.distillation.begin_epoch(self.place.epoch, before)

    def prepare(self) -> None:
        """Wait until all processes have restored their state; a new training drops old averages."""
        fresh = self.place.step == 0 and self.accelerator.is_main_process
        if fresh and self.distillation is not None:
            self.distillation.reset()
        self.accelerator.wait_for_everyone()

    def set_rate(self) -> None:
        """Set the learning rate of the step to come."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.place.step, self.total)

    def save(self, *, whole: bool = False) -> None:
        """Replace last weights and state file; of a WHOLE epoch, nothing before it is kept."""
        if self.distillation is not None:
            self.log_message(self.distillation.flush())
            self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            self._write_checkpoint(whole=whole)
        self.accelerator.wait_for_everyone()

    def _write_checkpoint(self, *, whole: bool) -> None:
        """Write the checkpoint, without what another program holds unless it is the last one.

        The state comes last: it must not tell of best weights that are not in their file.
        """
        with self._later():
            save_weights(self.folder / LAST, self.evaluated_model, self.metadata)
        with self._later():
            self._save_best()
        if self._unsaved_best is None:
            with spared(STANDS):
                save_state(self.folder, self.place, self.config, self._parts)
                if self.distillation is not None and whole:
                    self.distillation.prune()

    def _later(self) -> contextlib.AbstractContextManager[None]:
        """Let a later checkpoint write what is held now, where there is one."""
        return contextlib.nullcontext() if self.finished else spared(STANDS)

    def _save_best(self) -> None:
        """Bring the best weights into their file, where they are not.

        Raises:
            HeldError: another program holds it; they are kept for the next checkpoint.
        """
        if self._unsaved_best is None:
            return
        try:
            write_weights(self.folder / BEST, self._unsaved_best, self.metadata)
        except HeldError:  # the model learns on, and these weights must not
            self._unsaved_best = {name: value.clone() for name, value in self._unsaved_best.items()}
            raise
        self._unsaved_best = None

    def check_finite(self, loss: float, batch: Batch) -> None:
        """Stop on a loss that is no number, keeping the batch and the weights that gave it.

        LOSS is that of all processes together: each keeps its part of the batch.
        """
        if math.isfinite(loss):
            return
        rank = self.accelerator.process_index
        path = self.folder / (f"{rank}-{BAD_BATCH}" if rank else BAD_BATCH)
        with replacing(path) as temporary:
            content = {"images": batch.images, "paths": batch.paths, **batch.targets._asdict()}
            write_tensors({**content, "model": self.model.state_dict()}, temporary)
        raise TrainingError(
            f"the loss is {loss} in epoch {self.place.epoch + 1}, batch {self.place.batch + 1};"
            f" the batch is in {path}",
            "lower train.lr or train.clip; look at the batch's pictures and boxes",
        )

    def clip(self) -> Tensor:
        """Bound the gradient of all that is trained and return its norm before that, a scalar."""
        if self.distillation is not None:
            self.distillation.share_gradients(self.accelerator)
        bound = self.config.clip or math.inf
        beside = self.distillation.learned.parameters() if self.distillation else ()
        trained = [*self.model.parameters(), *beside]
        norm: Tensor = self.accelerator.clip_grad_norm_(trained, bound)
        return norm

    def count(self, values: Mapping[str, float], pictures: int) -> None:
        """Add up a batch's values; after an optimizer step, update the averages and log."""
        place = self.place
        started, seen = self._epoch_start
        self._epoch_start = (started, seen + pictures * self.accelerator.num_processes)
        for name, value in values.items():
            place.sums[name] = place.sums.get(name, 0.0) + value
        place.batch += 1
        if not self.accelerator.sync_gradients:
            return
        place.step += 1
        if self.average is not None:
            self.average.update(place.step)
        if self.distillation is not None:
            self.distillation.update(place.step)
        if place.step % self.config.log_every == 0:
            self.log_event("step", learning_rate=self._rate, **values)
        shown = {"loss": values["loss"]}
        self.on_progress(Progress("train", place.step, self.total, "steps", shown))

    @property
    def _rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def log_event(self, kind: str, **values: float) -> None:
        """Send an event with its number and place; values that are no number are left out.

        In half precision the first gradients overflow until the scale has settled.
        """
        place = self.place
        event = {"kind": kind, "event": place.events, "epoch": place.epoch, "step": place.step}
        place.events += 1
        if self.on_event is not None and self.accelerator.is_main_process:
            finite = {name: value for name, value in values.items() if math.isfinite(value)}
            self.on_event({**event, **finite})

    def log_message(self, text: str) -> None:
        """Send a sentence to whoever listens; an empty one is none."""
        if text and self.on_message is not None and self.accelerator.is_main_process:
            self.on_message(text)

    def finish_epoch(self) -> None:
        """Average the epoch's values, evaluate where it is due, log, and checkpoint."""
        place, config, waited = self.place, self.config, self.loading.share
        batches = {"gradient_norm": place.batch // config.accumulate}
        means = {name: value / batches.get(name, place.batch) for name, value in place.sums.items()}
        place.epoch, place.batch, place.sums = place.epoch + 1, 0, {}
        due = config.evaluate_every > 0 and place.epoch % config.evaluate_every == 0
        speed = {
            "seconds": time.perf_counter() - self._epoch_start[0],
            "images": self._epoch_start[1],
        }
        speed |= {"loading": waited, "workers": self.loading.workers}
        metrics = self.judge() if due or place.epoch == config.epochs else {}
        evaluation = [place.best, place.waited, place.metrics]
        place.best, place.waited, place.metrics = broadcast_object_list(evaluation)
        phase_values = self.distillation.epoch_values if self.distillation else {}
        self.log_event(
            "epoch", learning_rate=self._rate, **speed, **phase_values, **means, **metrics
        )
        self.save(whole=True)
        self._epoch_start = (time.perf_counter(), 0)

    def judge(self) -> dict[str, float]:
        """Evaluate, and keep the weights if they are the best so far; return the metrics."""
        if self.evaluate is None or not self.accelerator.is_main_process:
            return {}
        place = self.place
        self.evaluated_model.eval()
        place.metrics = dict(self.evaluate(self.evaluated_model, place.epoch))
        deciding = next(iter(place.metrics.values()), math.nan)
        place.waited += 1
        # What is no number is never the best: nothing would be better than it.
        if deciding > (-math.inf if place.best is None else place.best):
            place.best, place.waited = deciding, 0
            self._unsaved_best = weights_of(self.evaluated_model)
        return place.metrics

    def result(self) -> TrainResult:
        """Sum up."""
        if self.distillation is not None:
            self.log_message(self.distillation.finish())
        best, last = self.folder / BEST, self.folder / LAST
        place = self.place
        weights = last if place.best is None else best
        return TrainResult(weights, last, place.epoch, place.best, place.metrics)
