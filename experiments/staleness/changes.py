"""Whether what a run's numbers follow from has changed since: recipe, code, data, weights."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.records.seal import members, sha256
from experiments.staleness import families as bases
from experiments.staleness.families import BASES
from experiments.staleness.probes import DIFFERENT, SAME, UNKNOWN, Verdict, verdicts
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
"""Kind of a change that is told in a sentence of its own."""
SHOWN = 2
"""Probes that are named for each family."""
COMMIT = 9
"""Letters of a commit that are shown."""
DEEPEST = 20
"""Longest chain of parents that is followed."""


@dataclass(frozen=True)
class Change:
    """One way in which what a run was made from differs now."""

    run: str
    """Whose: `v2@1`."""
    kind: str
    """`recipe`, `code`, `untold` (the record does not tell what the code computed), `unread` (this
    version can't compute it again), `data`, `weights`, or `parent` (a run it was made from is
    stale)."""
    details: tuple[str, ...]
    """What exactly: keys with both values, probes and files, the parent's id; empty where unknown.
    """
    stage: str = "train"
    """The stage to repeat."""
    role: str = ""
    """What the parent was to the run."""

    def text(self, language: str = "en") -> str:
        """Return the change as a sentence in LANGUAGE."""
        values = {"run": self.run, "what": f"changed-{self.kind}", "role": f"role-{self.role}"}
        told = listed(self.details, language)
        code = SENTENCES.get(self.kind) or ("stale-in" if told else "stale")
        return say(f"change.{code}", language, **values, details=told)


def changes(
    run: Run, store: Store, families: Sequence[str] = ("training", "accuracy")
) -> tuple[Change, ...]:
    """Return how what decides the numbers of FAMILIES (see `bases`) differs from RUN's record.

    Code has changed where its probes give something else under RUN's own recipe. What can't be
    compared (a recipe that was removed, a disk that is not there) has not changed. Pictures are
    not read again: their annotations and the ground truth stand for them.
    """
    return _merged(_changes(run, store, families, 0))


def rewritten(run: Run, store: Store, families: Sequence[str]) -> tuple[str, ...]:
    """Return those of FAMILIES whose code differs from RUN's and computes the same."""
    try:
        found = verdicts(run, store.workspace, _own(run, families))
    except ThesisError:
        return ()
    return tuple(one.family for one in found if one.recomputed and one.state == SAME)


def _merged(found: Iterable[Change]) -> tuple[Change, ...]:
    """Tell what several families see once; the stage of the first one is enough to repeat."""
    merged: dict[tuple[str, str, str], Change] = {}
    for one in found:
        key = (one.run, one.kind, one.role)
        known = merged.get(key, one)
        details = tuple(dict.fromkeys((*known.details, *one.details)))
        merged[key] = dataclasses.replace(known, details=details)
    return tuple(merged.values())


def _own(run: Run, families: Sequence[str]) -> list[str]:
    """Return those of FAMILIES that RUN's own numbers are of."""
    return [name for name in families if name != "training" or bases.trained(run)]


def _changes(run: Run, store: Store, families: Sequence[str], depth: int) -> Iterator[Change]:
    try:
        made, own = _Made(run, store), _own(run, families)
        told = {one.family: one for one in verdicts(run, store.workspace, own)}
    except ThesisError:
        return
    for name in families:
        if name in told:
            yield from _recipe_changes(made, name)
            yield from _code_changes(made, told[name], own[-1])
            yield from _data_changes(made, name)
        yield from _parent_changes(made, name, depth)


@dataclass(frozen=True)
class _Made:
    """A run and the recipes it was made by and would be made by."""

    run: Run
    store: Store

    @cached_property
    def then(self) -> dict[str, Any]:
        """The recipe it was made by; parsed where something needs it."""
        from experiments.recipe.model import flatten  # noqa: PLC0415 - all configurations

        return flatten(self.run.recipe)

    @cached_property
    def now(self) -> dict[str, Any]:
        """The recipe as it is now; empty where it is the same, or nothing is left to compare."""
        record = self.run.record
        if not record.recipe:
            return {}
        try:
            now = self.store.current_recipe(record.recipe_name, record.overrides)
        except ThesisError:
            return {}
        if now.digest == record.recipe:
            return {}
        from experiments.recipe.model import flatten  # noqa: PLC0415 - as above

        return flatten(now.values)


