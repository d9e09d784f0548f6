"""The evaluation stage: predictions judged by the official protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from experiments.accuracy import Circumstances, landmark_metric, measure
from experiments.conditions import Conditions
from experiments.metrics import OVERLAP
from experiments.records.provenance import conditions_of
from experiments.records.run import MATCHES
from experiments.running import data_checks, inputs
from experiments.running.stage_context import (
    COPIED_WEIGHTS,
    StageContext,
    StageResult,
    load_network,
)
from featherface.devices.precision import FULL
from featherface.engine_choice.conversion import KEPT, convert
from featherface.engine_choice.fastest import fastest
from featherface.engines.pytorch import PyTorchEngine
from featherface.engines.table import AUTO, TORCH
from featherface.evaluation.landmark_files import read_all_landmarks
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import Evaluation
from featherface.evaluation.protocol import evaluate as evaluate_predictions
from featherface.evaluation.suspicion import cut_off
from featherface.inference.detect import predict
from featherface.inference.running_statistics import better_settings
from featherface.weights.network_settings import known_to_fit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.metrics import Metric
    from featherface.data.annotation import ImageAnnotation
    from featherface.data.widerface import Split
    from featherface.engines.engine import Engine
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.networks.detector import Detector


def evaluate(context: StageContext) -> StageResult:
    """Evaluate the run's network, or the predictions that the recipe names."""
    recipe = context.recipe
    stage_result = StageResult()
    labelled: list[ImageAnnotation] = []
    conditions = Conditions()
    if recipe.evaluate.predictions:
        folder, truth, predictions = _earlier_predictions(context, stage_result)
    else:
        data = inputs.data_folder(context.workspace, recipe, context.on_progress)
        split = inputs.val_split(recipe, data)
        context.warn(stage_result, [data_checks.missing_pictures(split, recipe.data.allow_missing)])
        context.record_data(recipe.data.val_split, split)
        labelled = inputs.with_landmarks(split)
        folder, truth = data, inputs.ground_truth(context.workspace, recipe, data)
        model = load_network(context, stage_result)
        context.warn(stage_result, [_misfit(context, model, split)])
        engine = _engine(context, model, len(split.images))
        conditions = conditions_of(engine, recipe.evaluate.precision)
        predictions = predict(
            engine,
            recipe.model.detector(),
            split,
            recipe.evaluate,
            save_to=context.folder / "predictions",
            landmarks=bool(labelled),
            on_progress=context.on_progress,
            should_stop=context.should_stop,
        )
    context.record_ground_truth(truth)
    evaluation = evaluate_predictions(predictions, truth)
    evaluation.matches.save(context.folder / MATCHES)
    context.makes(context.folder / MATCHES)
    judged = truth.restrict(evaluation.matches.images)
    dataset = data_checks.dataset_name(recipe, folder, judged)
    context.add_data(recipe.data.val_split, {"dataset": dataset})
    maker = _maker(context, stage_result)
    own = not maker and data_checks.trained_on_val(context, stage_result.parents)
    marks = (OVERLAP,) if own else ()
    circumstances = _circumstances(context, evaluation, dataset, judged, conditions, maker, marks)
    stage_result.metrics = _accuracy(context, evaluation, circumstances, labelled)
    context.warn(stage_result, (*evaluation.warnings, cut_off(recipe.evaluate)))
    stage_result.details = {
        "images": evaluation.images,
        "detections": evaluation.detections,
        "faces": {name: subset.faces for name, subset in evaluation.subsets.items()},
        "ground_truth": evaluation.source,
        "complete": all(metric.complete for metric in stage_result.metrics),
    }
    return stage_result


def _engine(context: StageContext, model: Detector, pictures: int) -> Engine:
    """Return what computes MODEL, as the recipe wants it: what a metric's conditions name."""
    config, device = context.recipe.evaluate, next(model.parameters()).device
    folder = context.workspace.state / "cache" / KEPT
    name, variant_name = config.engine, context.recipe.model.variant
    if name == AUTO and config.precision == FULL:
        choice = fastest(
            model,
            variant_name,
            pictures,
            folder=folder,
            device=str(device),
            say=context.on_message,
        )
        context.on_message(f"engine: {choice.reason}")
        return choice.engine
    if name in (AUTO, TORCH):
        return PyTorchEngine(model)
    threads = torch.get_num_threads()
    return convert(model, variant_name, name, folder=folder, threads=threads)


def _earlier_predictions(
    context: StageContext, stage_result: StageResult
) -> tuple[Path, GroundTruth, Mapping[str, Any]]:
    """Return folder of the data, ground truth and predictions, where the recipe names predictions.

    The file or folder of predictions becomes a parent in STAGE_RESULT.
    """
    recipe = context.recipe
    path = (context.workspace.root / Path(str(recipe.evaluate.predictions)).expanduser()).resolve()
    predictions = read_predictions(path)
    data = None
    if recipe.data.ground_truth is None:
        data = inputs.data_folder(context.workspace, recipe, context.on_progress)
    truth = inputs.ground_truth(context.workspace, recipe, data)
    stage_result.parents.append(inputs.predictions_parent(context.store, recipe, path))
    source = data or context.workspace.root / Path(str(recipe.data.ground_truth)).expanduser()
    return source.resolve(), truth, predictions


def _maker(context: StageContext, stage_result: StageResult) -> str:
    """Return who made the predictions that were judged; empty for the record's own network."""
    given = next((each for each in stage_result.parents if each.role == "predictions"), None)
    if given is None or given.run:
        return ""
    maker = context.recipe.evaluate.predictions_by
    if maker is None:
        maker = given.path
        text = (
            f"the predictions are told to be of {maker!r}, after their folder; name who made them:"
            " --set evaluate.predictions_by=NAME"
        )
        context.warn(stage_result, [text])
    return maker


def _misfit(context: StageContext, model: Detector, split: Split) -> str:
    """Say which settings fit the weights from elsewhere better; empty where theirs are known."""
    source = inputs.recipe_weights(context.workspace, context.recipe)
    taken = (context.checkpoints / COPIED_WEIGHTS).is_file()
    if source is None or not taken or known_to_fit(source.path, model.config):
        return ""
    return better_settings(model, model.config, [split.path(image) for image in split.images])


def _circumstances(
    context: StageContext,
    evaluation: Evaluation,
    dataset: str,
    truth: GroundTruth,
    conditions: Conditions,
    maker: str,
    marks: tuple[str, ...],
) -> Circumstances:
    recipe, split = context.recipe, context.recipe.data.val_split
    return Circumstances(
        dataset=dataset,
        split=split,
        complete=inputs.is_whole_split(
            dataset, split, evaluation.images, claimed=evaluation.complete
        ),
        fingerprint=inputs.truth_digest(truth),
        run=context.run,
        conditions=conditions,
        earlier=recipe.evaluate.predictions is not None,
        maker=maker,
        marks=marks,
    )


def _accuracy(
    context: StageContext,
    evaluation: Evaluation,
    circumstances: Circumstances,
    labelled: Sequence[ImageAnnotation],
) -> list[Metric]:
    """Return the metrics of EVALUATION; those of landmarks, too, where images are LABELLED."""
    recipe = context.recipe
    metrics = measure(evaluation, recipe.evaluate, circumstances)
    if labelled:
        points = read_all_landmarks(context.folder / "predictions", evaluation.matches.images)
        metrics += landmark_metric(evaluation, points, labelled, recipe.evaluate, circumstances)
    return metrics
