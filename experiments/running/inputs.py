"""Inputs of a run: images, ground truth and weights, each with its digest for the record."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from experiments.claims.evidence import WHOLE
from experiments.records.record import Parent
from experiments.records.seal import describe_problems, remedy, sha256
from experiments.staleness.changes import content_digest
from experiments.workspace import paths
from featherface.data.fingerprint import fingerprint
from featherface.data.synthetic.dataset import draw
from featherface.data.widerface import MARKER, landmark_annotations, open_split
from featherface.errors import ClaimFalseError, DataError, NotFoundError, UsageError
from featherface.evaluation.ground_truth import GroundTruth, read_ground_truth
from featherface.networks import detector

if TYPE_CHECKING:
    from experiments.recipe.model import Recipe
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.workspace.workspace import Workspace
    from featherface.data.annotation import ImageAnnotation
    from featherface.data.config import SyntheticConfig
    from featherface.data.widerface import Split
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress

SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Weights:
    """A file of weights and its entry among the record's parents."""

    path: Path
    parent: Parent


def data_folder(workspace: Workspace, recipe: Recipe, on_progress: OnProgress) -> Path:
    """Return the folder of the recipe's data; the synthetic set is drawn where it is missing."""
    if recipe.data.root != SYNTHETIC:
        return workspace.data_root(recipe.data.root)
    folder = synthetic_folder(workspace, recipe.data.synthetic)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        draw(folder, recipe.data.synthetic, on_progress)
    return folder


def synthetic_folder(workspace: Workspace, config: SyntheticConfig) -> Path:
    """Return where the set of CONFIG is drawn: other sizes and seeds are other folders."""
    text = json.dumps(asdict(config), sort_keys=True)
    name = hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
    return workspace.data_root(SYNTHETIC) / name


def train_split(workspace: Workspace, recipe: Recipe, folder: Path) -> Split:
    """Open the split that is trained on."""
    labels = recipe_path(workspace, recipe.data.labels)
    split = open_split(folder, recipe.data.train_split, labels)
    return split.limit(recipe.data.train_limit or None)


def val_split(recipe: Recipe, folder: Path) -> Split:
    """Open the split that is evaluated on."""
    return open_split(folder, recipe.data.val_split).limit(recipe.data.val_limit or None)


def ground_truth(workspace: Workspace, recipe: Recipe, folder: Path | None) -> GroundTruth:
    """Read the validation split's ground truth, from the recipe's path or beside the images.

    Raises:
        DataError: the recipe names no path and there is no FOLDER of images.
    """
    path = recipe_path(workspace, recipe.data.ground_truth)
    if path is None and folder is None:
        raise DataError(
            "no ground truth to evaluate the predictions with",
            "say where it is: --set data.ground_truth=FOLDER",
        )
    return read_ground_truth(path or folder or Path(), recipe.data.val_split)


def with_landmarks(split: Split) -> list[ImageAnnotation]:
    """Return the images of SPLIT with a labelled landmark, RetinaFace's label file included."""
    names = {image.path for image in split.images}
    images = [*split.images, *landmark_annotations(split.root, split.name)]
    return [image for image in images if image.path in names and np.isfinite(image.landmarks).any()]


def describe_split(split: Split, workspace: Workspace) -> dict[str, Any]:
    """Return the entry of a split in data.json: its kind, digests and annotation file."""
    digests = fingerprint(split)
    file = paths.relative(workspace.root, split.annotation_file)
    return {"dataset": split.kind, **digests, "annotation_file": file}


def describe_truth(truth: GroundTruth, workspace: Workspace) -> dict[str, str]:
    """Return file -> SHA-256 of the files that TRUTH was read from, for data.json."""
    return {paths.relative(workspace.root, path): sha256(path) for path in truth.files}


def truth_digest(truth: GroundTruth) -> str:
    """Return the SHA-256 of image names, face boxes and the faces of each subset."""
    digest = hashlib.sha256()
    for index, (name, boxes) in enumerate(zip(truth.images, truth.boxes, strict=True)):
        digest.update(f"{name}\0{boxes.shape[0]}\0".encode())
        digest.update(boxes.astype("<f8").tobytes())
        for subset in truth.subsets.values():
            digest.update(subset[index].astype("<i8").tobytes() + b"\0")
    return digest.hexdigest()


