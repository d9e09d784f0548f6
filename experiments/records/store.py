"""Every run of a workspace, found by selector: `v2`, `v2@3`, `v2@best`, `@last`, a label."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

from experiments.ledger.ledger import Ledger
from experiments.names import NAME, check_name
from experiments.recipe.current import current_recipe
from experiments.records import selection
from experiments.records.annotations import RunAnnotations, check_label, checked
from experiments.records.record import RECORD, Record
from experiments.records.run import Run
from experiments.records.seal import MISPLACED, RESEALED, SEAL, Problem, placed_seal
from experiments.records.selection import Selection
from experiments.workspace import paths
from featherface.errors import (
    DataError,
    HeldError,
    LockedError,
    NotFoundError,
    UsageError,
    unknown,
)
from featherface.filesystem.atomic import make_folder
from featherface.filesystem.os_errors import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from experiments.ledger.events import LedgerEvent
    from experiments.recipe.current import CurrentRecipe
    from experiments.records.index import Index, Summary
    from experiments.workspace.workspace import Workspace

VERSION = re.compile(r"\d{3,}")
SEE = "thesis runs list"


class RemovedError(NotFoundError):
    """The run that is meant was taken out of the thesis, and can be brought back."""

    def __init__(self, event: LedgerEvent) -> None:
        super().__init__(
            f"{event.run} was removed on {event.time[:10]}", f"thesis runs restore {event.run}"
        )
        self.run = event.run
        self.time = event.time
        """ISO 8601."""


class Store:
    """The runs of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def experiments(self) -> list[str]:
        """Return the names of experiments that have runs, sorted."""
        folder = self.workspace.runs
        if not folder.is_dir():
            return []
        return sorted(entry.name for entry in folder.iterdir() if any(_versions(entry)))

    def runs(self, experiment: str | None = None) -> list[Run]:
        """Return all runs (of EXPERIMENT), by experiment and version."""
        if experiment is None:
            names = self.experiments()
        else:  # as it is written, also on a disk that would find another case
            names = [name for name in paths.names(self.workspace.runs) if name == experiment]
        names = [name for name in names if NAME.fullmatch(name)]
        folders = [path for name in names for path in _versions(self.workspace.runs / name)]
        return [Run(path) for path in folders]

    def find(self, selector: str) -> Run:
        """Return the one run that SELECTOR means.

        `v2` the latest of those that measured most widely, `v2@3`, `v2@best` by the primary
        metric, `v2@last`, `@last`, a label. See `experiments.records.selection`.

        Raises:
            NotFoundError: nothing fits; the message names the nearest.
        """
        return self.select(selector).run

    def select(self, selector: str) -> Selection:
        """Return the one run that SELECTOR means, and what must be said of the choice.

        Raises:
            NotFoundError: nothing fits; the message names the nearest.
        """
        name, at, which = selector.partition("@")
        if not at:
            known = name in paths.names(self.workspace.runs)
            labelled = None if known else self.labels().get(selector)
            return Selection(selector, labelled) if labelled else self._latest(selector)
        runs = self.runs(name) if name else self.runs()
        if not runs:
            raise self._no_run(selector, name)
        if which == "last":
            return Selection(selector, max(runs, key=selection.started))
        if which == "best":
            return selection.best(selector, runs)
        matching = [run for run in runs if name and str(run.version) == which]
        if not matching:
            self._refuse_removed(lambda event: str(event.version) == which, name)
            choices = [run.id for run in runs] + [f"{name}@best", f"{name}@last"]
            raise NotFoundError(unknown("run", selector, choices), SEE)
        return Selection(selector, matching[0])

    def allocate(self, experiment: str) -> Path:
        """Make the folder of EXPERIMENT's next version; two processes never get the same.

        A version that was removed, or whose folder was deleted, keeps its number.

        Raises:
            UsageError: another experiment's name is the same but for its case.
            UnavailableError: the runs folder can't be written.
        """
        parent = self.workspace.runs / check_name(experiment)
        if twin := paths.twin(experiment, paths.names(self.workspace.runs)):
            raise UsageError(
                f"experiment {experiment!r} differs only in case from {twin!r}, which has runs"
                " already",
                f"thesis run {twin}, or choose another name",
            )
        try:
            parent.mkdir(parents=True, exist_ok=True)
            self.remember()
            given = self.ledger.memory.versions.get(experiment, 0)
            version = max((int(path.name) for path in _versions(parent)), default=0)
            version = max(version, given) + 1
            while True:
                folder = parent / f"{version:03d}"
                try:
                    make_folder(folder)
                except FileExistsError:
                    version += 1
                else:
                    return folder
        except OSError as error:
            raise unavailable(error, parent, verb="make a run's folder in") from error

    def verify(self, run: Run) -> list[Problem]:
        """Return what is wrong with RUN's record, every file read; nothing where it is intact.

        That is how it differs from its seal, contradicts itself, or has another seal than this
        workspace remembers.
        """
        from experiments.records.index import examine  # noqa: PLC0415 - as `index`

        seal, problems = examine(run) if run.sealed else ("", [])
        return [*problems, *self._forgotten(run, seal)]

    def problems(self, run: Run) -> list[Problem]:
        """As `verify`, but files untouched since the last verification are not read again."""
        seal, problems = self.index.problems(run) if run.sealed else ("", [])
        return [*problems, *self._forgotten(run, seal)]

    def _forgotten(self, run: Run, seal: str) -> list[Problem]:
        """Tell where RUN, or its SEAL, is not the one that this workspace remembers."""
        memory = self.ledger.memory
        owner = memory.owners.get(_uid(run), run.id) if memory.owners else run.id
        if owner != run.id:
            return [Problem(RECORD, MISPLACED, f"a copy of {owner}, under another name")]
        first = memory.seals.get(run.id)
        if first is None or seal == first.seal:
            return []
        if not run.sealed:
            return [Problem(SEAL, "missing", f"it was sealed as {first.seal[:12]}, {first.time}")]
        detail = f"sealed as {first.seal[:12]}, {first.time}; now as {seal[:12] or 'nothing'}"
        return [Problem(SEAL, RESEALED, detail)]

    def was_finished(self, run: Run) -> bool:
        """Whether RUN, which has no seal, had one: as the ledger says, else as its record does.

        A run that this workspace began and never saw sealed was killed on its last steps.
        """
        if run.sealed:
            return False
        if run.id in self.ledger.memory.seals:
            return True
        try:
            finished = Record.read(run.folder).status == "finished"
        except DataError:
            return False
        return finished and run.id not in self.ledger.memory.given

    @cached_property
    def ledger(self) -> Ledger:
        """What the workspace remembers of its runs."""
        return Ledger(self.workspace)

    def remember(self) -> None:
        """Let the ledger know every record that lies there: what came from elsewhere, or before it.

        A record that lies where another one belongs is not taken for that one.

        Raises:
            LockedError: another process writes into the ledger for long.
            UnavailableError: the ledger can't be written.
        """
        self.ledger.reload()
        known = self.ledger.memory
        unknown_runs = [run for run in self.runs() if run.id not in known.seals]
        present = [(run.id, placed_seal(run.folder), _uid(run)) for run in unknown_runs]
        self.ledger.adopt(present)

    @cached_property
    def index(self) -> Index:
        """The cache over the records."""
        from experiments.records.index import Index  # noqa: PLC0415 - sqlite3 only when asked

        return Index(self.workspace.state / "index.sqlite")

    def summaries(self, experiment: str | None = None) -> list[Summary]:
        """Return one summary per run (of EXPERIMENT), fast however many there are."""
        return self.index.summaries(self.runs(experiment))

    def reindex(self) -> int:
        """Rebuild the index from the records; return how many runs it holds."""
        return self.index.rebuild(self.runs())

    def annotate(self, run: Run, **changes: Any) -> RunAnnotations:
        """Change what the student says of RUN; CHANGES name fields of `Annotations`.

        Raises:
            UsageError: a label is an experiment's name, another run's label or not a name; a
                verdict or a tag can't be one.
            LockedError: another process is changing what is said of a run.
        """
        changes = checked(changes)
        self.remember()
        with self._annotating():
            for label in changes.get("labels", ()):
                self._check_free(label, run)
            annotations = dataclasses.replace(run.annotations, **changes)
            annotations.write(run.folder)
        return annotations

    def _check_free(self, label: str, run: Run) -> None:
        holder = self.labels().get(check_label(label))
        if label in self.experiments() or (holder is not None and holder != run):
            taken = f"the run {holder.id}" if holder else "an experiment"
            raise UsageError(f"label {label!r} is taken by {taken}", "choose another label")

    @contextlib.contextmanager
    def _annotating(self) -> Iterator[None]:
        """Keep other processes from changing what is said of the runs meanwhile."""
        from experiments.workspace.locks import held  # noqa: PLC0415 - slow, and most commands only read

        with held(self.workspace, "annotations", seconds=10) as mine:
            if not mine:
                raise LockedError(
                    "another program is changing what is said of the runs",
                    "wait until it is done, then do it again",
                )
            yield

    def labels(self) -> dict[str, Run]:
        """Return label -> run; annotations that can't be read name none."""
        labelled: dict[str, Run] = {}
        for run in self.runs():
            with contextlib.suppress(DataError):
                labelled |= dict.fromkeys(run.labels, run)
        return labelled

    def current_recipe(self, recipe: str, overrides: Sequence[str] = ()) -> CurrentRecipe:
        """Return RECIPE as it is now, under OVERRIDES.

        Raises:
            ThesisError: it is gone, or can't be resolved any more.
        """
        return current_recipe(self.workspace, recipe, overrides)

    def _latest(self, experiment: str) -> Selection:
        runs = self.runs(experiment)
        if any(run.sealed for run in runs):
            return selection.latest(experiment, runs)
        if runs:
            last = runs[-1]
            raise NotFoundError(
                f"no finished run of {experiment!r}: {last.id} is {last.status}",
                f"thesis run {experiment} --resume",
            )
        raise self._no_run(experiment, experiment)

    def removed(self, experiment: str | None = None) -> list[LedgerEvent]:
        """Return the removal of each run (of EXPERIMENT) that was taken out, by version.

        A run whose folder lies in its place is there, whatever befell it meanwhile.
        """
        removed = self.ledger.memory.removed
        there = {run.id for run in self.runs(experiment)} if removed else set()
        events = [event for run, event in removed.items() if run not in there]
        chosen = [event for event in events if experiment in (None, event.experiment)]
        return sorted(chosen, key=lambda event: (event.experiment, event.version))

    def _refuse_removed(self, meant: Callable[[LedgerEvent], bool], experiment: str) -> None:
        """Raise the error for the latest removed run of EXPERIMENT that is MEANT, if one is."""
        chosen = [event for event in self.removed(experiment) if meant(event)]
        if chosen:
            raise RemovedError(chosen[-1])

    def _no_run(self, selector: str, name: str) -> NotFoundError:
        """Return the error for a SELECTOR with NAME that means no run.

        Raises:
            RemovedError: every run of that name was removed.
        """
        if name and name not in self.experiments():
            self._refuse_removed(lambda _: True, name)
        if not name:
            return NotFoundError("there is no run yet", "thesis run v1")
        known = [*self.experiments(), *self.labels()]
        if twin := paths.twin(name, known):
            meant = selector.replace(name, twin, 1)
            return NotFoundError(f"no run {selector!r}; did you mean {meant!r}?", SEE)
        if name in known:
            return NotFoundError(f"no run {selector!r}", SEE)
        hint = SEE if known else f"thesis run {name}"
        return NotFoundError(unknown("run", selector, known), hint)


def _versions(folder: Path) -> Iterator[Path]:
    """Yield the run folders of an experiment's FOLDER, by version."""
    if not folder.is_dir():
        return
    names = [entry for entry in folder.iterdir() if VERSION.fullmatch(entry.name)]
    yield from sorted(
        (entry for entry in names if entry.is_dir()), key=lambda entry: int(entry.name)
    )


def _uid(run: Run) -> str:
    """Return what was drawn for RUN when it began; empty in records of earlier versions."""
    try:
        return run.record.uid
    except (DataError, HeldError):
        return ""
