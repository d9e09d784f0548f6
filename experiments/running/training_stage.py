"""The training stage, with distillation where there is a teacher."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from experiments.records import writer
from experiments.records.provenance import conditions_on
from experiments.running import data_checks, distributed, inputs, teachers
from experiments.running.face_sizes import census
from experiments.running.stage_context import StageContext, StageResult
from featherface.evaluation.protocol import evaluate as evaluate_predictions
from featherface.inference.detect import predict
from featherface.training.loading.workers import complaint, this_machine
from featherface.training.loop import train as fit
from featherface.training.state import resume_point
from featherface.weights import checkpoints
from featherface.weights.network_settings import overruled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from torch import nn

    from featherface.networks.detector import Detector
    from featherface.training.distillation.terms import Teacher

TRAINED_WEIGHTS = ("best.safetensors", "last.safetensors")
"""Files of weights that a training leaves."""
NO_LANDMARKS = (
    "no face of the train split has landmarks: boxes and scores are learnt, landmarks mean nothing;"
    " data.labels names RetinaFace's label.txt, train.landmark_weight=0 leaves them out"
)

BACKBONE_SETTINGS = ("leak", "pixel_mean", "channel_order", "pixel_scale")
"""Keys of a network that its backbone's weights were trained for."""


def train(context: StageContext) -> StageResult:
    """Train, and distil where there is a teacher; best and last weights are in checkpoints/."""
    recipe = context.recipe
    data = inputs.data_folder(context.workspace, recipe, context.on_progress)
    split = inputs.train_split(context.workspace, recipe, data)
    context.record_data(recipe.data.train_split, split)
    stage_result, faces = StageResult(), census(split, recipe.model.detector())
    val = inputs.val_split(recipe, data)
    missing = data_checks.missing_pictures
    context.warn(stage_result, [missing(each, recipe.data.allow_missing) for each in (split, val)])
    context.warn(stage_result, data_checks.keep_apart(context, split, val))
    truth = inputs.ground_truth(context.workspace, recipe, data)
    named = {"dataset": data_checks.dataset_name(recipe, data, truth)}
    context.add_data(recipe.data.train_split, named)
    if recipe.train.landmark_weight and not faces["landmarks"] and sum(faces["sizes"]["faces"]):
        stage_result.warnings.append(NO_LANDMARKS)
        context.on_message(NO_LANDMARKS)
    model, teacher = _network_and_teacher(context, stage_result)
    resume_at = resume_point(context.checkpoints) if context.resume else None
    writer.cut_events(context.folder, resume_at.events if resume_at else 0)
    if resume_at:
        context.on_message(f"going on after epoch {resume_at.epoch} of {recipe.train.epochs}")
    evaluator = _evaluator(context, data)
    with distributed.group_training(context, resume=resume_at is not None):
        training = fit(
            model,
            split,
            recipe.train,
            folder=context.checkpoints,
            teacher=teacher,
            evaluate=evaluator,
            on_event=_event_listener(context),
            on_progress=context.on_progress,
            on_message=context.on_message,
            should_stop=context.should_stop,
            resume=resume_at is not None,
            metadata={"run": context.run, "variant": recipe.model.variant, "recipe": recipe.digest},
        )
    for name in TRAINED_WEIGHTS:
        if (context.checkpoints / name).is_file():
            context.makes(context.checkpoints / name)
    stage_result.details = {
        "epochs": training.epochs,
        "weights": f"checkpoints/{training.weights.name}",
        "images": len(split.images),
        "skipped": dict(split.annotations.skipped),
        **faces,
        "teacher": (teacher.name or None) if teacher else None,
    }
    stage_result.details |= conditions_on(next(model.parameters()).device, "").to_json()
    if (processes := distributed.Launch.from_environment().processes) > 1:
        stage_result.details["processes"] = processes
    return stage_result


def train_as_follower(context: StageContext, joined_group: AbstractContextManager[None]) -> None:
    """Train along with rank 0 in JOINED_GROUP; nothing is written or logged in this process."""
    recipe = context.recipe
    data = inputs.data_folder(context.workspace, recipe, context.on_progress)
    split = inputs.train_split(context.workspace, recipe, data)
    model, teacher = _network_and_teacher(context, StageResult())
    with joined_group:
        fit(
            model,
            split,
            recipe.train,
            folder=context.checkpoints,
            teacher=teacher,
            should_stop=context.should_stop,
            resume=context.resume,
        )


def _event_listener(context: StageContext) -> Callable[[dict[str, Any]], None]:
    """Return the listener of training events, which warns once of slow data loading."""
    slow_epochs, machine = 0, this_machine(distributed.Launch.from_environment().processes)

    def on_event(event: dict[str, Any]) -> None:
        nonlocal slow_epochs
        context.on_event(event)
        warning = complaint(event, context.recipe.train, machine)
        slow_epochs += bool(warning)
        if slow_epochs == 2 and warning:  # the first epoch fills memory and starts the workers
            context.on_message(warning)

    return on_event


def _network_and_teacher(
    context: StageContext, result: StageResult
) -> tuple[Detector, Teacher | None]:
    """Return the network with the weights it starts from, and its teacher if it has one."""
    model = inputs.build_network(context.recipe)
    _load_start_weights(context, model, result)
    context.warn(result, teachers.overruled_settings(context.store, context.recipe))
    return model, teachers.load_teacher(context.store, context.recipe, context.parents)


def _load_start_weights(context: StageContext, model: Detector, result: StageResult) -> None:
    """Load the weights or the backbone that the recipe names; the file becomes a parent."""
    recipe = context.recipe
    weights = inputs.recipe_weights(context.workspace, recipe)
    if weights is not None:
        cleaning = checkpoints.load_weights(
            model, weights.path, recipe.model.variant, to_train=True
        )
        context.log_cleaning(f"starting from {weights.path.name}", cleaning.sentences())
        context.warn(result, overruled(weights.path, model.config))
    elif weights := inputs.recipe_backbone(context.workspace, recipe):
        checkpoints.load_backbone(model, weights.path)
        context.on_message(f"starting from the backbone in {weights.path.name}")
        context.warn(result, overruled(weights.path, model.config, keys=BACKBONE_SETTINGS))
    result.parents += [weights.parent] if weights else []


def _evaluator(
    context: StageContext, data: Path
) -> Callable[[nn.Module, int], Mapping[str, float]]:
    """Return the function that training calls on the network after an epoch.

    It gives metric -> value, the recipe's primary metric first: that one chooses the best epoch.
    """
    split = inputs.val_split(context.recipe, data)
    context.record_data(context.recipe.data.val_split, split)
    truth = inputs.ground_truth(context.workspace, context.recipe, data)
    primary = context.recipe.primary_metric.removeprefix("widerface.").removesuffix(".ap")

    def evaluate(model: nn.Module, epoch: int) -> dict[str, float]:
        del epoch
        detector = context.recipe.model.detector()
        predictions = predict(model, detector, split, context.recipe.evaluate)  # type: ignore[arg-type]
        evaluation = evaluate_predictions(predictions, truth)
        values = {"mean_ap": evaluation.mean_ap}
        values |= {name: subset.ap for name, subset in evaluation.subsets.items()}
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        return dict(sorted(finite.items(), key=lambda item: item[0] != primary))

    return evaluate