def is_synthetic(path: Path) -> bool:
    """Whether PATH lies in a synthetic data set, by the marker file at its root."""
    return any((folder / MARKER).is_file() for folder in (path, *path.parents))


def is_whole_split(dataset: str, split: str, images: int, *, claimed: bool) -> bool:
    """Whether IMAGES images are the whole split: CLAIMED so, and no fewer than officially."""
    return claimed and images >= WHOLE.get((dataset, split), images)


def recipe_weights(workspace: Workspace, recipe: Recipe) -> Weights | None:
    """Return the weights that `model.weights` names; None where it names none.

    Raises:
        NotFoundError: there is no such file.
    """
    path = recipe_path(workspace, recipe.model.weights)
    if path is None:
        return None
    if not path.is_file():
        raise NotFoundError(f"no weights file {path}", "correct model.weights")
    return Weights(path, Parent(role="weights", path=path.name, sha256=sha256(path)))


def recipe_backbone(workspace: Workspace, recipe: Recipe) -> Weights | None:
    """Return the weights that `model.backbone_weights` names; None where they are not used.

    Raises:
        NotFoundError: there is no such file.
    """
    path = recipe_path(workspace, recipe.model.backbone_weights)
    if path is None or recipe.model.weights is not None:
        return None
    if not path.is_file():
        raise NotFoundError(f"no weights file {path}", "correct model.backbone_weights")
    return Weights(path, Parent(role="backbone", path=path.name, sha256=sha256(path)))


def latest_run_weights(store: Store, recipe: Recipe) -> Weights:
    """Return the weights of the experiment's latest finished run.

    Raises:
        NotFoundError: there is none.
    """
    run = latest_run_with_weights(store, recipe)
    if run is None or run.weights is None:
        raise NotFoundError(
            f"{recipe.name!r} has no finished run with weights to evaluate",
            f"thesis run {recipe.name}, or give a file: --set model.weights=FILE",
        )
    return Weights(run.weights, run_parent(store, run, "weights"))


def latest_run_with_weights(store: Store, recipe: Recipe) -> Run | None:
    """Return the experiment's latest finished run with weights of its variant; None without."""
    runs = (run for run in reversed(store.runs(recipe.name)) if run.sealed and run.weights)
    return next((run for run in runs if run.variant == recipe.model.variant), None)


def predictions_parent(store: Store, recipe: Recipe, path: Path) -> Parent:
    """Return the parent entry of earlier predictions: digest of a file, or of a folder's files.

    Where RECIPE's own network made them in a finished run, that run stands in the entry.
    """
    parent = Parent(role="predictions", path=path.name, sha256=content_digest(path))
    run = _own_run(store, recipe, path)
    return parent if run is None else replace(parent, run=run.id, seal=run.seal)


def _own_run(store: Store, recipe: Recipe, path: Path) -> Run | None:
    """Return the intact run of RECIPE's network that wrote the folder PATH; None where none did."""
    for run in store.runs(recipe.name):
        if run.folder / "predictions" != path:
            continue
        own = run.sealed and run.predictions is None and not store.problems(run)
        weights = recipe_weights(store.workspace, recipe)
        same = weights is None or (
            run.weights is not None and sha256(run.weights) == sha256(weights.path)
        )
        return (
            run
            if own and same and run.resolved().recipe.model.detector() == recipe.model.detector()
            else None
        )
    return None


def build_network(recipe: Recipe) -> Detector:
    """Return the recipe's network, initialised from its seed."""
    return detector.build(recipe.model.detector(), recipe.seed)


def run_parent(store: Store, run: Run, role: str) -> Parent:
    """Return RUN's entry among the parents of a record.

    Raises:
        UsageError: RUN is not finished.
        ClaimFalseError: its sealed record was changed.
    """
    if not run.sealed:
        raise UsageError(
            f"{role} {run.id} is {run.status}: only finished runs can be built on",
            f"thesis run {run.experiment} --resume",
        )
    problems = store.problems(run)
    if problems:
        differences, hint = describe_problems(problems), remedy(problems, run.id)
        raise ClaimFalseError(
            f"{role} {run.id}: its sealed record was changed: {differences}", hint
        )
    return Parent(role=role, run=run.id, seal=run.seal)


def recipe_path(workspace: Workspace, name: str | None) -> Path | None:
    """Return the absolute path of NAME, which is relative to the workspace; None without one."""
    return (workspace.root / Path(name).expanduser()).resolve() if name else None
