"""Match records made once more, from a record's predictions and the ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.running import inputs
from experiments.staleness.changes import content_digest
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import evaluate

if TYPE_CHECKING:
    from experiments.recipe.model import Recipe
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.workspace.workspace import Workspace
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.evaluation.matches import MatchRecords


class Lacking(Exception):  # noqa: N818 - no error: a check that can't be made
    """What is not at hand, in words."""


def rematch(run: Run, store: Store) -> tuple[bool, int]:
    """Return whether RUN's match records are those that its predictions give; of how many images.

    Raises:
        Lacking: predictions or ground truth are not at hand, or others than then.
        ThesisError: they can't be read.
    """
    kept = run.matches()
    if kept is None:
        raise Lacking("it holds no match records")
    recipe = run.resolved().recipe
    folder = _predictions(run, store.workspace, recipe)
    truth = _truth(run, store.workspace, recipe)
    again = evaluate(read_predictions(folder), truth).matches
    return same_matches(kept, again), len(kept.images)


def same_matches(first: MatchRecords, second: MatchRecords) -> bool:
    """Whether both count the same faces, proposals and hits of the same images."""
    if first.images != second.images or set(first.subsets) != set(second.subsets):
        return False
    pairs = [(counts, second.subsets[name]) for name, counts in first.subsets.items()]
    return all(
        np.array_equal(getattr(one, key), getattr(other, key))
        for one, other in pairs
        for key in ("faces", "proposals", "hits")
    )


def _predictions(run: Run, workspace: Workspace, recipe: Recipe) -> Path:
    if not recipe.evaluate.predictions:
        folder = run.folder / "predictions"
        if not folder.is_dir():
            raise Lacking("it holds no predictions")
        return folder
    path = (workspace.root / Path(str(recipe.evaluate.predictions)).expanduser()).resolve()
    digests = [parent.sha256 for parent in run.record.parents if parent.role == "predictions"]
    if not path.exists():
        raise Lacking(f"the predictions {path.name} are not at hand")
    if content_digest(path) not in digests:
        raise Lacking(f"the predictions {path.name} are others than it was made from")
    return path


def _truth(run: Run, workspace: Workspace, recipe: Recipe) -> GroundTruth:
    """Return the ground truth that RUN was judged by, of the images that it was judged on."""
    folder = (
        inputs.synthetic_folder(workspace, recipe.data.synthetic)
        if recipe.data.root == inputs.SYNTHETIC
        else workspace.data_root(recipe.data.root)
    )
    if recipe.data.ground_truth is None and not folder.is_dir():
        raise Lacking(f"the data {recipe.data.root} are not at hand")
    truth = inputs.ground_truth(workspace, recipe, folder)
    kept = run.matches()
    restricted = truth.restrict(kept.images) if kept else truth
    fingerprints = {metric.fingerprint for metric in run.metrics if metric.fingerprint}
    if fingerprints and inputs.truth_digest(restricted) not in fingerprints:
        raise Lacking("the ground truth is another than it was judged by")
    return restricted
