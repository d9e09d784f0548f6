"""Executing a run's stages in order, its record true at every step."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import time
import traceback
from importlib import metadata
from typing import TYPE_CHECKING, Any

from experiments.names import STAGES
from experiments.records import heartbeat, provenance, writer
from experiments.records.record import Attempt, Record, Stage, now
from experiments.records.run import RECIPE, Run
from experiments.running import autotune, late_stages, trackers
from experiments.running.stage_context import Findings, Work
from experiments.running.stages import TABLE
from experiments.staleness.probe_cache import source_now
from experiments.staleness.probes import write_probes
from experiments.staleness.source_digest import code_digest, write_code
from featherface.errors import HeldError, InterruptedRunError, ThesisError
from featherface.filesystem.atomic import remove_tree, write_atomic
from featherface.filesystem.retry import MOMENT, spared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from experiments.recipe.model import ResolvedRecipe
    from experiments.records.record import Parent
    from experiments.workspace.workspace import Workspace
    from featherface.progress import OnProgress, ShouldStop


class Execution:
    """One start of a run's process: its stages, and the record of how they went."""

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

    def begin(self, argv: Sequence[str]) -> None:
        """Note this attempt in the record, before any work."""
        source_now()  # as they are now: a student may edit them while days of training go by
        self.record = Record.read(self.folder)
        self.stages = tuple(name for name in STAGES if self._stage(name).status != "skipped")
        attempt = Attempt(
            started=now(),
            host=socket.gethostname(),
            pid=os.getpid(),
            argv=provenance.clean_argv(argv),
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

    def start(self, argv: Sequence[str], teachers: tuple[Parent, ...]) -> None:
        """Write recipe, environment, patch and record of a new run, or leave no folder."""
        try:
            self._start(provenance.clean_argv(argv), teachers)
        except BaseException:
            with contextlib.suppress(HeldError, OSError):
                remove_tree(self.folder, seconds=MOMENT)
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
            self._log(text)
            on_message(text)

        tracker = trackers.Guarded(trackers.start(self.workspace, self.run.id, self.resolved), tell)

        def note(event: dict[str, Any]) -> None:
            writer.append_event(self.folder, event)
            tracker.log(event)
            if event.get("kind") == "epoch":
                self._tabulate()
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
            kept = late_stages.Late(self.run.id, self._log)
            for name in self.stages:
                if self._stage(name).status != "done":
                    with kept.surviving(name, lambda: self.record):
                        self._run_stage(name, shared)
            kept.tell(self.record, f"thesis run {self.resolved.name} --resume")
            self._conclude(tell)
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
                self._log(traceback.format_exc())
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
            self.resolved = autotune.settle(shared, self.resolved)
            shared.recipe = self.resolved.recipe

    def _run_stage(self, name: str, shared: Work) -> None:
        """Run one stage, note its time, keep its findings."""
        before = self._stage(name)
        self._set_stage(name, dataclasses.replace(before, status="running", started=now()))
        shared.on_message(f"{self.run.id}: {name}")
        shared.parents = self.record.parents
        began = time.monotonic()
        status, error = "failed", ""
        try:
            _check_stop(shared, name)
            found = TABLE[name](shared)
            self._keep(name, found)
            self._probe(name, shared)
            status = "done"
        except (InterruptedRunError, KeyboardInterrupt):
            status = "interrupted"
            raise
        except Exception as fault:
            error = provenance.clean_text(late_stages.words(fault))
            raise
        finally:
            seconds = before.seconds + time.monotonic() - began
            stage = dataclasses.replace(
                self._stage(name),
                status=status,
                ended=now(),
                seconds=round(seconds, 3),
                error=error,
            )
            with contextlib.suppress(ThesisError) if status != "done" else contextlib.nullcontext():
                self._set_stage(name, stage)

    def _keep(self, name: str, found: Findings) -> None:
        """Write what a stage found; a repetition of the stage replaces it."""
        writer.keep_findings(self.folder, name, found.metrics, found.details)
        known = self.record.parents
        parents = (*known, *(one for one in found.parents if one not in known))
        warnings = dict.fromkeys([*self.record.warnings, *found.warnings])
        self._note(parents=parents, warnings=tuple(warnings))

    def _probe(self, name: str, shared: Work) -> None:
        """Keep what tells later whether the code still computes the same as in this stage."""
        lost = "whether later code computes the same can't be told"
        with (
            late_stages.without_fail("probes", self._warn, self._log),
            self._warned(lost, shared.on_message),
        ):
            write_probes(self.folder, name, shared.recipe)

    def _tabulate(self) -> None:
        """Write the table of the epochs so far; without it the training is what it is."""
        with contextlib.suppress(ThesisError), spared("the table is written later"):
            writer.write_table(self.folder, self.run.events("epoch"), seconds=MOMENT)

    def _conclude(self, tell: Callable[[str], None]) -> None:
        """Draw the plots, bring table and log up to date, drop what only a resume would need."""
        with self._warned("it is sealed with the record", tell):
            writer.clear_work(self.folder)
        if epochs := self.run.events("epoch"):
            with self._warned("it is of an earlier epoch; metrics.jsonl has them all", tell):
                writer.write_table(self.folder, epochs)
        with self._warned("its last lines are missing", tell):
            self.log.flush()
        from experiments.plotting.run_plots import draw_record  # noqa: PLC0415 - matplotlib, at the end

        with late_stages.without_fail("plots", self._warn, self._log):
            for name, png in draw_record(Run(self.folder), self.workspace.language).items():
                write_atomic(self.folder / "plots" / f"{name}.png", png)

    def _warn(self, text: str) -> None:
        self._update(warnings=tuple(dict.fromkeys([*self.record.warnings, text])))

    @contextlib.contextmanager
    def _warned(self, consequence: str, tell: Callable[[str], None]) -> Iterator[None]:
        """Go on without what no number rests on and is held for too long; the record says so."""
        try:
            yield
        except HeldError as error:
            name = error.path.name if error.path else ""
            text = f"{name} was in use by {error.who}: {consequence}"
            if text not in self.record.warnings:  # a later stage has nothing new to say of it
                tell(text)
            self._note(warnings=tuple(dict.fromkeys([*self.record.warnings, text])))

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

    def _log(self, text: str) -> None:
        self.log.add(provenance.clean_text(text))

    def _stage(self, name: str) -> Stage:
        return self.record.stages.get(name, Stage())

    def _set_stage(self, name: str, stage: Stage) -> None:
        self._note(stages={**self.record.stages, name: stage})

    def _note(self, **changes: Any) -> None:
        """Update the record; where it is held, the next update writes these changes too."""
        with spared("it is written later"):
            self._update(**changes)

    def _update(self, **changes: Any) -> None:
        self.record = dataclasses.replace(self.record, **changes)
        self.record.write(self.folder)


def _check_stop(shared: Work, stage: str) -> None:
    if shared.should_stop():
        raise InterruptedRunError(f"stopped before {stage}", "go on with --resume")


def _version() -> str:
    try:
        return metadata.version("thesis")
    except metadata.PackageNotFoundError:
        return ""
