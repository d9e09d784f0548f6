"""What a training holds beside its loop: its place, its files, its listeners."""

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
from featherface.training.loading.dataloader_wait import Waiting
from featherface.training.optimization.curriculum import holds_backbone
from featherface.training.optimization.schedules import learning_rate
from featherface.training.state import Place, restore, save_state, write_tensors
from featherface.weights.checkpoints import save_weights, weights_of, write_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import torch
    from accelerate import Accelerator
    from torch import Tensor

    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress
    from featherface.training.config.train import TrainConfig
    from featherface.training.distillation.distillation_loss import Teaching
    from featherface.training.loading.batches import Batch
    from featherface.training.optimization.moving_average import MovingAverage

    Evaluate = Callable[[torch.nn.Module, int], Mapping[str, float]]
    OnEvent = Callable[[dict[str, Any]], None]
    OnMessage = Callable[[str], None]

BEST, LAST = "best.safetensors", "last.safetensors"
"""Names of the weights in the training's folder."""
STANDS = "the one before it stands until the next checkpoint"
"""What follows where another program holds a file of a checkpoint."""
GUILTY_BATCH = "bad_batch.pt"
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
class Session:
    """One training in progress."""

    accelerator: Accelerator
    model: Detector
    average: MovingAverage | None
    optimizer: Any
    config: TrainConfig
    folder: Path
    total: int
    """Optimizer steps of the whole training."""
    place: Place = field(default_factory=Place)
    on_event: OnEvent | None = None
    on_progress: OnProgress = silent
    on_message: OnMessage | None = None
    evaluate: Evaluate | None = None
    metadata: Mapping[str, str] | None = None
    waiting: Waiting = field(default_factory=Waiting)
    teaching: Teaching | None = None
    _since: tuple[float, int] = field(default_factory=lambda: (time.perf_counter(), 0))
    """When this process began the current epoch, and the pictures it saw since."""
    _better: dict[str, torch.Tensor] | None = None
    """The best weights so far, where they are not in their file yet."""

    def listen(
        self,
        on_event: OnEvent | None,
        on_progress: OnProgress,
        evaluate: Evaluate | None,
        metadata: Mapping[str, str] | None,
    ) -> None:
        """Set who is told what, and what the weights files carry."""
        self.on_event, self.on_progress = on_event, on_progress
        self.evaluate, self.metadata = evaluate, metadata

    @property
    def finished(self) -> bool:
        """Whether all epochs are trained, or patience is at its end."""
        patience = self.config.patience
        return self.place.epoch >= self.config.epochs or 0 < patience <= self.place.waited

    @property
    def kept(self) -> torch.nn.Module:
        """The model whose weights are evaluated and kept."""
        return self.average.model if self.average else self.model

    @property
    def _parts(self) -> dict[str, Any]:
        parts = {"model": self.model, "optimizer": self.optimizer, "average": self.average}
        taught = self.teaching.parts if self.teaching else {}
        return {**parts, "scaler": self.accelerator.scaler, **taught}

    def restore(self) -> Place:
        """Take up the state file, where there is one."""
        self.place = restore(self.folder, self.config, self._parts)
        return self.place

    def begin_epoch(self) -> None:
        """Make everything learn that the epoch to come teaches, and take up how."""
        self.model.train()
        frozen = holds_backbone(self.config, self.place.epoch)
        self.model.backbone.requires_grad_(not frozen)
        if frozen:
            self.model.backbone.eval()  # its batch norms stay too
        if self.teaching is not None:
            before = self.place.step - self.place.batch // self.config.accumulate
            self.teaching.begin(self.place.epoch, before)

    def prepare(self) -> None:
        """Let no process begin before all have taken up their state; forget what is of another."""
        fresh = self.place.step == 0 and self.accelerator.is_main_process
        if fresh and self.teaching is not None:
            self.teaching.forget()
        self.accelerator.wait_for_everyone()

    def set_rate(self) -> None:
        """Set the learning rate of the step to come."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.place.step, self.total)

    def save(self, *, whole: bool = False) -> None:
        """Replace last weights and state file; of a WHOLE epoch, nothing before it is kept."""
        if self.teaching is not None:
            self.say(self.teaching.flush())
            self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            self._keep(whole=whole)
        self.accelerator.wait_for_everyone()

    def _keep(self, *, whole: bool) -> None:
        """Write the checkpoint, without what another program holds unless it is the last one.

        The state comes last: it must not tell of best weights that are not in their file.
        """
        with self._later():
            save_weights(self.folder / LAST, self.kept, self.metadata)
        with self._later():
            self._save_best()
        if self._better is None:
            with spared(STANDS):
                save_state(self.folder, self.place, self.config, self._parts)
                if self.teaching is not None and whole:
                    self.teaching.prune()

    def _later(self) -> contextlib.AbstractContextManager[None]:
        """Let a later checkpoint write what is held now, where there is one."""
        return contextlib.nullcontext() if self.finished else spared(STANDS)

    def _save_best(self) -> None:
        """Bring the best weights into their file, where they are not.

        Raises:
            HeldError: another program holds it; they are kept for the next checkpoint.
        """
        if self._better is None:
            return
        try:
            write_weights(self.folder / BEST, self._better, self.metadata)
        except HeldError:  # the model learns on, and these weights must not
            self._better = {name: value.clone() for name, value in self._better.items()}
            raise
        self._better = None

    def guard(self, loss: float, batch: Batch) -> None:
        """Stop on a loss that is no number, keeping the batch and the weights that gave it.

        LOSS is that of all processes together: each keeps its part of the batch.
        """
        if math.isfinite(loss):
            return
        rank = self.accelerator.process_index
        path = self.folder / (f"{rank}-{GUILTY_BATCH}" if rank else GUILTY_BATCH)
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
        if self.teaching is not None:
            self.teaching.share_gradients(self.accelerator)
        bound = self.config.clip or math.inf
        beside = self.teaching.companions.parameters() if self.teaching else ()
        trained = [*self.model.parameters(), *beside]
        norm: Tensor = self.accelerator.clip_grad_norm_(trained, bound)
        return norm

    def count(self, values: Mapping[str, float], pictures: int) -> None:
        """Note what a batch gave; after the last of a step, average the weights and tell."""
        place = self.place
        started, seen = self._since
        self._since = (started, seen + pictures * self.accelerator.num_processes)
        for name, value in values.items():
            place.sums[name] = place.sums.get(name, 0.0) + value
        place.batch += 1
        if not self.accelerator.sync_gradients:
            return
        place.step += 1
        if self.average is not None:
            self.average.update(place.step)
        if self.teaching is not None:
            self.teaching.follow(place.step)
        if place.step % self.config.log_every == 0:
            self.tell("step", learning_rate=self._rate, **values)
        shown = {"loss": values["loss"]}
        self.on_progress(Progress("train", place.step, self.total, "steps", shown))

    @property
    def _rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def tell(self, kind: str, **values: float) -> None:
        """Send an event with its number and place; values that are no number are left out.

        In half precision the first gradients overflow until the scale has settled.
        """
        place = self.place
        event = {"kind": kind, "event": place.events, "epoch": place.epoch, "step": place.step}
        place.events += 1
        if self.on_event is not None and self.accelerator.is_main_process:
            told = {name: value for name, value in values.items() if math.isfinite(value)}
            self.on_event({**event, **told})

    def say(self, text: str) -> None:
        """Send a sentence to whoever listens; an empty one is none."""
        if text and self.on_message is not None and self.accelerator.is_main_process:
            self.on_message(text)

    def finish_epoch(self) -> None:
        """Average, evaluate where it is due, tell, and checkpoint."""
        place, config, waited = self.place, self.config, self.waiting.share
        batches = {"gradient_norm": place.batch // config.accumulate}
        means = {name: value / batches.get(name, place.batch) for name, value in place.sums.items()}
        place.epoch, place.batch, place.sums = place.epoch + 1, 0, {}
        due = config.evaluate_every > 0 and place.epoch % config.evaluate_every == 0
        speed = {"seconds": time.perf_counter() - self._since[0], "images": self._since[1]}
        speed |= {"loading": waited, "workers": self.waiting.workers}
        metrics = self.judge() if due or place.epoch == config.epochs else {}
        told = [place.best, place.waited, place.metrics]
        place.best, place.waited, place.metrics = broadcast_object_list(told)
        lesson = self.teaching.facts if self.teaching else {}
        self.tell("epoch", learning_rate=self._rate, **speed, **lesson, **means, **metrics)
        self.save(whole=True)
        self._since = (time.perf_counter(), 0)

    def judge(self) -> dict[str, float]:
        """Evaluate, and keep the weights if they are the best so far; return the metrics."""
        if self.evaluate is None or not self.accelerator.is_main_process:
            return {}
        place = self.place
        self.kept.eval()
        place.metrics = dict(self.evaluate(self.kept, place.epoch))
        deciding = next(iter(place.metrics.values()), math.nan)
        place.waited += 1
        # What is no number is never the best: nothing would be better than it.
        if deciding > (-math.inf if place.best is None else place.best):
            place.best, place.waited = deciding, 0
            self._better = weights_of(self.kept)
        return place.metrics

    def result(self) -> TrainResult:
        """Sum up."""
        if self.teaching is not None:
            self.say(self.teaching.finish())
        best, last = self.folder / BEST, self.folder / LAST
        place = self.place
        weights = last if place.best is None else best
        return TrainResult(weights, last, place.epoch, place.best, place.metrics)
