"""What changed of a run's provenance since it was made: recipe, code, data, weights, parents."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.recipe.file_settings import came_with_weights
from experiments.records.seal import members, sha256
from experiments.staleness import families as families_of
from experiments.staleness.families import DEPENDENCIES
from experiments.staleness.probes import DIFFERENT, SAME, UNKNOWN, ProbeVerdict, verdicts
from experiments.staleness.source_digest import changed_files, read_code
from experiments.wording.phrases import listed, say
from experiments.workspace.paths import same
from featherface.errors import ThesisError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from experiments.records.record import Parent
    from experiments.records.run import Run
    from experiments.records.store import Store

PATHS = {
    "weights": "model.weights",
    "backbone": "model.backbone_weights",
    "teacher": "distill.teacher_weights",
    "predictions": "evaluate.predictions",
}
"""Role of a parent that is a file -> the recipe key that names it."""
SENTENCES = {"parent": "stale-parent", "untold": "stale-untold", "unread": "stale-unread"}
"""Kind of a change that has a sentence of its own -> its phrase."""
NAMED_PROBES = 2
"""Differing probes that are named for each family."""
COMMIT_DIGITS = 9
"""Digits of a commit's hash that are shown."""
DEEPEST = 20
"""Longest chain of parents that is followed."""


@dataclass(frozen=True)
class ProvenanceChange:
    """One difference between what a run was made from and what that is now."""

    run: str
    """Id of the run, such as `v2@1`."""
    kind: str
    """`recipe`, `code`, `untold` (the record holds no probes of the code), `unread` (this version
    can't compute its probes again), `data`, `weights`, or `parent` (a parent run is stale)."""
    details: tuple[str, ...]
    """Recipe keys with both values, probes and files, or the parent's id; empty where unknown."""
    stage: str = "train"
    """The stage to run again."""
    role: str = ""
    """What the parent was to the run."""

    def text(self, language: str = "en") -> str:
        """Return the change as a sentence in LANGUAGE."""
        values = {"run": self.run, "what": f"changed-{self.kind}", "role": f"role-{self.role}"}
        details = listed(self.details, language)
        phrase = SENTENCES.get(self.kind) or ("stale-in" if details else "stale")
        return say(f"change.{phrase}", language, **values, details=details)


def changes(
    run: Run, store: Store, families: Sequence[str] = ("training", "accuracy")
) -> tuple[ProvenanceChange, ...]:
    """Return what changed since of all that the numbers of FAMILIES of RUN depend on.

    Code has changed where its probes give other values under RUN's own recipe. What can't be
    compared (a recipe that was removed, a disk that is not there) has not changed. Pictures are
    not read again: their annotations and the ground truth stand for them.
    """
    return _merge(_changes(run, store, families, 0))


def rewritten(run: Run, store: Store, families: Sequence[str]) -> tuple[str, ...]:
    """Return those of FAMILIES whose code differs from RUN's and computes the same."""
    try:
        judged = verdicts(run, store.workspace, _own_families(run, families))
    except ThesisError:
        return ()
    return tuple(
        verdict.family for verdict in judged if verdict.recomputed and verdict.state == SAME
    )


def _merge(changes: Iterable[ProvenanceChange]) -> tuple[ProvenanceChange, ...]:
    """Join what several families report alike; the first one's stage is enough to run again."""
    merged: dict[tuple[str, str, str], ProvenanceChange] = {}
    for change in changes:
        key = (change.run, change.kind, change.role)
        first = merged.get(key, change)
        details = tuple(dict.fromkeys((*first.details, *change.details)))
        merged[key] = dataclasses.replace(first, details=details)
    return tuple(merged.values())


def _own_families(run: Run, families: Sequence[str]) -> list[str]:
    """Return FAMILIES, without `training` where RUN trained nothing itself."""
    return [name for name in families if name != "training" or families_of.trained(run)]


def _changes(
    run: Run, store: Store, families: Sequence[str], depth: int
) -> Iterator[ProvenanceChange]:
    try:
        versions, own = _RecipeVersions(run, store), _own_families(run, families)
        judged = {verdict.family: verdict for verdict in verdicts(run, store.workspace, own)}
    except ThesisError:
        return
    for name in families:
        if name in judged:
            yield from _recipe_changes(versions, name)
            yield from _code_changes(versions, judged[name], own[-1])
            yield from _data_changes(versions, name)
        yield from _parent_changes(versions, name, depth)


@dataclass(frozen=True)
class _RecipeVersions:
    """A run with its recorded recipe and that recipe as it is now, both flat."""

    run: Run
    store: Store

    @cached_property
    def recorded(self) -> dict[str, Any]:
        """The recipe it was made by; parsed where something needs it."""
        from experiments.recipe.model import flatten  # noqa: PLC0415 - all configurations

        return flatten(self.run.recipe)

    @cached_property
    def of_weights_file(self) -> frozenset[str]:
        """Keys whose recorded value came with a file of weights."""
        try:
            origins = self.run.resolved().origins
        except ThesisError:
            return frozenset()
        return frozenset(key for key, origin in origins.items() if came_with_weights(origin))

    @cached_property
    def current(self) -> dict[str, Any]:
        """The recipe as it is now; empty where it is the same, or can't be resolved any more."""
        record = self.run.record
        if not record.recipe:
            return {}
        try:
            recipe = self.store.current_recipe(record.recipe_name, record.overrides)
        except ThesisError:
            return {}
        if recipe.digest == record.recipe:
            return {}
        from experiments.recipe.model import flatten  # noqa: PLC0415 - as above

        return flatten(recipe.values)


