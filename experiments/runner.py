"""Running an experiment: stages one after the other, each crash-safe, then the seal."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import socket
import threading
import time
import traceback
from importlib import metadata
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from experiments import automatic, liveness, prerequisites, provenance, recording, tracking
from experiments.codebase import code_digest, write_code
from experiments.recipe import ResolvedRecipe, differences
from experiments.records import STAGES, Attempt, Record, Stage, now
from experiments.stages import TABLE
from experiments.store import RECIPE, Run, Store
from experiments.work import Findings, Work
from featherface.errors import (
    InterruptedRunError,
    LockedError,
    NotFoundError,
    ThesisError,
    UsageError,
    unknown,
)
from featherface.files import write_atomic
from featherface.progress import never, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from experiments.records import Parent
    from experiments.workspace import Workspace
    from featherface.progress import OnProgress, ShouldStop

MODES = ("auto", "resume", "new")
BEAT_SECONDS = 15.0


def run(  # noqa: PLR0913 - two things to run, how, and four listeners that are optional
    workspace: Workspace,
    resolved: ResolvedRecipe,
    *,
    stages: Sequence[str] | None = None,
    mode: str = "auto",
    argv: Sequence[str] = (),
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
    on_message: Callable[[str], None] = lambda _: None,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> Run:
    """Run an experiment and seal what happened; return the finished run.

    Args:
        workspace: where the record goes.
        resolved: the recipe.
        stages: those to run, in their fixed order; None runs the recipe's.
        mode: `new` starts a version; `resume` goes on with the latest unfinished one, by the
            recipe it was started with; `auto` goes on where that recipe is still the same.
        argv: the command line, for the record; secrets are taken out.
        on_progress: told of every step.
        should_stop: asked often; once true the run is left resumable.
        on_message: told what a person wants to know.
        on_epoch: called with the epochs completed, once an epoch's event is on the disk; what it
            raises ends the run.

    Raises:
        NotFoundError: nothing to resume, or no teacher or weights to be found.
        LockedError: another process works on the same run.
        InterruptedRunError: `should_stop` said so.
        ThesisError: a stage failed; the record says why.
    """
    chosen = _chosen_stages(stages or resolved.recipe.stages)
    store = Store(workspace)
    folder = _resumable(store, resolved, chosen, mode, on_message)
    teachers = () if folder else prerequisites.check(store, resolved.recipe, chosen)
    tracking.check(workspace)
    fresh = folder is None
    folder = folder or store.allocate(resolved.recipe.name)
    with _lock(workspace, folder):
        if not fresh:
            _check_unsealed(Run(folder))
            resolved = _recorded(folder)
        attempt = _Attempt(Run(folder), workspace, resolved, chosen)
        if fresh:
            attempt.start(argv, teachers)
        attempt.begin(argv)
        with _heart(folder):
            attempt.work(on_progress, should_stop, on_message, on_epoch)
        try:
            recording.finish(folder, attempt.record)
        finally:
            liveness.rest(folder)  # last: a run that is being sealed is not an interrupted one
    return Run(folder)


class _Attempt:
    """One start of a run's process."""

    def __init__(
        self, run: Run, workspace: Workspace, resolved: ResolvedRecipe, stages: Sequence[str]
    ) -> None:
        self.run = run
        self.folder = run.folder
        self.workspace = workspace
        self.resolved = resolved
        self.stages = tuple(stages)
        self.record = Record(experiment=run.experiment, version=run.version)

    def begin(self, argv: Sequence[str]) -> None:
        """Note this attempt in the record, before any work."""
        self.record = Record.read(self.folder)
        self.stages = tuple(name for name in STAGES if self._stage(name).status != "skipped")
        attempt = Attempt(
            started=now(),
            host=socket.gethostname(),
            pid=os.getpid(),
            argv=provenance.clean_argv(argv),
        )
        attempts = (*self.record.attempts, attempt)
        liveness.beat(self.folder)
        warnings = self.record.warnings
        if self.record.code != code_digest():
            text = f"attempt {len(attempts)} ran other code than the run began with"
            warnings = tuple(dict.fromkeys([*warnings, text]))
        self._update(
            status="running",
            attempts=attempts,
            hardware=provenance.hardware(),
            warnings=warnings,
        )

    def start(self, argv: Sequence[str], teachers: tuple[Parent, ...]) -> None:
        """Write recipe, environment, patch and record of a new run, or leave no folder."""
        try:
            self._start(provenance.clean_argv(argv), teachers)
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def work(
        self,
        on_progress: OnProgress,
        should_stop: ShouldStop,
        on_message: Callable[[str], None],
        on_epoch: Callable[[int], None],
    ) -> None:
        """Run the stages that are not done; leave the record saying what happened."""

        def tell(text: str) -> None:
            recording.log(self.folder, provenance.clean_text(text))
            on_message(text)

        tracker = tracking.Guarded(tracking.start(self.workspace, self.run.id, self.resolved), tell)

        def note(event: dict[str, Any]) -> None:
            recording.append_event(self.folder, event)
            tracker.log(event)
            if event.get("kind") == "epoch":
                with contextlib.suppress(ThesisError):  # Windows: a spreadsheet may hold it
                    recording.write_table(self.folder, self.run.events("epoch"))
                on_epoch(int(event["epoch"]))

        outcome, error = "failed", ""
        try:
            shared = Work(
                workspace=self.workspace,
                recipe=self.resolved.recipe,
                folder=self.folder,
                run=self.run.id,
                resume=len(self.record.attempts) > 1,
                on_progress=on_progress,
                should_stop=should_stop,
                on_message=tell,
                on_event=note,
            )
            self._settle(shared)
            for name in self.stages:
                if self._stage(name).status != "done":
                    self._run_stage(name, shared)
            self._conclude()
            outcome = "finished"
        except (InterruptedRunError, KeyboardInterrupt) as stop:
            outcome, error = "interrupted", str(stop)
            raise
        except ThesisError as fault:
            error = fault.message
            raise
        except BaseException as fault:
            error = f"{type(fault).__name__}: {fault}"
            with contextlib.suppress(ThesisError):
                recording.log(self.folder, provenance.clean_text(traceback.format_exc()))
            raise
        finally:
            tracker.finish(outcome)
            self._close(outcome, provenance.clean_text(error))

    def _start(self, argv: tuple[str, ...], teachers: tuple[Parent, ...]) -> None:
        recipe = self.resolved.recipe
        source = provenance.source(provenance.code_folder())
        if not source.git.commit:
            source = provenance.source(self.workspace.root)
        write_atomic(self.folder / RECIPE, self.resolved.to_yaml())
        write_atomic(self.folder / "environment.txt", provenance.environment())
        write_code(self.folder)
        if source.patch:
            write_atomic(self.folder / "source.patch", source.patch)
        self.record = Record(
            experiment=self.run.experiment,
            version=self.run.version,
            title=recipe.title,
            hypothesis=recipe.hypothesis,
            tags=recipe.tags,
            primary_metric=recipe.primary_metric,
            seed=recipe.seed,
            created=now(),
            argv=argv,
            tool=_version(),
            recipe=recipe.digest,
            recipe_name=self.resolved.name,
            overrides=self.resolved.overrides,
            code=code_digest(),
            git=source.git,
            parents=teachers,
            stages={
                name: Stage(status="pending" if name in self.stages else "skipped")
                for name in STAGES
            },
        )
        self.record.write(self.folder)

    def _settle(self, shared: Work) -> None:
        """Measure what the recipe leaves to this machine, before it is trained by."""
        if self._stage("train").status not in ("done", "skipped"):
            shared.parents = self.record.parents
            self.resolved = automatic.settle(shared, self.resolved)
            shared.recipe = self.resolved.recipe

    def _run_stage(self, name: str, shared: Work) -> None:
        """Run one stage, note its time, keep its findings."""
        before = self._stage(name)
        self._set_stage(name, dataclasses.replace(before, status="running", started=now()))
        shared.on_message(f"{self.run.id}: {name}")
        shared.parents = self.record.parents
        began = time.monotonic()
        status = "failed"
        try:
            _check_stop(shared, name)
            found = TABLE[name](shared)
            self._keep(name, found)
            status = "done"
        except (InterruptedRunError, KeyboardInterrupt):
            status = "interrupted"
            raise
        finally:
            seconds = before.seconds + time.monotonic() - began
            stage = dataclasses.replace(
                self._stage(name), status=status, ended=now(), seconds=round(seconds, 3)
            )
            with contextlib.suppress(ThesisError) if status != "done" else contextlib.nullcontext():
                self._set_stage(name, stage)

    def _keep(self, name: str, found: Findings) -> None:
        """Write what a stage found; a repetition of the stage replaces it."""
        recording.keep_findings(self.folder, name, found.metrics, found.details)
        known = self.record.parents
        parents = (*known, *(one for one in found.parents if one not in known))
        warnings = dict.fromkeys([*self.record.warnings, *found.warnings])
        self._update(parents=parents, warnings=tuple(warnings))

    def _conclude(self) -> None:
        """Draw the plots and drop what only a resume would need."""
        recording.clear_work(self.folder)
        if epochs := self.run.events("epoch"):
            recording.write_table(self.folder, epochs)
        from experiments.plots import draw_record  # noqa: PLC0415 - matplotlib, at the end

        for name, png in draw_record(Run(self.folder), self.workspace.language).items():
            write_atomic(self.folder / "plots" / f"{name}.png", png)

    def _close(self, outcome: str, error: str) -> None:
        """End the attempt in the record; a full disk must not hide why the run failed."""
        *earlier, last = self.record.attempts
        ended = dataclasses.replace(last, ended=now(), outcome=outcome, error=error)
        done = outcome == "finished"
        with contextlib.suppress(ThesisError) if not done else contextlib.nullcontext():
            self._update(
                status=outcome,
                attempts=(*earlier, ended),
                finished=now() if done else "",
            )
        if not done:
            with contextlib.suppress(OSError):
                liveness.rest(self.folder)

    def _stage(self, name: str) -> Stage:
        return self.record.stages.get(name, Stage())

    def _set_stage(self, name: str, stage: Stage) -> None:
        self._update(stages={**self.record.stages, name: stage})

    def _update(self, **changes: Any) -> None:
        self.record = dataclasses.replace(self.record, **changes)
        self.record.write(self.folder)


