"""What a run is made from: pictures, ground truth, weights, a teacher; each fingerprinted."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from experiments.evidence import WHOLE
from experiments.records import Parent
from experiments.seal import sha256
from experiments.staleness import content_digest
from featherface import checkpoints, networks
from featherface.data.fingerprint import fingerprint
from featherface.data.synthetic import draw
from featherface.data.widerface import MARKER, landmark_annotations, open_split
from featherface.distillation import Teacher
from featherface.errors import ClaimFalseError, DataError, NotFoundError, UsageError
from featherface.evaluation.ground_truth import GroundTruth, read_ground_truth
from featherface.variants import variant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiments.recipe import Recipe
    from experiments.store import Run, Store
    from experiments.workspace import Workspace
    from featherface.data.annotation import ImageAnnotation
    from featherface.data.config import SyntheticConfig
    from featherface.data.widerface import Split
    from featherface.detector_config import DetectorConfig
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress

SYNTHETIC = "synthetic"
ANSWERS = "answers"
"""Folder of the workspace's cache for what teachers said of pictures."""
ANCHORS = ("prior_sizes", "prior_ratios", "prior_steps", "variances")
"""Keys of a network that say what its outputs are told from."""
CHANGED = "was changed since the run began"
OTHER_TEACHER = "put it back as it was, or start a new version with --new"


@dataclass(frozen=True)
class Weights:
    """A file of weights and what to note of it."""

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
    """Open the split that is learnt from."""
    labels = _path(workspace, recipe.data.labels)
    split = open_split(folder, recipe.data.train_split, labels)
    return split.limit(recipe.data.train_limit or None)


def val_split(recipe: Recipe, folder: Path) -> Split:
    """Open the split that is evaluated on."""
    return open_split(folder, recipe.data.val_split).limit(recipe.data.val_limit or None)


def ground_truth(workspace: Workspace, recipe: Recipe, folder: Path | None) -> GroundTruth:
    """Read the faces of the validation split, from where the recipe says or beside the images."""
    named = _path(workspace, recipe.data.ground_truth)
    if named is None and folder is None:
        raise DataError(
            "no ground truth to evaluate the predictions with",
            "say where it is: --set data.ground_truth=FOLDER",
        )
    return read_ground_truth(named or folder or Path(), recipe.data.val_split)


def with_landmarks(split: Split) -> list[ImageAnnotation]:
    """Return the pictures of SPLIT with a labelled landmark, from RetinaFace's file beside it."""
    names = {image.path for image in split.images}
    found = [*split.images, *landmark_annotations(split.root, split.name)]
    return [one for one in found if one.path in names and np.isfinite(one.landmarks).any()]


def describe(split: Split) -> dict[str, Any]:
    """Return what data.json keeps of a split."""
    found = fingerprint(split)
    return {"dataset": split.kind, **found, "annotation_file": split.annotation_file.as_posix()}


def describe_truth(truth: GroundTruth) -> dict[str, str]:
    """Return file -> SHA-256 of what TRUTH was read from, for data.json."""
    return {path.resolve().as_posix(): sha256(path) for path in truth.files}


def truth_digest(truth: GroundTruth) -> str:
    """Return the SHA-256 of the pictures' names, their faces and which subset asks for them."""
    total = hashlib.sha256()
    for place, (name, boxes) in enumerate(zip(truth.images, truth.boxes, strict=True)):
        total.update(f"{name}\0{boxes.shape[0]}\0".encode())
        total.update(boxes.astype("<f8").tobytes())
        for subset in truth.subsets.values():
            total.update(subset[place].astype("<i8").tobytes() + b"\0")
    return total.hexdigest()


def drawn(path: Path) -> bool:
    """Whether PATH lies in a set that was drawn, not photographed."""
    return any((folder / MARKER).is_file() for folder in (path, *path.parents))


def whole(dataset: str, split: str, images: int, *, claimed: bool) -> bool:
    """Whether IMAGES pictures are the whole split; WIDER FACE's size is known, not believed."""
    return claimed and images >= WHOLE.get((dataset, split), images)


