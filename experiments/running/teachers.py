"""Teachers of a distillation: their parents in the record, checks, and loading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from experiments.recipe import resolve
from experiments.records.record import Parent
from experiments.records.seal import sha256
from experiments.running import inputs
from featherface.engine_choice.conversion import KEPT, convert
from featherface.engines.table import TORCH
from featherface.errors import ClaimFalseError, NotFoundError, UsageError
from featherface.networks import detector
from featherface.training.distillation.engine_teacher import EngineTeacher
from featherface.training.distillation.terms import Teacher
from featherface.variants.config import DetectorConfig
from featherface.weights import checkpoints
from featherface.weights.network_settings import overruled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from experiments.recipe.model import Recipe
    from experiments.records.run import Run
    from experiments.records.store import Store
    from featherface.networks.detector import Detector

OUTPUT_CACHE = "answers"
"""Folder, in the workspace's cache, of teachers' cached outputs."""
ANCHORS = ("prior_sizes", "prior_ratios", "prior_steps", "variances")
"""Keys of a network that define the priors which its outputs are relative to."""
CHANGED = "was changed since the run began"
OTHER_TEACHER = "put it back as it was, or start a new version with --new"


def teacher_parents(store: Store, recipe: Recipe) -> tuple[Parent, ...]:
    """Return the teachers that the recipe names, as parents, the first one first.

    Raises:
        NotFoundError: a run or file of weights is not there.
    """
    distill = recipe.distill
    other_parents = tuple(_run_parent(store, selector) for selector in distill.teachers)
    if distill.teacher is not None:
        return (_run_parent(store, distill.teacher), *other_parents)
    path = inputs.recipe_path(store.workspace, distill.teacher_weights)
    if path is None:
        return ()
    if not path.is_file():
        raise NotFoundError(f"no weights file {path}", "correct distill.teacher_weights")
    return (Parent(role="teacher", path=path.name, sha256=sha256(path)), *other_parents)


def load_teacher(store: Store, recipe: Recipe, parents: Sequence[Parent]) -> Teacher | None:
    """Return the teachers among PARENTS, loaded; None where nothing is distilled.

    Raises:
        ClaimFalseError: one was changed since the run began.
        NotFoundError: one is not there any more.
    """
    of_teachers = [parent for parent in parents if parent.role == "teacher"]
    if not of_teachers:
        return Teacher(None, "", recipe.distill) if recipe.distill.enabled else None
    models = [_computed(store, recipe, *_network(store, recipe, each)) for each in of_teachers]
    name = " + ".join(parent.run or parent.path for parent in of_teachers)
    cache_folder = store.workspace.state / "cache" / OUTPUT_CACHE
    return Teacher(models[0], name, recipe.distill, tuple(models[1:]), cache_folder)


def _network(store: Store, recipe: Recipe, parent: Parent) -> tuple[Detector, str]:
    """Return the network of the teacher that PARENT names, and its variant."""
    if parent.run:
        return _model_from_run(store, parent)
    return _model_from_file(store, recipe, parent)


def _computed(store: Store, recipe: Recipe, model: Detector, variant_name: str) -> nn.Module:
    """Return MODEL as the recipe's engine for teachers computes it.

    Raises:
        UnavailableError: the engine is not installed, or gives other answers than PyTorch.
    """
    engine = recipe.distill.teacher_engine
    if engine == TORCH:
        return model
    folder, threads = store.workspace.state / "cache" / KEPT, torch.get_num_threads()
    return EngineTeacher(
        model, convert(model, variant_name, engine, folder=folder, threads=threads)
    )


def check_anchors(store: Store, recipe: Recipe, teachers: Sequence[Parent]) -> None:
    """Refuse TEACHERS with other priors than the student's.

    Raises:
        UsageError: one has; the message names the key.
    """
    student = recipe.model.detector()
    for parent in teachers:
        teacher = _detector_of(store, recipe, parent)
        for key in ANCHORS:
            teacher_value, student_value = getattr(teacher, key), getattr(student, key)
            if teacher_value != student_value:
                raise UsageError(
                    f"the teacher {parent.run or parent.path} has other priors than the student:"
                    f" model.{key} is {_shown(teacher_value)}, not {_shown(student_value)}",
                    "distil from a teacher with the same priors, or give the student its"
                    f" teacher's: --set model.{key}={_shown(teacher_value).replace(' ', '')}",
                )


def overruled_settings(store: Store, recipe: Recipe) -> list[str]:
    """Say which settings of its teacher's weights file RECIPE overrules, with both values."""
    path, config = (
        inputs.recipe_path(store.workspace, recipe.distill.teacher_weights),
        recipe.teacher_network(),
    )
    if path is None or config is None:
        return []
    return overruled(path, config, "distill.teacher_model")


def _detector_of(store: Store, recipe: Recipe, parent: Parent) -> DetectorConfig:
    """Return the configuration of a teacher's network."""
    if parent.run:
        return store.find(parent.run).resolved().recipe.model.detector()
    return recipe.teacher_network() or DetectorConfig()


def _shown(value: object) -> str:
    """Write tuples as a recipe's lists."""
    return str(value).replace(",)", ")").replace("(", "[").replace(")", "]")


def _run_parent(store: Store, selector: str) -> Parent:
    """Return the teacher run that SELECTOR means, as a parent; it must have weights."""
    if not store.runs(selector) and selector in resolve.recipes(store.workspace):
        raise NotFoundError(
            f"no run of {selector!r} yet, the teacher that distill.teacher names",
            f"thesis run {selector}; or another one teaches: --set distill.teacher=RUN",
        )
    run = store.find(selector)
    parent = inputs.run_parent(store, run, "teacher")
    _run_weights(run)
    return parent


def _model_from_run(store: Store, parent: Parent) -> tuple[Detector, str]:
    """Return the network of the run that PARENT names."""
    run = store.find(parent.run)
    if inputs.run_parent(store, run, "teacher") != parent:
        raise ClaimFalseError(f"teacher {run.id} {CHANGED}", OTHER_TEACHER)
    path = _run_weights(run)
    config = run.resolved().recipe.model
    model = detector.build(config.detector())
    checkpoints.load_weights(model, path, config.variant)
    return model, config.variant


def _run_weights(run: Run) -> Path:
    """Return the path of a teacher run's weights."""
    path = run.weights
    if path is None:
        raise NotFoundError(
            f"teacher {run.id} has no weights: it only evaluated predictions or counted",
            f"name a run that trained, such as --set distill.teacher={run.experiment}@1",
        )
    return path


def _model_from_file(store: Store, recipe: Recipe, parent: Parent) -> tuple[Detector, str]:
    path = inputs.recipe_path(store.workspace, recipe.distill.teacher_weights)
    name, config = recipe.distill.teacher_variant, recipe.teacher_network()
    if path is None or name is None or config is None or not path.is_file():
        raise NotFoundError(f"teacher's weights {parent.path} are not there any more")
    if sha256(path) != parent.sha256:
        raise ClaimFalseError(f"teacher's file {path} {CHANGED}", OTHER_TEACHER)
    model = detector.build(config)
    checkpoints.load_weights(model, path, name)
    return model, name