def _recipe_changes(made: _Made, family: str) -> Iterator[Change]:
    """Yield the keys that differ.

    One that only one of the two programs knows is no change, nor is what was measured because the
    recipe leaves it open.
    """
    if not made.now:
        return
    then = made.then
    pairs = {
        key: (then[key], now)
        for key, now in made.now.items()
        if key in then and not same(key, then[key], now)
        if bases.key_counts_for(family, key, then)
        if not bases.left_open(key, now) and not bases.alike(family, key, then[key], now)
    }
    for kind in ("recipe", "data"):
        details = tuple(
            f"{key}: {_shown(before)} → {_shown(after)}"
            for key, (before, after) in pairs.items()
            if key.startswith("data.") == (kind == "data")
        )
        if details:
            yield Change(made.run.id, kind, details, BASES[family].stage)


def _code_changes(made: _Made, verdict: Verdict, last: str) -> Iterator[Change]:
    """Yield that the code computes something else, or that nobody can tell.

    What can't be told is renewed by measuring the LAST family again, where the weights are there:
    nobody knows whether they would be trained the same today, but what they are worth can be known.
    """
    run = made.run
    renewed = BASES[last if run.weights else verdict.family].stage
    if verdict.state == DIFFERENT:
        probes = f"{verdict.family}: {', '.join(verdict.probes[:SHOWN])}"
        more = len(verdict.probes) - SHOWN
        details = (f"{probes} +{more}" if more > 0 else probes, *_whereabouts(run))
        yield Change(run.id, "code", details, BASES[verdict.family].stage)
    elif verdict.state == UNKNOWN and verdict.why:
        yield Change(run.id, "unread", (verdict.why,), renewed)
    elif verdict.state == UNKNOWN:
        yield Change(run.id, "untold", (verdict.family,), renewed)


def _whereabouts(run: Run) -> Iterable[str]:
    """Return the files that differ from RUN's record, or its commit where no file tells."""
    files = read_code(run.folder)
    found = changed_files(files) if files else []
    commit = run.record.git.commit
    return found or ([f"commit {commit[:COMMIT]}"] if commit else [])


def _data_changes(made: _Made, family: str) -> Iterator[Change]:
    split = BASES[family].split
    if not split:
        return
    if not made.run.data:
        return
    name = str(made.then.get(f"data.{split}", split.removesuffix("_split")))
    about = made.run.data.get(name, {})
    recorded = {str(about.get("annotation_file", "")): about.get("annotation_sha256")}
    if family == "accuracy":
        recorded |= about.get("ground_truth", {})
    root = made.store.workspace.root
    found = [file for file, digest in recorded.items() if digest and _differs(root / file, digest)]
    if found:
        details = tuple(Path(file).name for file in found)
        yield Change(made.run.id, "data", details, BASES[family].stage)


def _parent_changes(made: _Made, family: str, depth: int) -> Iterator[Change]:
    own = family != "training" and bases.trained(made.run)
    for parent in made.run.record.parents:
        if parent.role not in BASES[family].roles or (own and parent.role == "weights"):
            continue  # what a run trained itself is not what it started from
        found = _parent_run(made, parent, depth) if parent.run else _parent_file(made, parent)
        for one in found:
            mine = one.run == made.run.id
            yield dataclasses.replace(one, stage=BASES[family].stage) if mine else one


def _parent_file(made: _Made, parent: Parent) -> Iterator[Change]:
    name = made.then.get(PATHS[parent.role])
    if not name:
        return
    path = (made.store.workspace.root / Path(str(name)).expanduser()).resolve()
    try:
        same = not path.exists() or content_digest(path) == parent.sha256
    except OSError:
        return
    if not same:
        yield Change(made.run.id, "weights", (parent.path,), role=parent.role)


def _parent_run(made: _Made, parent: Parent, depth: int) -> Iterator[Change]:
    """Yield what changed in a run that this one was made from, and that this one is stale too.

    Of a parent without probes nothing is known to have changed: its weights are what they are.
    """
    try:
        source = made.store.find(parent.run)
        seal = source.seal
    except ThesisError:
        return
    if seal != parent.seal:
        yield Change(made.run.id, "weights", (parent.run,), role=parent.role)
        return
    if depth < DEEPEST:
        every = _merged(_changes(source, made.store, ("training",), depth + 1))
        found = [one for one in every if one.kind not in ("untold", "unread")]
        yield from found
        if found:
            yield Change(made.run.id, "parent", (parent.run,), role=parent.role)


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


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


__all__ = ["Change", "changes", "content_digest", "rewritten"]
