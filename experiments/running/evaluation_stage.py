"""The stage that evaluates by the official protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.accuracy import Circumstances, landmark_metric, measure
from experiments.conditions import Conditions
from experiments.records.provenance import conditions_on
from experiments.records.run import MATCHES
from experiments.running import inputs
from experiments.running.stage_context import Findings, Work, trained
from featherface.evaluation.landmark_files import read_all_landmarks
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import Evaluation
from featherface.evaluation.protocol import evaluate as judge
from featherface.inference.detect import predict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from experiments.metrics import Metric
    from featherface.data.annotation import ImageAnnotation
    from featherface.evaluation.ground_truth import GroundTruth


def evaluate(work: Work) -> Findings:
    """Evaluate the run's weights, or earlier predictions, by the official protocol."""
    recipe = work.recipe
    found = Findings()
    labelled: list[ImageAnnotation] = []
    conditions = Conditions()
    if recipe.evaluate.predictions:
        dataset, truth, predictions = _earlier_predictions(work, found)
    else:
        data = inputs.data_folder(work.workspace, recipe, work.on_progress)
        split = inputs.val_split(recipe, data)
        work.note_data(recipe.data.val_split, split)
        labelled = inputs.with_landmarks(split)
        dataset, truth = split.kind, inputs.ground_truth(work.workspace, recipe, data)
        model = trained(work, found)
        conditions = conditions_on(next(model.parameters()).device, recipe.evaluate.precision)
        predictions = predict(
            model,
            recipe.model.detector(),
            split,
            recipe.evaluate,
            save_to=work.folder / "predictions",
            landmarks=bool(labelled),
            on_progress=work.on_progress,
            should_stop=work.should_stop,
        )
    work.note_truth(truth)
    result = judge(predictions, truth)
    result.matches.save(work.folder / MATCHES)
    about = _circumstances(work, result, dataset, truth, conditions)
    found.metrics = _accuracy(work, result, about, labelled)
    found.warnings = list(result.warnings)
    found.details = {
        "images": result.images,
        "detections": result.detections,
        "faces": {name: one.faces for name, one in result.subsets.items()},
        "ground_truth": result.source,
        "complete": all(metric.complete for metric in found.metrics),
    }
    return found


def _earlier_predictions(work: Work, found: Findings) -> tuple[str, GroundTruth, Mapping[str, Any]]:
    """Read the predictions that the recipe names, and the ground truth they are judged by."""
    recipe = work.recipe
    path = (work.workspace.root / Path(str(recipe.evaluate.predictions)).expanduser()).resolve()
    predictions = read_predictions(path)
    data = None
    if recipe.data.ground_truth is None:
        data = inputs.data_folder(work.workspace, recipe, work.on_progress)
    truth = inputs.ground_truth(work.workspace, recipe, data)
    found.parents.append(inputs.predictions_parent(path))
    source = data or work.workspace.root / Path(str(recipe.data.ground_truth)).expanduser()
    kind = "synthetic" if inputs.drawn(source.resolve()) else "widerface"
    return kind, truth, predictions


def _circumstances(
    work: Work, result: Evaluation, dataset: str, truth: GroundTruth, conditions: Conditions
) -> Circumstances:
    recipe, name = work.recipe, work.recipe.data.val_split
    return Circumstances(
        dataset=dataset,
        split=name,
        complete=inputs.whole(dataset, name, result.images, claimed=result.complete),
        fingerprint=inputs.truth_digest(truth.restrict(result.matches.images)),
        run=work.run,
        conditions=conditions,
        earlier=recipe.evaluate.predictions is not None,
    )


def _accuracy(
    work: Work, result: Evaluation, about: Circumstances, labelled: Sequence[ImageAnnotation]
) -> list[Metric]:
    """Word what the evaluation found as metrics, of landmarks where they are LABELLED."""
    recipe = work.recipe
    found = measure(result, recipe.evaluate, about)
    if labelled:
        points = read_all_landmarks(work.folder / "predictions", result.matches.images)
        found += landmark_metric(result, points, labelled, recipe.evaluate, about)
    return found
