"""The training loop, from batch to checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedDataParallelKwargs

from featherface.devices.all_reduce import anyone, overall, share_norms, together
from featherface.devices.kept_memory import keeping_memory
from featherface.devices.kernels import kernels
from featherface.devices.select import choose, reserved
from featherface.errors import InterruptedRunError, UsageError
from featherface.networks.pixels import ordered_and_scaled
from featherface.progress import never, silent
from featherface.training.distillation.distillation_loss import DistillationLoss
from featherface.training.distillation.terms import Teacher, start_from
from featherface.training.loading.batches import load, ordered
from featherface.training.loading.loader import loaders_ended
from featherface.training.loading.random_state import seed_step
from featherface.training.loading.workers import announcement, this_machine
from featherface.training.objective import Objective
from featherface.training.optimization.memory_format import lay_out, upload_centred
from featherface.training.optimization.moving_average import MovingAverage
from featherface.training.optimization.optimizers import make_optimizer
from featherface.training.session import TrainingSession, TrainResult

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featherface.data.widerface import Split
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress, ShouldStop
    from featherface.training.config.train import TrainConfig
    from featherface.training.session import Evaluate, OnEvent, OnMessage


@loaders_ended()
def train(  # noqa: PLR0913 - three things to train with, the rest listens and is optional
    model: Detector,
    split: Split,
    config: TrainConfig,
    *,
    folder: Path,
    teacher: Teacher | None = None,
    evaluate: Evaluate | None = None,
    on_event: OnEvent | None = None,
    on_progress: OnProgress = silent,
    on_message: OnMessage | None = None,
    should_stop: ShouldStop = never,
    resume: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> TrainResult:
    """Train MODEL on SPLIT and leave best and last weights and a state file in FOLDER.

    After each epoch the state file is replaced; with RESUME training goes on from it, on the CPU
    with exactly the weights that an undisturbed training would have had.

    Args:
        model: changed in place; its `config` tells priors and pixel mean.
        split: the train split.
        config: how to train.
        folder: of the checkpoints; made where missing.
        teacher: frozen detectors to distil from, or how the student teaches itself.
        evaluate: called with the model (in evaluation mode) and the epoch from 1; the first of
            the metrics that it returns decides which weights are best (higher is better).
        on_event: told a dictionary of plain values: `kind` is `step` or `epoch`, `event` counts
            from 0 (after a resume from `resume_point(folder).events`).
        on_progress: told every step.
        on_message: told in a sentence what a person should know before and after.
        should_stop: asked after every step.
        resume: go on from FOLDER's state file where there is one.
        metadata: kept in the weights files.

    Raises:
        DataError: the split holds no face.
        TrainingError: the loss is no number; the batch is in FOLDER.
        InterruptedRunError: `should_stop` said so; FOLDER holds all that is needed to resume.
        UsageError: CONFIG leaves something to `featherface.training.tuning.automatic.settle`.
    """
    _check_settled(config, teacher)
    torch.manual_seed(config.seed)
    accelerator = make_accelerator(config, on_message)
    order = ordered(split, config, accelerator.process_index, accelerator.num_processes)
    named = teacher is not None and teacher.remembers(config.views)
    device, pixel_mean = accelerator.device, model.config.pixel_mean
    loader = load(split, config, pixel_mean, order, named=named, device=device)
    mean = torch.tensor(pixel_mean, dtype=torch.float32, device=device)
    lay_out(model.to(accelerator.device), config)
    if accelerator.num_processes > 1:
        share_norms(model)
    if teacher is not None and teacher.model is not None and teacher.config.init_backbone:
        start_from(model, teacher.model)
    distillation = DistillationLoss(teacher, model, config, accelerator.device) if teacher else None
    objective = Objective(model.config, config, accelerator.device, distillation)
    average = MovingAverage(model, config.ema) if config.ema else None
    beside = distillation.learned.parameters() if distillation else ()
    wrapped, optimizer = accelerator.prepare(model, make_optimizer(model, config, beside))
    # Its autocast would hold for the evaluations of the model too, and for no teacher.
    accelerator.unwrap_model(wrapped, keep_fp32_wrapper=False)
    total = sum(order.batches(epoch) for epoch in range(config.epochs)) // config.accumulate
    session = TrainingSession(accelerator, model, average, optimizer, config, folder, total)
    session.distillation = distillation
    session.listen(on_event, on_progress, evaluate, metadata)
    session.on_message = on_message
    session.log_message(announcement(loader.workers, this_machine(together())))
    if distillation is not None:
        session.log_message(distillation.open_caches(folder, config, len(split.images)))
    place = session.restore() if resume else session.place
    session.prepare()

    while not session.finished:
        order.epoch, order.start = place.epoch, place.batch
        session.begin_epoch()
        for batch in keeping_memory(
            session.loading.watch(loader), device, wanted=config.keep_memory
        ):
            session.set_rate()
            seed_step(config.seed, place.epoch, place.batch, accelerator.process_index)
            with kernels(repeatable=bool(config.deterministic)), accelerator.accumulate(wrapped):
                images, targets = (
                    ordered_and_scaled(upload_centred(batch.images, mean), model.config),
                    batch.targets.to(device),
                )
                loss, parts = objective(wrapped, images, targets, batch.names)
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    parts["gradient_norm"] = session.clip()
                values = overall(parts)  # the one time that a step waits for the device
                session.check_finite(values["loss"], batch)  # before the weights follow
                optimizer.step()
                optimizer.zero_grad()
            session.count(values, len(batch.paths))
            if accelerator.sync_gradients and anyone(should_stop(), accelerator.device):
                session.save()
                raise InterruptedRunError(
                    f"training stopped in epoch {place.epoch + 1} of {config.epochs}",
                    "go on with --resume",
                )
        session.finish_epoch()
    return session.result()


def _check_settled(config: TrainConfig, teacher: Teacher | None) -> None:
    if teacher is not None and teacher.config.uses("temporal_weight") and not config.views:
        raise UsageError(
            "distill.temporal_weight compares with earlier looks at the same picture, but with"
            " train.views = 0 each epoch draws another one",
            "set how many there are: --set train.views=4",
        )
    for key in config.unsettled:
        raise UsageError(
            f"train.{key} = auto: nothing has measured it",
            f"give a value: --set train.{key}=VALUE",
        )


def make_accelerator(config: TrainConfig, on_message: OnMessage | None = None) -> Accelerator:
    """Return the accelerator that CONFIG asks for; ON_MESSAGE hears why a card isn't used.

    Raises:
        UnavailableError: this machine lacks the device.
        UsageError: the device can't compute in the asked precision, or for several processes.
    """
    if PartialState._shared_state and PartialState().num_processes == 1:  # noqa: SLF001
        # accelerate keeps one state per process, but two trainings may differ in precision
        AcceleratorState._reset_state(reset_partial_state=True)  # noqa: SLF001
    unused = config.frozen_backbone > 0  # DDP waits for every gradient else
    chosen = choose(config.device, on_message)
    with reserved(chosen, together()):
        accelerator = Accelerator(
            cpu=chosen.type == "cpu",  # of several processes each trains alone else
            mixed_precision=config.amp,
            gradient_accumulation_steps=config.accumulate,
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=unused)],
        )
    device = accelerator.device.type
    if config.amp == "fp16" and device == "cpu":
        raise UsageError(
            "train.amp = 'fp16' needs a GPU", "use --set train.amp=no, or bf16 on recent CPUs"
        )
    return accelerator
