"""Detections of a run beside the annotated faces, for the error counts and the gallery."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.records.seal import describe_problems, remedy
from experiments.running import inputs
from experiments.staleness.changes import content_digest
from featherface.data.annotation_files import read_annotation
from featherface.errors import ClaimFalseError, DataError, NotFoundError, UsageError
from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.ground_truth import read_ground_truth
from featherface.evaluation.labels import FaceLabels, label, spread_landmarks
from featherface.evaluation.landmark_files import read_all_landmarks
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import evaluate as judge
from featherface.inference.pictures import pictures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from experiments.metrics import Metric
    from experiments.recipe.model import Recipe
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.workspace.workspace import Workspace
    from featherface.data.annotation import ImageAnnotation
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.evaluation.protocol import Evaluation


@dataclass(frozen=True, eq=False, kw_only=True)
class DetectionReview:
    """One evaluation, with all that is known of its faces."""

    name: str
    """The run's id, or the folder of the predictions."""
    result: Evaluation
    labels: FaceLabels
    landmarks: NDArray[np.float64]
    """(D, 10): detected points; NaN where they were not kept."""
    evaluate: EvaluateConfig
    """The settings that made the detections; the usual ones where nobody tells."""
    metric: Metric | None = None
    """A metric of the run that tells what data it speaks of."""
    look_up: Callable[[], Mapping[str, Path]] = field(default=dict)
    """Gives the file of each picture by name; takes a while for thousands."""
    warnings: tuple[str, ...] = ()


def of_run(workspace: Workspace, store: Store, run: Run) -> DetectionReview:
    """Judge the detections of sealed RUN once more.

    Raises:
        UsageError: it is not finished, or was not evaluated.
        ClaimFalseError: its record, or the ground truth, was changed since.
        DataError: its data is not there.
    """
    recipe = _trusted(store, run)
    metric = next((metric for metric in run.metrics if metric.dataset), None)
    if metric is None:
        raise UsageError(
            f"{run.id} was not evaluated: it has no detections",
            f"thesis run {run.experiment} --stage evaluate",
        )
    data = _data(workspace, recipe)
    truth = inputs.ground_truth(workspace, recipe, data)
    earlier = recipe.evaluate.predictions
    folder = run.folder / "predictions"
    if earlier is not None:
        folder = (workspace.root / Path(earlier).expanduser()).resolve()
        _check_earlier(run, folder)
    result = judge(read_predictions(folder), truth)
    digest = inputs.truth_digest(truth.restrict(result.matches.images))
    if digest != metric.fingerprint:
        raise ClaimFalseError(
            f"the ground truth of {run.id} was changed since: its numbers speak of other faces",
            f"evaluate it again: thesis run {run.experiment} --stage evaluate",
        )
    annotations = [] if data is None else _landmarks(recipe, data)
    return _scrutiny(
        run.id,
        result,
        truth,
        folder,
        annotations,
        evaluate=recipe.evaluate,
        metric=metric,
        look_up=lambda: {} if data is None else _of_split(recipe, data),
    )


def of_files(predictions: Path, ground_truth: Path, images: Path | None) -> DetectionReview:
    """Judge the PREDICTIONS of any detector, a folder or .tar.gz in the official text format."""
    truth = read_ground_truth(ground_truth)
    result = judge(read_predictions(predictions), truth)
    return _scrutiny(
        predictions.name,
        result,
        truth,
        predictions,
        [],
        evaluate=EvaluateConfig(),
        look_up=lambda: {} if images is None else pictures_of(images),
    )


def _scrutiny(
    name: str,
    result: Evaluation,
    truth: GroundTruth,
    folder: Path,
    annotations: Sequence[ImageAnnotation],
    *,
    evaluate: EvaluateConfig,
    look_up: Callable[[], Mapping[str, Path]],
    metric: Metric | None = None,
) -> DetectionReview:
    pairing, warnings = result.pairing, list(result.warnings)
    known: list[ImageAnnotation] = []
    try:
        known += read_annotation(truth.files[0]).images
    except DataError as error:
        warnings.append(f"attributes of the faces are not known: {error.message}")
    points = read_all_landmarks(folder, pairing.images) if folder.is_dir() else {}
    return DetectionReview(
        name=name,
        result=result,
        labels=label(pairing, [*known, *annotations]),
        landmarks=spread_landmarks(pairing, [points.get(image) for image in pairing.images]),
        evaluate=evaluate,
        metric=metric,
        look_up=look_up,
        warnings=tuple(warnings),
    )


def _trusted(store: Store, run: Run) -> Recipe:
    """Return the recipe of RUN, whose record must be as it was sealed."""
    if not run.sealed:
        raise UsageError(
            f"{run.id} is {run.status}: only a finished run can be looked at",
            f"thesis run {run.experiment} --resume",
        )
    problems = store.problems(run)
    if problems:
        raise ClaimFalseError(
            f"the sealed record of {run.id} was changed: {describe_problems(problems)}",
            remedy(problems, run.id),
        )
    return run.resolved().recipe


def _check_earlier(run: Run, folder: Path) -> None:
    """Refuse predictions from elsewhere that are gone or not those that were judged."""
    if not folder.exists():
        raise NotFoundError(f"the predictions of {run.id} are gone: {folder}", "put them back")
    parent = next((parent for parent in run.record.parents if parent.role == "predictions"), None)
    if parent is not None and content_digest(folder) != parent.sha256:
        raise ClaimFalseError(
            f"the predictions of {run.id} in {folder} were changed since",
            f"evaluate them again: thesis run {run.experiment} --stage evaluate",
        )


def _data(workspace: Workspace, recipe: Recipe) -> Path | None:
    """Return the folder of the pictures; None where the recipe can do without and they are away."""
    if recipe.data.root == inputs.SYNTHETIC:
        folder = inputs.synthetic_folder(workspace, recipe.data.synthetic)
        return folder if folder.is_dir() else None
    try:
        return workspace.data_root(recipe.data.root)
    except (DataError, NotFoundError, UsageError):
        if recipe.data.ground_truth is None:
            raise
        return None


def _landmarks(recipe: Recipe, data: Path) -> list[ImageAnnotation]:
    return inputs.with_landmarks(inputs.val_split(recipe, data))


def _of_split(recipe: Recipe, data: Path) -> dict[str, Path]:
    return pictures_of(inputs.val_split(recipe, data))
