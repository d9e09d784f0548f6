"""The training stage, with distillation where there is a teacher."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from experiments.records import writer
from experiments.records.provenance import conditions_on
from experiments.running import distributed, inputs, teachers
from experiments.running.face_sizes import census
from experiments.running.stage_context import Findings, Work
from featherface.evaluation.protocol import evaluate as judge
from featherface.inference.detect import predict
from featherface.training.loading.workers import complaint, this_machine
from featherface.training.loop import train as fit
from featherface.training.state import resume_point
from featherface.weights import checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from torch import nn

    from featherface.networks.detector import Detector
    from featherface.training.distillation.terms import Teacher

UNTAUGHT = (
    "no face of the train split has landmarks: boxes and scores are learnt, landmarks mean nothing;"
    " data.labels names RetinaFace's label.txt, train.landmark_weight=0 leaves them out"
)


def train(work: Work) -> Findings:
    """Train, and distil where there is a teacher; best and last weights are in checkpoints/."""
    recipe = work.recipe
    data = inputs.data_folder(work.workspace, recipe, work.on_progress)
    split = inputs.train_split(work.workspace, recipe, data)
    work.note_data(recipe.data.train_split, split)
    found, faces = Findings(), census(split, recipe.model.detector())
    if recipe.train.landmark_weight and not faces["landmarks"] and sum(faces["sizes"]["faces"]):
        found.warnings.append(UNTAUGHT)
        work.on_message(UNTAUGHT)
    model, teacher = _learner(work, found)
    place = resume_point(work.checkpoints) if work.resume else None
    writer.cut_events(work.folder, place.events if place else 0)
    if place:
        work.on_message(f"going on after epoch {place.epoch} of {recipe.train.epochs}")
    evaluator = _evaluator(work, data)
    with distributed.training(work, resume=place is not None):
        result = fit(
            model,
            split,
            recipe.train,
            folder=work.checkpoints,
            teacher=teacher,
            evaluate=evaluator,
            on_event=_listener(work),
            on_progress=work.on_progress,
            on_message=work.on_message,
            should_stop=work.should_stop,
            resume=place is not None,
            metadata={"run": work.run, "variant": recipe.model.variant, "recipe": recipe.digest},
        )
    found.details = {
        "epochs": result.epochs,
        "weights": f"checkpoints/{result.weights.name}",
        "images": len(split.images),
        "skipped": dict(split.annotations.skipped),
        **faces,
        "teacher": (teacher.name or None) if teacher else None,
    }
    found.details |= conditions_on(next(model.parameters()).device, "").to_json()
    if (processes := distributed.Launch.here().processes) > 1:
        found.details["processes"] = processes
    return found


def train_along(work: Work, joined: AbstractContextManager[None]) -> None:
    """Train what another process keeps, once JOINED with it; nothing is written or told here."""
    recipe = work.recipe
    data = inputs.data_folder(work.workspace, recipe, work.on_progress)
    split = inputs.train_split(work.workspace, recipe, data)
    model, teacher = _learner(work, Findings())
    with joined:
        fit(
            model,
            split,
            recipe.train,
            folder=work.checkpoints,
            teacher=teacher,
            should_stop=work.should_stop,
            resume=work.resume,
        )


def _listener(work: Work) -> Callable[[dict[str, Any]], None]:
    """Return what hears the training's events: it says once that loading is the bottleneck."""
    epochs, machine = 0, this_machine(distributed.Launch.here().processes)

    def hear(event: dict[str, Any]) -> None:
        nonlocal epochs
        work.on_event(event)
        text = complaint(event, work.recipe.train, machine)
        epochs += bool(text)
        if epochs == 2 and text:  # the first epoch fills memory and starts the workers
            work.on_message(text)

    return hear


def _learner(work: Work, found: Findings) -> tuple[Detector, Teacher | None]:
    """Return the network as its training begins, and whom it learns from."""
    model = inputs.build(work.recipe)
    _start_weights(work, model, found)
    return model, teachers.load_teacher(work.store, work.recipe, work.parents)


def _start_weights(work: Work, model: Detector, found: Findings) -> None:
    """Load the weights that the recipe starts from."""
    recipe = work.recipe
    given = inputs.given_weights(work.workspace, recipe)
    if given is not None:
        cleaning = checkpoints.load_weights(model, given.path, recipe.model.variant)
        work.tell(f"starting from {given.path.name}", cleaning.sentences())
    elif given := inputs.given_backbone(work.workspace, recipe):
        checkpoints.load_backbone(model, given.path)
        work.on_message(f"starting from the backbone in {given.path.name}")
    found.parents += [given.parent] if given else []


def _evaluator(work: Work, data: Path) -> Callable[[nn.Module, int], Mapping[str, float]]:
    """Return what training calls to know how good the weights are; the first value decides."""
    split = inputs.val_split(work.recipe, data)
    work.note_data(work.recipe.data.val_split, split)
    truth = inputs.ground_truth(work.workspace, work.recipe, data)
    first = work.recipe.primary_metric.removeprefix("widerface.").removesuffix(".ap")

    def measure(model: nn.Module, epoch: int) -> dict[str, float]:
        del epoch
        detector = work.recipe.model.detector()
        predictions = predict(model, detector, split, work.recipe.evaluate)  # type: ignore[arg-type]
        result = judge(predictions, truth)
        values = {"mean_ap": result.mean_ap}
        values |= {name: one.ap for name, one in result.subsets.items()}
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        return dict(sorted(finite.items(), key=lambda pair: pair[0] != first))

    return measure
