"""Teachers of a distillation: found, checked, loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.recipe import resolve
from experiments.records.record import Parent
from experiments.records.seal import sha256
from experiments.running import inputs
from featherface.errors import ClaimFalseError, NotFoundError, UsageError
from featherface.networks import detector
from featherface.training.distillation.terms import Teacher
from featherface.variants.table import variant
from featherface.weights import checkpoints

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.recipe.model import Recipe
    from experiments.records.run import Run
    from experiments.records.store import Store
    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig

ANSWERS = "answers"
"""Folder of the workspace's cache for what teachers said of pictures."""
ANCHORS = ("prior_sizes", "prior_ratios", "prior_steps", "variances")
"""Keys of a network that say what its outputs are told from."""
CHANGED = "was changed since the run began"
OTHER_TEACHER = "put it back as it was, or start a new version with --new"


def teacher_parents(store: Store, recipe: Recipe) -> tuple[Parent, ...]:
    """Return whom the recipe is distilled from, the first teacher first; empty without any."""
    distill = recipe.distill
    others = tuple(_teaching_parent(store, selector) for selector in distill.teachers)
    if distill.teacher is not None:
        return (_teaching_parent(store, distill.teacher), *others)
    path = inputs.path_of(store.workspace, distill.teacher_weights)
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


def check_anchors(store: Store, recipe: Recipe, teachers: Sequence[Parent]) -> None:
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


def _teaching_parent(store: Store, selector: str) -> Parent:
    """Return the run that teaches, by SELECTOR."""
    if not store.runs(selector) and selector in resolve.recipes(store.workspace):
        raise NotFoundError(
            f"no run of {selector!r} yet, the teacher that distill.teacher names",
            f"thesis run {selector}; or another one teaches: --set distill.teacher=RUN",
        )
    run = store.find(selector)
    parent = inputs.as_parent(store, run, "teacher")
    _teaching_weights(run)
    return parent


def _model_from_run(store: Store, parent: Parent) -> Detector:
    """Return the network of the run that PARENT names."""
    run = store.find(parent.run)
    if inputs.as_parent(store, run, "teacher") != parent:
        raise ClaimFalseError(f"teacher {run.id} {CHANGED}", OTHER_TEACHER)
    path = _teaching_weights(run)
    config = run.resolved().recipe.model
    model = detector.build(config.detector())
    checkpoints.load_weights(model, path, config.variant)
    return model


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
    path = inputs.path_of(store.workspace, recipe.distill.teacher_weights)
    name = recipe.distill.teacher_variant
    if path is None or name is None or not path.is_file():
        raise NotFoundError(f"teacher's weights {parent.path} are not there any more")
    if sha256(path) != parent.sha256:
        raise ClaimFalseError(f"teacher's file {path} {CHANGED}", OTHER_TEACHER)
    model = detector.build(variant(name))
    checkpoints.load_weights(model, path, name)
    return model