def given_weights(workspace: Workspace, recipe: Recipe) -> Weights | None:
    """Return the file that `model.weights` names; None where it names none."""
    path = _path(workspace, recipe.model.weights)
    if path is None:
        return None
    if not path.is_file():
        raise NotFoundError(f"no weights file {path}", "correct model.weights")
    return Weights(path, Parent(role="weights", path=path.name, sha256=sha256(path)))


def given_backbone(workspace: Workspace, recipe: Recipe) -> Weights | None:
    """Return the file that `model.backbone_weights` names; None where it is not used."""
    path = _path(workspace, recipe.model.backbone_weights)
    if path is None or recipe.model.weights is not None:
        return None
    if not path.is_file():
        raise NotFoundError(f"no weights file {path}", "correct model.backbone_weights")
    return Weights(path, Parent(role="backbone", path=path.name, sha256=sha256(path)))


def earlier_weights(store: Store, recipe: Recipe) -> Weights:
    """Return the weights of the experiment's latest finished run.

    Raises:
        NotFoundError: there is none.
    """
    for run in reversed(store.runs(recipe.name)):
        path = run.weights
        if run.sealed and path and run.variant == recipe.model.variant:
            return Weights(path, as_parent(store, run, "weights"))
    raise NotFoundError(
        f"{recipe.name!r} has no finished run with weights to evaluate",
        f"thesis run {recipe.name}, or give a file: --set model.weights=FILE",
    )


def predictions_parent(path: Path) -> Parent:
    """Return what a record notes of earlier predictions: a file's hash, or a folder's listing."""
    return Parent(role="predictions", path=path.name, sha256=content_digest(path))


def check(store: Store, recipe: Recipe, stages: Sequence[str]) -> tuple[Parent, ...]:
    """Find out before anything is written whether what the recipe names is there.

    Returns:
        The teachers, where the stages train with some.

    Raises:
        DataError: the data root is missing.
        NotFoundError: weights, predictions or the teacher are missing.
    """
    predictions = _path(store.workspace, recipe.evaluate.predictions)
    if predictions is not None and "evaluate" in stages:
        _check_predictions(predictions, stages)
    alone = predictions is not None and recipe.data.ground_truth is not None
    needed = {"train"} if alone else {"train", "evaluate"}
    if needed & set(stages) and recipe.data.root != SYNTHETIC:
        store.workspace.data_root(recipe.data.root)
    weights = given_weights(store.workspace, recipe)
    if "train" in stages:
        given_backbone(store.workspace, recipe)
    uses = set(stages) - ({"evaluate"} if predictions is not None else set())
    if weights is None and "train" not in stages and uses:
        earlier_weights(store, recipe)
    teachers = teacher_parents(store, recipe) if "train" in stages else ()
    _check_anchors(store, recipe, teachers)
    return teachers


def _check_anchors(store: Store, recipe: Recipe, teachers: Sequence[Parent]) -> None:
    """Refuse teachers whose boxes are told from other anchors than the student's."""
    own = recipe.model.detector()
    for parent in teachers:
        config = _detector_of(store, recipe, parent)
        for key in ANCHORS:
            theirs, ours = getattr(config, key), getattr(own, key)
            if theirs != ours:
                raise UsageError(
                    f"the teacher {parent.run or parent.path} has other priors than the student:"
                    f" model.{key} is {_shown(theirs)}, not {_shown(ours)}",
                    "distil from a teacher with the same priors, or give the student its"
                    f" teacher's: --set model.{key}={_shown(theirs).replace(' ', '')}",
                )


def _detector_of(store: Store, recipe: Recipe, parent: Parent) -> DetectorConfig:
    """Return the network of a teacher."""
    if parent.run:
        return store.find(parent.run).resolved().recipe.model.detector()
    return variant(str(recipe.distill.teacher_variant))


def _shown(value: object) -> str:
    """Write tuples as a recipe's lists."""
    return str(value).replace(",)", ")").replace("(", "[").replace(")", "]")


