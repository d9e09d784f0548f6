"""Running an experiment: allocate or resume a run, execute its stages, seal it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from experiments.ledger.events import GIVEN, SEALED
from experiments.names import STAGES
from experiments.recipe.model import ResolvedRecipe, differences
from experiments.records import heartbeat, writer
from experiments.records.run import RECIPE, Run
from experiments.records.store import Store
from experiments.running import autotune, late_stages, preflight, trackers, weights_settings
from experiments.running.execution import Execution
from experiments.running.relocation import relocated
from experiments.workspace.locks import held
from featherface.errors import (
    ClaimFalseError,
    LockedError,
    NotFoundError,
    ThesisError,
    UnavailableError,
    UsageError,
    unknown,
)
from featherface.filesystem.atomic import read_text
from featherface.filesystem.retry import current, patient
from featherface.progress import never, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace
    from featherface.progress import OnProgress, ShouldStop

MODES = ("auto", "resume", "new")
BEAT_SECONDS = 15.0


def run(  # noqa: PLR0913 - two things to run, how, and four listeners that are optional
    workspace: Workspace,
    resolved: ResolvedRecipe,
    *,
    stages: Sequence[str] | None = None,
    skip: Sequence[str] = (),
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
        skip: those to leave out; of an unfinished run, those to seal it without.
        mode: `new` starts a version; `resume` goes on with the latest unfinished one, by the
            recipe it was started with; `auto` goes on where that recipe is still the same.
        argv: the command line, for the record; secrets are removed.
        on_progress: called at every step.
        should_stop: called often; once it returns true the run is left resumable.
        on_message: called with sentences for the user.
        on_epoch: called with the epochs completed, once an epoch's event is on the disk; what it
            raises ends the run.

    Raises:
        ClaimFalseError: the run to resume was finished once, and its seal is gone.
        NotFoundError: nothing to resume, or no teacher or weights to be found.
        LockedError: another process works on the same run.
        InterruptedRunError: `should_stop` said so.
        HeldError: another program holds a file that the run needs; all that was written is kept,
            and `resume` goes on from there.
        LateStageError: a stage failed after others were done; their results are kept.
        ThesisError: a stage failed; the record says why.
    """
    resolved = resolved.without_secrets()  # before anything of it is compared or kept
    late_stages.check_skips(stages or resolved.recipe.stages, skip)
    chosen_stages = _ordered_stages(stages or resolved.recipe.stages, skip)
    store = Store(workspace)
    resolved = weights_settings.with_run_settings(store, resolved, chosen_stages, on_message)
    folder = _resumable(store, resolved, (chosen_stages, skip), mode, on_message)
    teachers = () if folder else preflight.check(store, resolved.recipe, chosen_stages)
    trackers.check(workspace)
    is_new = folder is None
    folder = folder or store.allocate(resolved.recipe.name)
    resume_command = current().command or f"thesis run {resolved.recipe.name} --resume"
    patience = patient(say=on_message, should_stop=should_stop, command=resume_command)
    with _lock(workspace, folder), patience:
        if not is_new:
            _check_unsealed(Run(folder))
            late_stages.skip_stages(folder, skip)
            recorded = relocated(_recorded_recipe(folder), resolved, workspace, folder)
            resolved = autotune.with_requested_workers(recorded, resolved)
        execution = Execution(Run(folder), workspace, resolved, chosen_stages)
        if is_new:
            execution.create_record(argv, teachers)
            _note(store, GIVEN, execution.run.id, on_message, uid=execution.record.uid)
        try:
            execution.begin_attempt(argv)
            with _heartbeat(folder):
                execution.run_stages(on_progress, should_stop, on_message, on_epoch)
            made = writer.finish(folder, execution.record)
            _note(store, SEALED, execution.run.id, on_message, seal=made.digest)
        finally:
            heartbeat.rest(folder)  # last: a run that is being sealed is not an interrupted one
    return Run(folder)


def _note(
    store: Store, kind: str, run: str, on_message: Callable[[str], None], **others: str
) -> None:
    """Tell the ledger; where that fails the next command that writes makes it good."""
    try:
        store.ledger.note(kind, run, **others)
    except (LockedError, UnavailableError) as error:
        on_message(f"the ledger does not know of it yet: {error.message}")


def _check_unsealed(run: Run) -> None:
    """Refuse to go on with a run that another process has just finished."""
    if run.sealed:
        raise LockedError(
            f"{run.id} has just been finished by another process",
            f"thesis runs show {run.id}, or start another version with --new",
        )


