"""Digests of the code behind figures and cached results: what a change of it invalidates.

python -c "from vault_sync.reports.code_digests import drawing_digests as d; print(d())"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.claims.history import states_of
from experiments.claims.margins import resampled_aps
from experiments.records.cache import read_epochs, read_recipe
from featherface.model_summary.summary_cache import describe_network
from featherface.source.definitions import definition_digest
from vault_sync.rendering.pictures import PICTURES
from vault_sync.reports.face_heights import count_by_height
from vault_sync.reports.gallery import RunReview
from vault_sync.reports.sections.comparison_cache import compare_runs, interval_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SUMMARIES: Mapping[str, Callable[..., object]] = {
    "comparisons": compare_runs,
    "epochs": read_epochs,
    "galleries": RunReview.gather,
    "heights": count_by_height,
    "intervals": interval_ends,
    "networks": describe_network,
    "recipes": read_recipe,
    "resamples": resampled_aps,
    "states": states_of,
}
"""Folder of `.thesis/cache` -> what makes its entries."""


def drawing_digests() -> dict[str, str]:
    """Return kind of picture -> digest of the code that draws it."""
    return {kind: definition_digest(draw) for kind, draw in PICTURES.items()}


def summary_digests() -> dict[str, str]:
    """Return folder of the cache -> digest of the code that makes its entries."""
    return {folder: definition_digest(make) for folder, make in SUMMARIES.items()}
