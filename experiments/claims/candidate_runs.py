"""Candidate runs: which version of an experiment speaks for a metric.

`v2` means the latest finished version. One that only evaluated measured no parameters; the version
whose weights it took, did. A metric that the version meant has not measured is looked for in the
other versions with the same weights, then, where the weights make no difference, in those of the
same network; never in one that would mix two trainings.
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

TRAINED = ("checkpoints/best.safetensors", "checkpoints/last.safetensors")
DEEPEST = 20
"""Longest chain of versions that took over weights."""


def find_measured(store: Store, selector: str, metric: str) -> Run:
    """Return the run that SELECTOR means for METRIC: the first of `candidates` that measured it.

    Where none has, the run that the selector means; its `metric(…)` is None then.

    Raises:
        NotFoundError: there is no such run.
    """
    found = (run for run in candidates(store, selector, metric) if _has(run, metric))
    return next(found, None) or store.find(selector)


def candidates(store: Store, selector: str, metric: str) -> Iterator[Run]:
    """Yield the run that SELECTOR means, then those that may speak for it, the latest first.

    `v2@3`, `@last` and labels mean one run and no other.

    Raises:
        NotFoundError: there is no such run.
    """
    chosen = store.find(selector)
    yield chosen
    if selector not in (chosen.experiment, f"{chosen.experiment}@best"):
        return
    others = [run for run in reversed(store.runs(chosen.experiment)) if run.sealed]
    others.remove(chosen)
    alike = [run for run in others if _same_weights(store, run, chosen)]
    yield from alike
    if family(metric) in UNWEIGHTED:
        yield from (run for run in others if run not in alike and _same_network(run, chosen))


def weights_digest(store: Store, run: Run, depth: int = 0) -> str:
    """Return the SHA-256 of the file that RUN's weights were first kept in; empty without any.

    A version that evaluates an earlier one's weights has that one's digest.
    """
    try:
        if trained(run):
            files = read_seal(run.folder).files
            return next((str(files[one]["sha256"]) for one in TRAINED if one in files), "")
        parent = next((one for one in run.record.parents if one.role == "weights"), None)
        if parent is None or not parent.run:
            return parent.sha256 if parent else ""
        return weights_digest(store, store.find(parent.run), depth + 1) if depth < DEEPEST else ""
    except ThesisError:
        return ""


def _same_weights(store: Store, one: Run, other: Run) -> bool:
    digest = weights_digest(store, one)
    return bool(digest) and digest == weights_digest(store, other)


def _same_network(one: Run, other: Run) -> bool:
    networks = [_network(run) for run in (one, other)]
    return bool(networks[0]) and networks[0] == networks[1]


def _network(run: Run) -> dict[str, object]:
    """Return the network that RUN's recipe names; empty where predictions stand for it."""
    try:
        if any(parent.role == "predictions" for parent in run.record.parents):
            return {}
        model = run.recipe.get("model", {})
    except ThesisError:
        return {}
    names = [key.removeprefix("model.") for key in WEIGHTS_KEYS]
    return {key: value for key, value in model.items() if key not in names}


def _has(run: Run, metric: str) -> bool:
    try:
        return run.metric(metric) is not None
    except ThesisError:
        return False