def _check_predictions(path: Path, stages: Sequence[str]) -> None:
    """Refuse predictions that are not there, or that would pass for those of a network to come."""
    if not path.exists():
        raise NotFoundError(f"no predictions {path}", "correct evaluate.predictions")
    if "train" in stages:
        raise UsageError(
            "evaluate.predictions would be reported as what the network trained here achieves",
            "evaluate them alone with --stage evaluate, or train without evaluate.predictions",
        )


def build(recipe: Recipe) -> Detector:
    """Return the recipe's network, initialised from its seed."""
    return networks.build(recipe.model.detector(), recipe.seed)


def teacher_parents(store: Store, recipe: Recipe) -> tuple[Parent, ...]:
    """Return whom the recipe is distilled from, the first teacher first; empty without any."""
    distill = recipe.distill
    others = tuple(_teaching_parent(store, selector) for selector in distill.teachers)
    if distill.teacher is not None:
        return (_teaching_parent(store, distill.teacher), *others)
    path = _path(store.workspace, distill.teacher_weights)
    if path is None:
        return ()
    if not path.is_file():
        raise NotFoundError(f"no weights file {path}", "correct distill.teacher_weights")
    return (Parent(role="teacher", path=path.name, sha256=sha256(path)), *others)


def load_teacher(store: Store, recipe: Recipe, parents: Sequence[Parent]) -> Teacher | None:
    """Return the teachers that PARENTS names, loaded; on a resume they are the same as before.

    Raises:
        ClaimFalseError: one was changed since the run began.
        NotFoundError: one is not there any more.
    """
    found = [one for one in parents if one.role == "teacher"]
    if not found:
        return Teacher(None, "", recipe.distill) if recipe.distill.enabled else None
    models = [
        _model_from_run(store, one) if one.run else _model_from_file(store, recipe, one)
        for one in found
    ]
    name = " + ".join(one.run or one.path for one in found)
    answers = store.workspace.state / "cache" / ANSWERS
    return Teacher(models[0], name, recipe.distill, tuple(models[1:]), answers)


def _teaching_parent(store: Store, selector: str) -> Parent:
    """Return the run that teaches, by SELECTOR."""
    run = store.find(selector)
    parent = as_parent(store, run, "teacher")
    _teaching_weights(run)
    return parent


def _model_from_run(store: Store, parent: Parent) -> Detector:
    """Return the network of the run that PARENT names."""
    run = store.find(parent.run)
    if as_parent(store, run, "teacher") != parent:
        raise ClaimFalseError(f"teacher {run.id} {CHANGED}", OTHER_TEACHER)
    path = _teaching_weights(run)
    config = run.resolved().recipe.model
    model = networks.build(config.detector())
    checkpoints.load_weights(model, path, config.variant)
    return model


def as_parent(store: Store, run: Run, role: str) -> Parent:
    """Return what a record notes of RUN as its parent.

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
        raise ClaimFalseError(
            f"{role} {run.id}: its sealed record was changed: {problems[0]}", "thesis runs verify"
        )
    return Parent(role=role, run=run.id, seal=run.seal)


def _teaching_weights(run: Run) -> Path:
    """Return the weights of a teacher."""
    path = run.weights
    if path is None:
        raise NotFoundError(
            f"teacher {run.id} has no weights: it only evaluated predictions or counted",
            f"name a run that trained, such as --set distill.teacher={run.experiment}@1",
        )
    return path


def _model_from_file(store: Store, recipe: Recipe, parent: Parent) -> Detector:
    path = _path(store.workspace, recipe.distill.teacher_weights)
    name = recipe.distill.teacher_variant
    if path is None or name is None or not path.is_file():
        raise NotFoundError(f"teacher's weights {parent.path} are not there any more")
    if sha256(path) != parent.sha256:
        raise ClaimFalseError(f"teacher's file {path} {CHANGED}", OTHER_TEACHER)
    model = networks.build(variant(name))
    checkpoints.load_weights(model, path, name)
    return model


def _path(workspace: Workspace, name: str | None) -> Path | None:
    """Return the path that a recipe means by NAME: absolute, or from the workspace."""
    return (workspace.root / Path(name).expanduser()).resolve() if name else None
