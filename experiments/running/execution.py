"""Executing the stages of a run in order; its record is up to date at every step."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import socket
import time
import traceback
from importlib import metadata
from typing import TYPE_CHECKING, Any

from experiments import redaction
from experiments.names import STAGES
from experiments.records import heartbeat, provenance, writer
from experiments.records.record import Attempt, Record, Stage, now
from experiments.records.run import RECIPE, Run
from experiments.records.seal import sha256
from experiments.records.source_patch import code_state
from experiments.running import autotune, late_stages, trackers
from experiments.running.stage_context import StageContext, StageResult, check_made
from experiments.running.stages import TABLE
from experiments.staleness.probe_cache import source_now
from experiments.staleness.probes import write_probes
from experiments.staleness.source_digest import code_digest, write_code
from featherface.errors import HeldError, InterruptedRunError, ThesisError
from featherface.filesystem.atomic import remove_tree, write_atomic
from featherface.filesystem.retry import MOMENT, spared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from experiments.recipe.model import ResolvedRecipe
    from experiments.records.record import Parent
    from experiments.workspace.workspace import Workspace
    from featherface.progress import OnProgress, ShouldStop


class Execution:
    """One attempt at a run: its stages, and the record of how they went."""

    def __init__(
        self, run: Run, workspace: Workspace, resolved: ResolvedRecipe, stages: Sequence[str]
    ) -> None:
        self.run = run
        self.folder = run.folder
        self.workspace = workspace
        self.resolved = resolved
        self.stages = tuple(stages)
        self.record = Record(experiment=run.experiment, version=run.version)
        self.log = writer.Log(self.folder)

    def begin_attempt(self, argv: Sequence[str]) -> None:
        """Write this attempt into the record, before any stage."""
        source_now()  # the sources as they are now: a student may edit them during days of training
        self.record = Record.read(self.folder)
        self.stages = tuple(name for name in STAGES if self._stage(name).status != "skipped")
        attempt = Attempt(
            started=now(),
            host=socket.gethostname(),
            pid=os.getpid(),
            argv=redaction.clean_argv(argv),
        )
        attempts = (*self.record.attempts, attempt)
        with spared("until it is let go, other computers may take the run for interrupted"):
            heartbeat.beat(self.folder)
        warnings = self.record.warnings
        if self.record.code != code_digest():
            text = f"attempt {len(attempts)} ran other code than the run began with"
            warnings = tuple(dict.fromkeys([*warnings, text]))
        self._update(
            status="running",
            attempts=attempts,
            hardware=provenance.hardware(self.resolved.recipe.train.device),
            warnings=warnings,
        )

    def create_record(self, argv: Sequence[str], teachers: tuple[Parent, ...]) -> None:
        """Write recipe, environment, patch and record of a new run; an error removes its folder."""
        try:
            self._write_record(redaction.clean_argv(argv), teachers)
        except BaseException:
            with contextlib.suppress(HeldError, OSError):
                remove_tree(self.folder, seconds=MOMENT)
            raise

    def run_stages(
        self,
        on_progress: OnProgress,
        should_stop: ShouldStop,
        on_message: Callable[[str], None],
        on_epoch: Callable[[int], None],
    ) -> None:
        """Run the stages that are not done; the record says how the attempt ended, in any case."""

        def log_message(text: str) -> None:
            self._log(text)
            on_message(text)

        tracker = trackers.TolerantTracker(
            trackers.start(self.workspace, self.run.id, self.resolved), log_message
        )

        def log_event(event: dict[str, Any]) -> None:
            writer.append_event(self.folder, event)
            tracker.log(event)
            if event.get("kind") == "epoch":
                self._write_epoch_table()
                on_epoch(int(event["epoch"]))

        outcome, error_text = "failed", ""
        try:
            context = StageContext(
                workspace=self.workspace,
                recipe=self.resolved.recipe,
                folder=self.folder,
                run=self.run.id,
                resume=len(self.record.attempts) > 1,
                on_progress=on_progress,
                should_stop=should_stop,
                on_message=log_message,
                on_event=log_event,
                made=_files_made(self.record),
            )
            self._measure_auto_values(context)
            failed = late_stages.FailedStages(self.run.id, self._log)
            for name in self.stages:
                if self._stage(name).status != "done":
                    with failed.deferring(name, lambda: self.record):
                        self._run_stage(name, context)
            failed.raise_deferred(self.record, f"thesis run {self.resolved.name} --resume")
            self._check_files(context.made)
            self._complete_files(log_message)
            outcome = "finished"
        except (InterruptedRunError, KeyboardInterrupt) as interruption:
            outcome, error_text = "interrupted", str(interruption)
            raise
        except ThesisError as exception:
            error_text = exception.message
            raise
        except BaseException as exception:
            error_text = f"{type(exception).__name__}: {exception}"
            with contextlib.suppress(ThesisError):
                self._log(traceback.format_exc())
            raise
        finally:
            tracker.finish(outcome)
            self._end_attempt(outcome, redaction.clean_text(error_text))

    def _write_record(self, argv: tuple[str, ...], teachers: tuple[Parent, ...]) -> None:
        recipe = self.resolved.recipe
        source = code_state(self.workspace, recipe)
        write_atomic(self.folder / RECIPE, self.resolved.to_yaml())
        write_atomic(
            self.folder / "environment.txt", redaction.clean_text(provenance.environment())
        )
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
            uid=secrets.token_hex(8),
            created=now(),
            argv=argv,
            tool=_tool_version(),
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

    def _measure_auto_values(self, context: StageContext) -> None:
        """Measure the values of the recipe that are `auto`, before a training."""
        if self._stage("train").status not in ("done", "skipped"):
            context.parents = self.record.parents
            self.resolved = autotune.settle(context, self.resolved)
            context.recipe = self.resolved.recipe

    def _run_stage(self, name: str, context: StageContext) -> None:
        """Run one stage; write its duration, status and result into the record."""
        earlier = self._stage(name)
        self._set_stage(name, dataclasses.replace(earlier, status="running", started=now()))
        context.on_message(f"{self.run.id}: {name}")
        context.parents = self.record.parents
        context.inputs, context.outputs = {}, {}
        start = time.monotonic()
        status, error_text = "failed", ""
        try:
            _check_stop(context, name)
            result = TABLE[name](context)
            self._write_result(name, result)
            self._write_probes(name, context)
            status = "done"
        except (InterruptedRunError, KeyboardInterrupt):
            status = "interrupted"
            raise
        except Exception as exception:
            error_text = redaction.clean_text(late_stages.error_summary(exception))
            raise
        finally:
            seconds = earlier.seconds + time.monotonic() - start
            stage = dataclasses.replace(
                self._stage(name),
                status=status,
                ended=now(),
                seconds=round(seconds, 3),
                error=error_text,
                inputs=context.inputs,
                outputs=context.outputs,
            )
            with contextlib.suppress(ThesisError) if status != "done" else contextlib.nullcontext():
                self._set_stage(name, stage)

    def _write_result(self, name: str, result: StageResult) -> None:
        """Write a stage's result; that of an earlier attempt at it is replaced."""
        writer.keep_findings(self.folder, name, result.metrics, result.details)
        parents_before = self.record.parents
        parents = (
            *parents_before,
            *(parent for parent in result.parents if parent not in parents_before),
        )
        warnings = dict.fromkeys([*self.record.warnings, *result.warnings])
        self._update_when_free(parents=parents, warnings=tuple(warnings))

    def _write_probes(self, name: str, context: StageContext) -> None:
        """Write the probes by which a later check sees whether the code still computes the same."""
        consequence = "whether later code computes the same can't be told"
        with (
            late_stages.warn_on_failure("probes", self._add_warning, self._log),
            self._tolerating_held_file(consequence, context.on_message),
        ):
            write_probes(self.folder, name, context.recipe)

    def _write_epoch_table(self) -> None:
        """Write the table of the epochs so far; training goes on where that fails."""
        with contextlib.suppress(ThesisError), spared("the table is written later"):
            writer.write_table(self.folder, self.run.events("epoch"), seconds=MOMENT)

    def _complete_files(self, log_message: Callable[[str], None]) -> None:
        """Draw the plots, complete table and log, and remove what only a resume needs."""
        with self._tolerating_held_file("it is sealed with the record", log_message):
            writer.clear_work(self.folder)
        if epochs := self.run.events("epoch"):
            with self._tolerating_held_file(
                "it is of an earlier epoch; metrics.jsonl has them all", log_message
            ):
                writer.write_table(self.folder, epochs)
        with self._tolerating_held_file("its last lines are missing", log_message):
            self.log.flush()
        from experiments.plotting.run_plots import draw_record  # noqa: PLC0415 - matplotlib, at the end

        with late_stages.warn_on_failure("plots", self._add_warning, self._log):
            for name, png in draw_record(Run(self.folder), self.workspace.language).items():
                write_atomic(self.folder / "plots" / f"{name}.png", png)

    def _check_files(self, made: Mapping[str, str]) -> None:
        """Refuse to seal files that are not as the stages made them.

        Raises:
            DataError: one was changed, or is gone.
        """
        for name in made:
            path = self.folder / name
            digest = sha256(path) if path.is_file() else "nothing"
            check_made(self.run.id, made, name, digest)

    def _add_warning(self, text: str) -> None:
        self._update(warnings=tuple(dict.fromkeys([*self.record.warnings, text])))

    @contextlib.contextmanager
    def _tolerating_held_file(
        self, consequence: str, log_message: Callable[[str], None]
    ) -> Iterator[None]:
        """Go on where another program holds a file that no number rests on; the record says so."""
        try:
            yield
        except HeldError as error:
            name = error.path.name if error.path else ""
            text = f"{name} was in use by {error.who}: {consequence}"
            if text not in self.record.warnings:  # a later stage has nothing new to say of it
                log_message(text)
            self._update_when_free(warnings=tuple(dict.fromkeys([*self.record.warnings, text])))

    def _end_attempt(self, outcome: str, error_text: str) -> None:
        """End the attempt in the record; an error in writing must not hide why the run failed."""
        *earlier, attempt = self.record.attempts
        ended = dataclasses.replace(attempt, ended=now(), outcome=outcome, error=error_text)
        is_finished = outcome == "finished"
        with contextlib.suppress(ThesisError) if not is_finished else contextlib.nullcontext():
            self._update(
                status=outcome,
                attempts=(*earlier, ended),
                finished=now() if is_finished else "",
            )

    def _log(self, text: str) -> None:
        self.log.add(text)

    def _stage(self, name: str) -> Stage:
        return self.record.stages.get(name, Stage())

    def _set_stage(self, name: str, stage: Stage) -> None:
        self._update_when_free(stages={**self.record.stages, name: stage})

    def _update_when_free(self, **changes: Any) -> None:
        """Update the record; where another program holds it, the next update writes this one."""
        with spared("it is written later"):
            self._update(**changes)

    def _update(self, **changes: Any) -> None:
        self.record = dataclasses.replace(self.record, **changes)
        self.record.write(self.folder)


def _files_made(record: Record) -> dict[str, str]:
    """Return file -> SHA-256 of what the stages of RECORD made, the latest of each."""
    made: dict[str, str] = {}
    for name in STAGES:
        made |= record.stages.get(name, Stage()).outputs
    return made


def _check_stop(context: StageContext, stage: str) -> None:
    if context.should_stop():
        raise InterruptedRunError(f"stopped before {stage}", "go on with --resume")


def _tool_version() -> str:
    try:
        return metadata.version("thesis")
    except metadata.PackageNotFoundError:
        return ""
