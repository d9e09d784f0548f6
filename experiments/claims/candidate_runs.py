"""Candidate runs: in which versions of an experiment a metric is looked for.

`v2` means the latest finished version. One that only evaluated has measured no parameters, but the
version whose weights it took has. A metric that the selected version lacks is looked for in the
other versions with the same weights, then, where weights make no difference to it, in those of the
same network; never in a version with other weights where they do: that would mix two trainings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.records.seal import read_seal
from experiments.staleness.families import UNWEIGHTED, WEIGHTS_KEYS, family, trained
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.records.run import Run
    from experiments.records.store import Store

TRAINED_WEIGHTS = ("checkpoints/best.safetensors", "checkpoints/last.safetensors")
DEEPEST = 20
"""Longest chain of versions, each with the weights of the one before, that is followed."""


def find_measured(store: Store, selector: str, metric: str) -> Run:
    """Return the first of the `candidates` for SELECTOR that measured METRIC.

    Where none has, the run that the selector means is returned; its `metric(…)` is None.

    Raises:
        NotFoundError: there is no such run.
    """
    measured = (run for run in candidates(store, selector, metric) if _measured(run, metric))
    return next(measured, None) or store.find(selector)


def candidates(store: Store, selector: str, metric: str) -> Iterator[Run]:
    """Yield the run that SELECTOR means, then the versions that may stand in for it, latest first.

    `v2@3`, `@last` and labels mean one run and no other.

    Raises:
        NotFoundError: there is no such run.
    """
    selected = store.find(selector)
    yield selected
    if selector not in (selected.experiment, f"{selected.experiment}@best"):
        return
    others = [run for run in reversed(store.runs(selected.experiment)) if run.sealed]
    others.remove(selected)
    same_weights = [run for run in others if _same_weights(store, run, selected)]
    yield from same_weights
    if family(metric) in UNWEIGHTED:
        yield from (
            run for run in others if run not in same_weights and _same_network(run, selected)
        )


def weights_digest(store: Store, run: Run, depth: int = 0) -> str:
    """Return the SHA-256 of the weights file that RUN goes back to; empty without any.

    A version that evaluates an earlier one's weights has the digest of that one's file.
    """
    try:
        if trained(run):
            files = read_seal(run.folder).files
            return next(
                (str(files[name]["sha256"]) for name in TRAINED_WEIGHTS if name in files), ""
            )
        parent = next((parent for parent in run.record.parents if parent.role == "weights"), None)
        if parent is None or not parent.run:
            return parent.sha256 if parent else ""
        return weights_digest(store, store.find(parent.run), depth + 1) if depth < DEEPEST else ""
    except ThesisError:
        return ""


def _same_weights(store: Store, first: Run, second: Run) -> bool:
    digest = weights_digest(store, first)
    return bool(digest) and digest == weights_digest(store, second)


def _same_network(first: Run, second: Run) -> bool:
    networks = [_network(run) for run in (first, second)]
    return bool(networks[0]) and networks[0] == networks[1]


def _network(run: Run) -> dict[str, object]:
    """Return RUN's `model` section without its weights; empty where it evaluated predictions."""
    try:
        if any(parent.role == "predictions" for parent in run.record.parents):
            return {}
        model = run.recipe.get("model", {})
    except ThesisError:
        return {}
    weights_names = [key.removeprefix("model.") for key in WEIGHTS_KEYS]
    return {key: value for key, value in model.items() if key not in weights_names}


def _measured(run: Run, metric: str) -> bool:
    try:
        return run.metric(metric) is not None
    except ThesisError:
        return False
