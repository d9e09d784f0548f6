"""Stages that fail after others are done: the results of those are kept and can be sealed."""

from __future__ import annotations

import contextlib
import dataclasses
import traceback
from typing import TYPE_CHECKING

from experiments.names import STAGES
from experiments.records.record import Record
from featherface.errors import (
    HeldError,
    InterruptedRunError,
    LockedError,
    ThesisError,
    UnavailableError,
    UsageError,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    LogMessage = Callable[[str], None]

SKIPPABLE = STAGES[1:]
"""Stages that a run can be sealed without: they only read the trained weights."""


class LateStageError(UnavailableError):
    """Stages failed after others were done; the run goes on from there, or is sealed without."""

    def __init__(self, message: str, command: str, stages: tuple[str, ...], advice: str) -> None:
        super().__init__(message)
        self.stages = stages
        """Those that failed."""
        self.advice = advice
        """What may help against the first stage's error; empty where nothing is known."""
        self.hint = self.next_steps(command)

    def next_steps(self, command: str) -> str:
        """Return what to type next, where COMMAND resumes the run."""
        names = " and ".join(self.stages)
        skips = " ".join(f"--skip {stage}" for stage in self.stages)
        steps = (
            f"{command} repeats {names} and nothing that is done",
            f"{command} {skips} seals the run without",
            self.advice,
        )
        return "; ".join(step for step in steps if step)


class FailedStages:
    """Errors of one attempt at a run whose raising waits until the other stages have run."""

    def __init__(self, run: str, log: LogMessage) -> None:
        self.run = run
        self.errors: dict[str, Exception] = {}
        self._log = log

    @contextlib.contextmanager
    def deferring(self, stage: str, record: Callable[[], Record]) -> Iterator[None]:
        """Defer an error of STAGE, if RECORD has done stages whose results it must not cost."""
        try:
            yield
        except (HeldError, InterruptedRunError, LockedError):
            raise  # nothing is wrong with the stage: it works once the other program lets go
        except Exception as error:
            if not _done_stages(record()):
                raise
            self.errors[stage] = error
            if not isinstance(error, ThesisError):
                self._log(traceback.format_exc())

    def raise_deferred(self, record: Record, command: str) -> None:
        """Raise the deferred errors as one, if there are any.

        Raises:
            LateStageError: it says what is kept, and that COMMAND goes on from there.
        """
        if not self.errors:
            return
        failures = "; ".join(
            f"{stage} failed: {error_summary(error)}" for stage, error in self.errors.items()
        )
        first = next(iter(self.errors.values()))
        *others, last = _done_stages(record)
        kept_stages = f"{', '.join(others)} and {last}" if others else last
        raise LateStageError(
            f"{self.run}: {failures}. What {kept_stages} gave is kept",
            command,
            tuple(self.errors),
            (first.hint or "") if isinstance(first, ThesisError) else "",
        ) from first


@contextlib.contextmanager
def warn_on_failure(subject: str, warn: LogMessage, log: LogMessage) -> Iterator[None]:
    """Pass an error in making SUBJECT, on which no number rests, to WARN; raise known errors."""
    try:
        yield
    except ThesisError:
        raise
    except Exception as error:  # noqa: BLE001 - drawing may fail in any way, after days of training
        log(traceback.format_exc())
        warn(f"{subject} could not be made: {error_summary(error)}")


def check_skips(stages: Sequence[str], skip: Sequence[str]) -> None:
    """Check that SKIP names stages that can be skipped, and not all of STAGES.

    Raises:
        UsageError: one of SKIP can't be skipped, or no stage is left.
    """
    if set(stages) <= set(skip):
        raise UsageError(
            f"no stage is left of {', '.join(stages)}", "leave --skip away, or name a --stage"
        )
    for name in skip:
        if name not in SKIPPABLE:
            raise UsageError(f"--skip: {unknown('stage that can be left out', name, SKIPPABLE)}")


def skip_stages(folder: Path, skip: Sequence[str]) -> None:
    """Mark stages of an unfinished run as skipped in its record, with a warning that says why.

    Raises:
        UsageError: one of SKIP is done, or the training before it is not.
    """
    record = Record.read(folder)
    stages, warnings = dict(record.stages), list(record.warnings)
    for name in skip:
        status = stages[name].status
        if status == "done":
            raise UsageError(
                f"{name} of {record.experiment}@{record.version} is done: nothing to skip",
                "leave --skip away",
            )
        if status != "skipped":
            error = stages[name].error if status == "failed" else ""
            reason = f", it failed: {error}" if error else ""
            warnings.append(f"{name} was left out{reason}")
            stages[name] = dataclasses.replace(stages[name], status="skipped")
    if skip:
        distinct = tuple(dict.fromkeys(warnings))
        dataclasses.replace(record, stages=stages, warnings=distinct).write(folder)


def is_requested(record: Record, stages: Sequence[str], skip: Sequence[str]) -> bool:
    """Whether STAGES without SKIP are all of the unfinished run's stages, or those it has left.

    So `--stage export` repeats an export that failed, and trains no new version.
    """
    not_skipped = {name for name, stage in record.stages.items() if stage.status != "skipped"}
    not_done = {name for name in not_skipped if record.stages[name].status != "done"}
    all_but_skip = not_skipped - {name for name in skip if name in not_done}
    return set(stages) in (
        all_but_skip,
        not_done - set(skip) if not_skipped != not_done else all_but_skip,
    )


def _done_stages(record: Record) -> list[str]:
    return [
        name for name in STAGES if name in record.stages and record.stages[name].status == "done"
    ]


def error_summary(error: Exception) -> str:
    """Return the message of ERROR in one line."""
    if isinstance(error, ThesisError):
        return error.message
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else 'no message'}"