def _ordered_stages(names: Sequence[str], skip: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in STAGES:
            raise UsageError(unknown("stage", name, STAGES))
    return tuple(name for name in STAGES if name in names and name not in skip)


def _resumable(
    store: Store,
    resolved: ResolvedRecipe,
    stages: tuple[Sequence[str], Sequence[str]],
    mode: str,
    on_message: Callable[[str], None],
) -> Path | None:
    """Return the folder of the run to resume; None to start a new version.

    STAGES are those asked for, and those to leave out.
    """
    if mode not in MODES:
        raise UsageError(unknown("mode", mode, MODES))
    if mode == "new":
        return None
    runs = store.runs(resolved.recipe.name)
    unfinished = [run for run in runs if run.status in ("interrupted", "failed")]
    finished = [run for run in unfinished if store.was_finished(run)]
    if mode == "resume" and unfinished and unfinished[-1] in finished:
        raise ClaimFalseError(*_unsealed(unfinished[-1]))
    for run in finished:
        on_message(_unsealed(run)[0])
    unfinished = [run for run in unfinished if run not in finished]
    if mode == "auto":
        return _latest_of_recipe(unfinished, resolved, stages, on_message)
    running = [run for run in runs if run.status == "running"]
    if running and (not unfinished or running[-1].version > unfinished[-1].version):
        raise LockedError(f"{running[-1].id} is being worked on by another process")
    if not unfinished:
        name = resolved.recipe.name
        if runs:
            message = (
                f"{name!r} has no unfinished run to resume: {runs[-1].id} is {runs[-1].status}"
            )
            raise NotFoundError(message, f"thesis run {name} --new")
        raise NotFoundError(f"{name!r} has no run to resume", f"thesis run {name}")
    latest = unfinished[-1]
    recorded = _recorded_recipe(latest.folder)
    resolved = autotune.with_measured_values(resolved, recorded)
    _check_overrides(recorded, resolved)
    if recorded.recipe.digest != resolved.recipe.digest:
        on_message(f"the recipe changed since: {latest.id} goes on with the one it began with")
    return latest.folder


def _unsealed(run: Run) -> tuple[str, str]:
    """Say that RUN was finished once, and what to do: going on would seal what was changed."""
    return (
        f"{run.id} was finished once, and its seal is gone: what is in it now proves nothing",
        f"thesis runs verify {run.id}; bring SEAL.json back, or: thesis run {run.experiment} --new",
    )


def _latest_of_recipe(
    unfinished: Sequence[Run],
    resolved: ResolvedRecipe,
    stages: tuple[Sequence[str], Sequence[str]],
    on_message: Callable[[str], None],
) -> Path | None:
    """Return the folder of the latest of UNFINISHED with this recipe and these stages.

    STAGES are those asked for, and those to leave out.

    An ablation over seeds may leave several unfinished runs of one name, each with its own recipe.
    """
    for run in reversed(unfinished):
        recorded = _recorded_recipe(run.folder)
        requested = autotune.with_measured_values(resolved, recorded)
        if recorded.recipe.digest == requested.recipe.digest and late_stages.is_requested(
            run.record, *stages
        ):
            on_message(f"{run.id} is {run.status}: going on with it (--new starts another version)")
            return run.folder
    if unfinished:
        latest = unfinished[-1]
        on_message(f"{latest.id} is {latest.status} and of another recipe: a new version starts")
    return None


def _check_overrides(recorded: ResolvedRecipe, requested: ResolvedRecipe) -> None:
    """Refuse a resume that asks for other values than the run began with."""
    changed = differences(recorded.recipe, requested.recipe)
    for key, (recorded_value, requested_value) in changed.items():
        if requested.origins.get(key) == "--set":
            raise UsageError(
                f"{key} is {recorded_value!r} in the interrupted run, not {requested_value!r}",
                "resume without --set, or start a new version with --new",
            )


def _recorded_recipe(folder: Path) -> ResolvedRecipe:
    text = read_text(folder / RECIPE)
    return ResolvedRecipe.from_yaml(text, f"{folder.parent.name}/{folder.name}/{RECIPE}")


@contextlib.contextmanager
def _lock(workspace: Workspace, folder: Path) -> Iterator[None]:
    """Hold the lock of the run in FOLDER."""
    with held(workspace, f"{folder.parent.name}-{folder.name}") as is_free:
        if not is_free:
            raise LockedError(
                f"{folder.parent.name}@{int(folder.name)} is being worked on by another process",
                "wait for it, or start another version with --new",
            )
        yield


@contextlib.contextmanager
def _heartbeat(folder: Path) -> Iterator[None]:
    """Write a heartbeat into FOLDER every BEAT_SECONDS while the block runs."""
    stop = threading.Event()

    def pulse() -> None:
        while not stop.wait(BEAT_SECONDS):
            with contextlib.suppress(ThesisError, OSError):
                heartbeat.beat(folder)

    thread = threading.Thread(target=pulse, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
