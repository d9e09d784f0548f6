"""Candidate runs: in which versions of an experiment a metric is looked for.

`v2` means one run (`experiments.records.selection`) and with it one training. A metric is read from
the versions with the same weights; where weights make no difference to it, from those of the same
network; never from a version with other weights where they do: that would mix two trainings. Among
these it is the latest that measured *this metric* on the widest scope. So a version that only
evaluated has the parameters of the one whose weights it took, and a latency that was taken again on
a quiet machine replaces the disturbed one.

What is tagged `smoke` or `demo` is no candidate for a bare selector.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.metrics import KINDS
from experiments.records.seal import read_seal
from experiments.records.selection import SelectionNote, refuse_tagged, scope, trial_tag
from experiments.staleness.families import UNWEIGHTED, WEIGHTS_KEYS, family, trained
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.records.run import Run
    from experiments.records.selection import Scope, Selection
    from experiments.records.store import Store

TRAINED_WEIGHTS = ("checkpoints/best.safetensors", "checkpoints/last.safetensors")
DEEPEST = 20
"""Longest chain of versions, each with the weights of the one before, that is followed."""


def find_measured(store: Store, selector: str, metric: str) -> Run:
    """Return the first of the `candidates` for SELECTOR that measured METRIC.

    Where none has, the run that the selector means is returned; its `metric(…)` is None.

    Raises:
        NotFoundError: there is no such run.
        RefusedError: only runs under a tag such as `smoke` bear that name.
    """
    return next(candidates(store, selector, metric))


def evidence_run(store: Store, selector: str) -> Selection:
    """Return the run that SELECTOR means where results are told: tables, claims and numbers.

    Raises:
        NotFoundError: there is no such run.
        RefusedError: only runs under a tag such as `smoke` bear that name.
    """
    selection = store.select(selector)
    refuse_tagged(selection, store.experiments())
    return selection


def candidates(store: Store, selector: str, metric: str) -> Iterator[Run]:
    """Yield the versions that may answer for METRIC of SELECTOR, the first one first.

    `v2@3`, `@last` and labels mean one run and no other. The run that the selector means is always
    among them; it goes first among those that measured as widely where it was chosen for its value
    (`@best`), and where no version measured the metric.

    Raises:
        NotFoundError: there is no such run.
        RefusedError: only runs under a tag such as `smoke` bear that name.
    """
    yield from candidates_of(store, evidence_run(store, selector), metric)


def candidates_of(store: Store, selection: Selection, metric: str) -> Iterator[Run]:
    """Yield the `candidates` for METRIC of a selector that was read already."""
    selected, selector = selection.run, selection.selector
    if selector not in (selected.experiment, f"{selected.experiment}@best"):
        yield selected
        return
    is_best = selector.endswith("@best")

    def rank(run: Run) -> tuple[object, ...]:
        chosen = run == selected
        measured = _scope(run, metric)
        if measured is None or not measured.measured:
            return (False, chosen, run.version)
        return (True, measured, chosen and is_best, run.version)

    sealed = [run for run in store.runs(selected.experiment) if run.sealed]
    for run in sorted(sealed, key=rank, reverse=True):
        if run == selected or _stands_in(store, run, selected, metric):
            yield run


def measured_elsewhere(store: Store, selection: Selection) -> tuple[SelectionNote, ...]:
    """Say which versions claims and numbers read, where the run of a SELECTION lacks a metric.

    A table's column is one run, and shows a dash there: its values are those of one sealed record.
    """
    run, selector = selection.run, selection.selector
    if selector not in (run.experiment, f"{run.experiment}@best"):
        return ()
    own = {metric.name for metric in run.metrics}
    lacking: dict[str, list[str]] = {}
    for name in (name for name in KINDS if name not in own and _is_of_a_network(name)):
        others = [version for version in store.runs(run.experiment) if version.sealed]
        if any(_has(version, name) for version in others):
            other = find_measured(store, selector, name)
            if other != run and _has(other, name):
                lacking.setdefault(other.id, []).append(name)
    return tuple(
        SelectionNote("elsewhere", {"run": run.id, "other": other, "metrics": tuple(names)})
        for other, names in lacking.items()
    )


def _is_of_a_network(metric: str) -> bool:
    """Whether METRIC speaks of a network, not of how a file of it was written or it was trained."""
    return family(metric) not in ("export", "training")


def _has(run: Run, metric: str) -> bool:
    try:
        return run.metric(metric) is not None
    except ThesisError:
        return False


def weights_digest(store: Store, run: Run, depth: int = 0) -> str:
    """Return the SHA-256 of the weights file that RUN goes back to; empty without any.

    A version that evaluates an earlier one's weights, or its predictions, has the digest of that
    one's file.
    """
    try:
        if trained(run):
            files = read_seal(run.folder).files
            return next(
                (str(files[name]["sha256"]) for name in TRAINED_WEIGHTS if name in files), ""
            )
        parents = run.record.parents
        parent = next((each for each in parents if each.role in ("weights", "predictions")), None)
        if parent is None or not parent.run:
            return parent.sha256 if parent else ""
        return weights_digest(store, store.find(parent.run), depth + 1) if depth < DEEPEST else ""
    except ThesisError:
        return ""


def _stands_in(store: Store, run: Run, selected: Run, metric: str) -> bool:
    """Whether RUN may answer for METRIC where SELECTED is meant."""
    if trial_tag(run) and not trial_tag(selected):
        return False
    alike = _same_weights(store, run, selected)
    return alike or (family(metric) in UNWEIGHTED and _same_network(run, selected))


def _same_weights(store: Store, first: Run, second: Run) -> bool:
    digest = weights_digest(store, first)
    return bool(digest) and digest == weights_digest(store, second)


def _same_network(first: Run, second: Run) -> bool:
    networks = [_network(run) for run in (first, second)]
    return bool(networks[0]) and networks[0] == networks[1]


def _network(run: Run) -> dict[str, object]:
    """Return RUN's `model` section without its weights; empty where it evaluated predictions."""
    try:
        if run.predictions is not None:
            return {}
        model = run.recipe.get("model", {})
    except ThesisError:
        return {}
    weights_names = [key.removeprefix("model.") for key in WEIGHTS_KEYS]
    return {key: value for key, value in model.items() if key not in weights_names}


def _scope(run: Run, metric: str) -> Scope | None:
    try:
        return scope(run, metric)
    except ThesisError:
        return None