def _check_stop(shared: Work, stage: str) -> None:
    if shared.should_stop():
        raise InterruptedRunError(f"stopped before {stage}", "go on with --resume")


def _check_unsealed(run: Run) -> None:
    """Refuse to go on with a run that another process has just finished."""
    if run.sealed:
        raise LockedError(
            f"{run.id} has just been finished by another process",
            f"thesis runs show {run.id}, or start another version with --new",
        )


def _chosen_stages(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in STAGES:
            raise UsageError(unknown("stage", name, STAGES))
    return tuple(name for name in STAGES if name in names)


def _resumable(
    store: Store,
    resolved: ResolvedRecipe,
    stages: Sequence[str],
    mode: str,
    on_message: Callable[[str], None],
) -> Path | None:
    """Return the folder to go on in; None to start a new version."""
    if mode not in MODES:
        raise UsageError(unknown("mode", mode, MODES))
    if mode == "new":
        return None
    name = resolved.recipe.name
    unfinished = [run for run in store.runs(name) if run.status in ("interrupted", "failed")]
    running = [run for run in store.runs(name) if run.status == "running"]
    last = unfinished[-1] if unfinished else None
    if mode == "resume" and running and (last is None or running[-1].version > last.version):
        raise LockedError(f"{running[-1].id} is being worked on by another process")
    if last is None:
        if mode == "resume":
            raise NotFoundError(f"{name!r} has no unfinished run to resume", f"thesis run {name}")
        return None
    recorded = _recorded(last.folder)
    resolved = automatic.as_begun(resolved, recorded)
    if mode == "auto":
        kept = {one for one, stage in last.record.stages.items() if stage.status != "skipped"}
        same = recorded.recipe.digest == resolved.recipe.digest and kept == set(stages)
        if not same:
            on_message(f"{last.id} is {last.status} and of another recipe: a new version starts")
            return None
        on_message(f"{last.id} is {last.status}: going on with it (--new starts another version)")
        return last.folder
    _check_overrides(recorded, resolved)
    if recorded.recipe.digest != resolved.recipe.digest:
        on_message(f"the recipe changed since: {last.id} goes on with the one it began with")
    return last.folder


def _check_overrides(recorded: ResolvedRecipe, resolved: ResolvedRecipe) -> None:
    """Refuse a resume that asks for other values than the run began with."""
    changed = differences(recorded.recipe, resolved.recipe)
    for key, (before, asked) in changed.items():
        if resolved.origins.get(key) == "--set":
            raise UsageError(
                f"{key} is {before!r} in the interrupted run, not {asked!r}",
                "resume without --set, or start a new version with --new",
            )


def _recorded(folder: Path) -> ResolvedRecipe:
    text = (folder / RECIPE).read_text(encoding="utf-8")
    return ResolvedRecipe.from_yaml(text, f"{folder.parent.name}/{folder.name}/{RECIPE}")


@contextlib.contextmanager
def _lock(workspace: Workspace, folder: Path) -> Iterator[None]:
    """Hold the run for this process alone."""
    path = workspace.state / "locks" / f"{folder.parent.name}-{folder.name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise LockedError(
            f"{folder.parent.name}@{int(folder.name)} is being worked on by another process",
            "wait for it, or start another version with --new",
        ) from error
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def _heart(folder: Path) -> Iterator[None]:
    """Beat in FOLDER while the block runs."""
    stop = threading.Event()

    def pulse() -> None:
        while not stop.wait(BEAT_SECONDS):
            with contextlib.suppress(ThesisError, OSError):
                liveness.beat(folder)

    thread = threading.Thread(target=pulse, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _version() -> str:
    try:
        return metadata.version("thesis")
    except metadata.PackageNotFoundError:
        return ""