def _recipe_changes(versions: _RecipeVersions, family: str) -> Iterator[ProvenanceChange]:
    """Yield the keys that differ and that FAMILY depends on.

    A key that only one of the two programs knows is no change, nor is a value that the recipe
    leaves to the machine. Settings that came with a weights file change with that file, which is
    a parent.
    """
    if not versions.current:
        return
    recorded = versions.recorded
    pairs = {
        key: (recorded[key], value)
        for key, value in versions.current.items()
        if key in recorded and not same(key, recorded[key], value)
        if families_of.key_counts_for(family, key, recorded)
        if not families_of.left_to_machine(key, value)
        if not families_of.equivalent(family, key, recorded[key], value)
    }
    if pairs:
        pairs = {key: pair for key, pair in pairs.items() if key not in versions.of_weights_file}
    for kind in ("recipe", "data"):
        details = tuple(
            f"{key}: {_as_json(before)} → {_as_json(after)}"
            for key, (before, after) in pairs.items()
            if key.startswith("data.") == (kind == "data")
        )
        if details:
            yield ProvenanceChange(versions.run.id, kind, details, DEPENDENCIES[family].stage)


def _code_changes(
    versions: _RecipeVersions, verdict: ProbeVerdict, last: str
) -> Iterator[ProvenanceChange]:
    """Yield that the code computes something else, or that this is unknown.

    What is unknown is settled by measuring the LAST family again, where there are weights: whether
    today's code would train them alike stays open, but their accuracy is measured anew.
    """
    run = versions.run
    stage = DEPENDENCIES[last if run.weights else verdict.family].stage
    if verdict.state == DIFFERENT:
        names = f"{verdict.family}: {', '.join(verdict.differing[:NAMED_PROBES])}"
        more = len(verdict.differing) - NAMED_PROBES
        details = (f"{names} +{more}" if more > 0 else names, *_changed_sources(run))
        yield ProvenanceChange(run.id, "code", details, DEPENDENCIES[verdict.family].stage)
    elif verdict.state == UNKNOWN and verdict.reason:
        yield ProvenanceChange(run.id, "unread", (verdict.reason,), stage)
    elif verdict.state == UNKNOWN:
        yield ProvenanceChange(run.id, "untold", (verdict.family,), stage)


def _changed_sources(run: Run) -> Iterable[str]:
    """Return the files that differ from RUN's record, or its commit where no file tells."""
    files = read_code(run.folder)
    changed = changed_files(files) if files else []
    commit = run.record.git.commit
    return changed or ([f"commit {commit[:COMMIT_DIGITS]}"] if commit else [])


def _data_changes(versions: _RecipeVersions, family: str) -> Iterator[ProvenanceChange]:
    split = DEPENDENCIES[family].split
    if not split:
        return
    if not versions.run.data:
        return
    name = str(versions.recorded.get(f"data.{split}", split.removesuffix("_split")))
    fingerprint = versions.run.data.get(name, {})
    digests = {str(fingerprint.get("annotation_file", "")): fingerprint.get("annotation_sha256")}
    if family == "accuracy":
        digests |= fingerprint.get("ground_truth", {})
    root = versions.store.workspace.root
    changed = [file for file, digest in digests.items() if digest and _differs(root / file, digest)]
    if changed:
        details = tuple(Path(file).name for file in changed)
        yield ProvenanceChange(versions.run.id, "data", details, DEPENDENCIES[family].stage)


def _parent_changes(
    versions: _RecipeVersions, family: str, depth: int
) -> Iterator[ProvenanceChange]:
    own = family != "training" and families_of.trained(versions.run)
    for parent in versions.run.record.parents:
        if parent.role not in DEPENDENCIES[family].roles or (own and parent.role == "weights"):
            continue  # what a run trained itself is not what it started from
        changes = (
            _parent_run(versions, parent, depth) if parent.run else _parent_file(versions, parent)
        )
        for change in changes:
            of_run = change.run == versions.run.id
            stage = DEPENDENCIES[family].stage if of_run else change.stage
            yield dataclasses.replace(change, stage=stage)


def _parent_file(versions: _RecipeVersions, parent: Parent) -> Iterator[ProvenanceChange]:
    name = versions.recorded.get(PATHS[parent.role])
    if not name:
        return
    path = (versions.store.workspace.root / Path(str(name)).expanduser()).resolve()
    try:
        same = not path.exists() or content_digest(path) == parent.sha256
    except OSError:
        return
    if not same:
        yield ProvenanceChange(versions.run.id, "weights", (parent.path,), role=parent.role)


def _parent_run(
    versions: _RecipeVersions, parent: Parent, depth: int
) -> Iterator[ProvenanceChange]:
    """Yield what changed in a parent run, and then that this run is stale with it.

    A parent without probes counts as unchanged: its weights stay the recorded ones.
    """
    try:
        source = versions.store.find(parent.run)
        seal = source.seal
    except ThesisError:
        return
    if seal != parent.seal:
        yield ProvenanceChange(versions.run.id, "weights", (parent.run,), role=parent.role)
        return
    if depth < DEEPEST:
        of_parent = _merge(_changes(source, versions.store, ("training",), depth + 1))
        known = [change for change in of_parent if change.kind not in ("untold", "unread")]
        yield from known
        if known:
            yield ProvenanceChange(versions.run.id, "parent", (parent.run,), role=parent.role)


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of the listing of a folder's files with theirs."""
    if path.is_file():
        return sha256(path)
    total = hashlib.sha256()
    for name in members(path):
        total.update(f"{name}\0{sha256(path / name)}\n".encode())
    return total.hexdigest()


def _differs(path: Path, digest: str) -> bool:
    try:
        return path.is_file() and sha256(path) != digest
    except OSError:
        return False


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


__all__ = ["ProvenanceChange", "changes", "content_digest", "rewritten"]
