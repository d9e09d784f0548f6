"""Table of the stages of a run, and the stage that exports."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.accuracy import Circumstances
from experiments.benchmarking.further_cases import time_files
from experiments.benchmarking.matrix import NOT_MADE
from experiments.exporting.accuracy_loss import validation
from experiments.exporting.file_metrics import loss_metrics, parity_metrics
from experiments.exporting.manifest_content import artifact_entry, tools
from experiments.records.run import MATCHES
from experiments.running import data_checks, inputs
from experiments.running.benchmark_stage import CASES, benchmark
from experiments.running.evaluation_stage import evaluate
from experiments.running.stage_context import StageContext, StageResult, load_network
from experiments.running.training_stage import train
from featherface.data.widerface import AbsentSplitError
from featherface.devices.precision import FULL
from featherface.errors import UnavailableError
from featherface.export.calibration import drawn_pictures, pictures_in, pictures_of
from featherface.export.formats import FORMATS, CalibrationPictures, WriterSettings
from featherface.export.manifest import input_contract, write_manifest
from featherface.export.writing import export as write_exports

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from experiments.exporting.accuracy_loss import Validation
    from featherface.export.writing import Artifact
    from featherface.networks.detector import Detector


EXPORTS = "exports"
"""Folder of a record for exported files."""


def export(context: StageContext) -> StageResult:
    """Export the network to the recipe's formats, each file compared with PyTorch's outputs.

    Those of formats that round are evaluated too, if the recipe says so, and all that run here if
    they are to be benchmarked and the network itself was evaluated.
    """
    result = StageResult()
    recipe = context.recipe
    model = load_network(context, result)
    artifacts = _written(context, model, result)
    evaluated = (context.folder / MATCHES).is_file()
    is_judged = partial(_is_judged, compared=recipe.benchmark.exports and evaluated)
    rounded = recipe.export.validate and any(map(is_judged, artifacts))
    judged, about = _validation(context, model) if rounded else (None, None)
    entries = []
    for artifact in artifacts:
        mine = judged if is_judged(artifact) else None
        entry = artifact_entry(artifact, context.folder, recipe.export, mine, context.on_progress)
        entries.append(entry)
        result.metrics += parity_metrics(artifact, context.run)
        if about is not None:
            result.metrics += loss_metrics(entry, about, recipe.evaluate)
        context.warn(result, [entry["not_validated"]] if "not_validated" in entry else [])
    result.details["artifacts"] = entries
    if recipe.benchmark.exports:
        _time_files(context, result, model, artifacts)
    content = {
        "run": context.run,
        "variant": recipe.model.variant,
        "input": input_contract(model),
        "tools": tools(),
        "artifacts": entries,
    }
    write_manifest(context.folder / EXPORTS, content)
    return result


def _written(context: StageContext, model: Detector, result: StageResult) -> list[Artifact]:
    """Write MODEL in every format of the recipe.

    Where they are to be compared, one that can't be made here is told in RESULT, and the others go
    on.
    """
    recipe, artifacts = context.recipe, []
    lacking: dict[str, str] = {}
    settings = WriterSettings(run=context.run, pictures=partial(_calibration_pictures, context))
    for name in recipe.export.formats:
        config = dataclasses.replace(recipe.export, formats=(name,))
        try:
            artifacts += write_exports(
                *(model, config, context.folder / EXPORTS, recipe.name, recipe.model.variant),
                settings,
                context.on_progress,
            )
        except UnavailableError as error:
            if not recipe.benchmark.exports:
                raise
            context.warn(result, [f"{name} was not made: {error.message}; {error.hint}"])
            lacking[name] = error.message
    if lacking:
        result.details[NOT_MADE] = lacking
    return artifacts


def _time_files(
    context: StageContext, result: StageResult, model: Detector, artifacts: Sequence[Artifact]
) -> None:
    """Add the times of the exported files that run here to RESULT, and what could not be timed."""
    files = {artifact.format: artifact.path for artifact in artifacts}
    timed = time_files(model, files, context.recipe.benchmark, context.run, context.on_progress)
    result.metrics += timed.metrics
    result.details |= {CASES: timed.details, "not_timed": timed.missing}
    result.warnings += [f"{name} was not timed: {why}" for name, why in timed.missing.items()]


def _is_judged(artifact: Artifact, *, compared: bool) -> bool:
    """Whether what ARTIFACT costs in AP is measured: it runs here, and rounds or is COMPARED."""
    form = FORMATS[artifact.format]
    return bool(form.engine) and (form.rounds or compared)


def _calibration_pictures(context: StageContext) -> CalibrationPictures:
    """Return the pictures on which the recipe wants ranges measured.

    Who evaluates published weights may have no pictures to train on: then they are drawn.
    """
    recipe = context.recipe
    if recipe.export.calibrate is not None:
        return pictures_in(context.workspace.root / Path(recipe.export.calibrate).expanduser())
    data = inputs.data_folder(context.workspace, recipe, context.on_progress)
    try:
        split = inputs.train_split(context.workspace, recipe, data)
    except AbsentSplitError:
        return drawn_pictures()
    paths = [split.path(image) for image in split.images]
    return pictures_of(recipe.data.train_split, paths)


def _validation(context: StageContext, model: Detector) -> tuple[Validation, Circumstances]:
    """Let the network look at the recipe's val split; return it with what its APs are of."""
    recipe = context.recipe
    data = inputs.data_folder(context.workspace, recipe, context.on_progress)
    truth = inputs.ground_truth(context.workspace, recipe, data)
    split = inputs.val_split(recipe, data)
    evaluate = dataclasses.replace(recipe.evaluate, precision=FULL, predictions=None)
    judged = validation(model, split, truth, evaluate, context.on_progress)
    of_pictures = truth.restrict(judged.reference.images)
    dataset = data_checks.dataset_name(recipe, data, of_pictures)
    about = Circumstances(
        dataset=dataset,
        split=recipe.data.val_split,
        complete=inputs.is_whole_split(
            dataset, recipe.data.val_split, judged.images, claimed=judged.complete
        ),
        fingerprint=inputs.truth_digest(of_pictures),
        run=context.run,
    )
    return judged.of(dataset), about


TABLE: dict[str, Callable[[StageContext], StageResult]] = {
    "train": train,
    "evaluate": evaluate,
    "benchmark": benchmark,
    "export": export,
}
"""Stage name -> its function, in the order of `experiments.names.STAGES` (kept so by a test)."""
