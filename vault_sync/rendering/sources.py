"""Data sources of reports: runs, checked claims and damaged records, read once a sync."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from experiments.claims.candidate_runs import measured_elsewhere
from experiments.records import selection
from experiments.records.cache import CachedStore
from experiments.records.record import RECORD
from experiments.records.seal import describe_problems
from experiments.records.store import RemovedError
from featherface.errors import DataError, NotFoundError, RefusedError, UsageError
from vault_sync.rendering.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from experiments.claims.checking import ClaimOutcome, Examiner
    from experiments.records.run import Run
    from experiments.records.selection import SelectionNote
    from experiments.workspace.milestones import Milestone
    from experiments.workspace.workspace import Workspace
    from vault_sync.rendering.markdown import Safe

ABLATION = "ablation:"
"""Start of the tag that names the experiment which a run switches a part of on or off."""


def run_identity(run: Run) -> str:
    """Return the `thesis_id` of a run's note."""
    return f"run/{run.id}"


def ablated(run: Run) -> str:
    """Return the experiment that RUN is an ablation of, as its tags say; empty for others."""
    try:
        tags = [tag for tag in run.record.tags if tag.startswith(ABLATION)]
    except DataError:  # whoever needs its record refuses it
        return ""
    return next((tag.removeprefix(ABLATION) for tag in tags), "")


class RemovedRunError(RefusedError):
    """A run was taken out of the thesis, and what shows it must say so."""

    def __init__(self, run: str, time: str) -> None:
        super().__init__(f"{run} was removed on {time[:10]}", f"thesis runs restore {run}")
        self.run = run
        self.time = time
        """ISO 8601."""


class Sources:
    """The runs and claims of a workspace during one sync; changed records are refused."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.store = CachedStore(workspace)
        self.words = Words(workspace.language)
        self._judged: dict[Milestone, ClaimOutcome] = {}

    @cached_property
    def runs(self) -> list[Run]:
        """All runs that have begun, by experiment and version."""
        return [run for run in self.store.runs() if run.sealed or (run.folder / RECORD).is_file()]

    @property
    def cache(self) -> Path:
        """The folder of cached results, which can be deleted."""
        return self.workspace.state / "cache"

    @cached_property
    def sealed(self) -> list[Run]:
        """The finished runs."""
        return [run for run in self.runs if run.sealed]

    @cached_property
    def latest(self) -> list[Run]:
        """What each experiment's name means; ablations have a chapter of their own."""
        return self.latest_where(lambda _: True)

    def latest_where(self, wanted: Callable[[Run], bool]) -> list[Run]:
        """Return what each experiment's name means among runs that are WANTED, no ablations."""
        chosen: dict[str, list[Run]] = {}
        for run in self.counting:
            # One that can't be trusted stays in the choice, so that `check` refuses it by name.
            broken = run.id in self.damage or run.id in self.unreadable
            if not ablated(run) and (broken or wanted(run)):
                chosen.setdefault(run.experiment, []).append(run)
        return [selection.latest(name, runs).run for name, runs in chosen.items()]

    @cached_property
    def counting(self) -> list[Run]:
        """The finished runs that chapters may speak of: those without a tag such as `smoke`."""
        return [run for run in self.sealed if not selection.trial_tag(run)]

    def notes_on(self, runs: Iterable[Run]) -> list[Safe]:
        """Say which later versions of the experiments of RUNS were passed over, and why.

        Also which versions have measured what those that were chosen have not.
        """
        said = [note for run in runs for note in (*self._choice(run.experiment), *self._other(run))]
        return [self.words.sentence(note.text(self.words.language)) for note in said]

    def _choice(self, experiment: str) -> tuple[SelectionNote, ...]:
        runs = [run for run in self.counting if run.experiment == experiment and not ablated(run)]
        return selection.latest(experiment, runs).passed_over if runs else ()

    def _other(self, run: Run) -> tuple[SelectionNote, ...]:
        versions = [each for each in self.counting if each.experiment == run.experiment]
        if len(versions) < 2:
            return ()
        meant = self.store.select(run.experiment)
        return measured_elsewhere(self.store, meant) if meant.run == run else ()

    @cached_property
    def damage(self) -> dict[str, str]:
        """Run id -> how its sealed record was changed."""
        damage = {}
        for run in self.sealed:
            problems = self.store.problems(run)
            if problems:
                damage[run.id] = describe_problems(problems)
        return damage

    @cached_property
    def outcomes(self) -> list[ClaimOutcome]:
        """The milestones, checked once for all blocks.

        Raises:
            RefusedError: a claim can't be read or mistypes a name; the message says which.
        """
        return [self.judge(milestone) for milestone in self.workspace.milestones.values()]

    def judge(self, milestone: Milestone) -> ClaimOutcome:
        """Check one claim; those that are asked for again are not worked out again.

        Raises:
            RefusedError: it can't be read or mistypes a name; the message says which.
        """
        if milestone not in self._judged:
            try:
                self._judged[milestone] = self._examiner.check(milestone)
            except UsageError as error:
                raise RefusedError(error.message, error.hint) from error
        return self._judged[milestone]

    @cached_property
    def _examiner(self) -> Examiner:
        from experiments.claims.checking import Examiner  # noqa: PLC0415 - only some reports need it

        return Examiner(self.store)

    @cached_property
    def unreadable(self) -> dict[str, str]:
        """Run id -> what is wrong with a record that was never sealed, or with its annotations."""
        messages = {}
        for run in self.runs:
            try:
                _ = run.annotations, run.sealed or run.record
            except DataError as error:
                messages[run.id] = error.message
        return messages

    @cached_property
    def sound(self) -> list[Run]:
        """The finished runs whose records are as they were sealed and can be read."""
        bad = {*self.damage, *self.unreadable}
        return [run for run in self.sealed if run.id not in bad]

    def folder(self, run_id: str) -> str:
        """Return the folder of a run's record, from the workspace."""
        folder = next(run.folder for run in self.runs if run.id == run_id)
        return folder.relative_to(self.workspace.root).as_posix()

    def check(self, runs: Iterable[Run]) -> None:
        """Refuse runs whose sealed record was changed, or whose record can't be read.

        Raises:
            RefusedError: naming the run and the file.
        """
        for run in runs:
            if run.id in self.unreadable:
                how = self.unreadable[run.id]
                raise RefusedError(f"the record of {run.id} is damaged: {how}", "thesis runs list")
            if run.id in self.damage:
                how = self.damage[run.id]
                raise RefusedError(
                    f"the sealed record of {run.id} was changed afterwards ({how}); "
                    "its numbers are not reported",
                    f"thesis runs verify {run.id}",
                )

    def select(self, selectors: Sequence[str]) -> list[Run]:
        """Return the finished runs that SELECTORS mean, each once; all latest ones for none.

        Raises:
            RemovedRunError: a selector means a run that was taken out.
            RefusedError: a selector means no finished run, or only trials, or its record was
                changed.
        """
        from experiments.claims.candidate_runs import evidence_run  # noqa: PLC0415 - as above

        try:
            chosen = (
                [evidence_run(self.store, selector).run for selector in selectors]
                if selectors
                else self.latest
            )
        except RemovedError as error:
            raise RemovedRunError(error.run, error.time) from error
        except (NotFoundError, DataError) as error:
            raise RefusedError(error.message, error.hint) from error
        cached = {run: run for run in self.runs}
        runs = list(dict.fromkeys(cached.get(run, run) for run in chosen))
        for run in runs:
            if not run.sealed:
                raise RefusedError(
                    f"{run.id} is not finished", f"thesis run {run.experiment} --resume"
                )
        self.check(runs)
        return runs
