"""Stages that fail after the first: what the others measured is kept and can be sealed."""

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

    Tell = Callable[[str], None]

SKIPPABLE = STAGES[1:]
"""Stages that a run can be sealed without: they only read what training left."""


class LateStageError(UnavailableError):
    """Stages failed after others were done; the run goes on from there, or is sealed without."""

    def __init__(self, message: str, command: str, stages: tuple[str, ...], advice: str) -> None:
        super().__init__(message)
        self.stages = stages
        """Those that failed."""
        self.advice = advice
        """What may help against the first one's fault; empty where nobody knows."""
        self.hint = self.next_steps(command)

    def next_steps(self, command: str) -> str:
        """Say what to type, where COMMAND goes on with the run."""
        names = " and ".join(self.stages)
        skips = " ".join(f"--skip {one}" for one in self.stages)
        steps = (
            f"{command} repeats {names} and nothing that is done",
            f"{command} {skips} seals the run without",
            self.advice,
        )
        return "; ".join(one for one in steps if one)


class Late:
    """What failed in one attempt at a run, after something was done."""

    def __init__(self, run: str, log: Tell) -> None:
        self.run = run
        self.faults: dict[str, Exception] = {}
        self._log = log

    @contextlib.contextmanager
    def surviving(self, stage: str, record: Callable[[], Record]) -> Iterator[None]:
        """Keep the fault of STAGE for later, if RECORD has something that it must not cost."""
        try:
            yield
        except (HeldError, InterruptedRunError, LockedError):
            raise  # nothing is wrong with the stage: it goes on once the other lets go
        except Exception as fault:
            if not _done(record()):
                raise
            self.faults[stage] = fault
            if not isinstance(fault, ThesisError):
                self._log(traceback.format_exc())

    def tell(self, record: Record, command: str) -> None:
        """Raise what failed, if anything did.

        Raises:
            LateStageError: with what is kept, and how COMMAND goes on from it.
        """
        if not self.faults:
            return
        told = "; ".join(f"{stage} failed: {words(one)}" for stage, one in self.faults.items())
        first = next(iter(self.faults.values()))
        *others, last = _done(record)
        kept = f"{', '.join(others)} and {last}" if others else last
        raise LateStageError(
            f"{self.run}: {told}. What {kept} gave is kept",
            command,
            tuple(self.faults),
            (first.hint or "") if isinstance(first, ThesisError) else "",
        ) from first


@contextlib.contextmanager
def without_fail(what: str, tell: Tell, log: Tell) -> Iterator[None]:
    """Go on where WHAT, on which no number rests, can't be made; a full disk is told as ever."""
    try:
        yield
    except ThesisError:
        raise
    except Exception as fault:  # noqa: BLE001 - drawing may fail in any way, after days of training
        log(traceback.format_exc())
        tell(f"{what} could not be made: {words(fault)}")


def check_skips(stages: Sequence[str], skip: Sequence[str]) -> None:
    """Refuse to leave out what is no stage, what the others need, or all of STAGES.

    Raises:
        UsageError: one of SKIP can't be left out, or nothing is left.
    """
    if set(stages) <= set(skip):
        raise UsageError(
            f"no stage is left of {', '.join(stages)}", "leave --skip away, or name a --stage"
        )
    for name in skip:
        if name not in SKIPPABLE:
            raise UsageError(f"--skip: {unknown('stage that can be left out', name, SKIPPABLE)}")


def leave_out(folder: Path, skip: Sequence[str]) -> None:
    """Note in the record of an unfinished run that stages are given up; it tells why they failed.

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
        told = tuple(dict.fromkeys(warnings))
        dataclasses.replace(record, stages=stages, warnings=told).write(folder)


def is_asked(record: Record, stages: Sequence[str], skip: Sequence[str]) -> bool:
    """Whether STAGES, without SKIP, mean the unfinished run of RECORD: all of its, or what is left.

    `--stage export` then repeats the export that failed, and trains no new version.
    """
    kept = {name for name, one in record.stages.items() if one.status != "skipped"}
    left = {name for name in kept if record.stages[name].status != "done"}
    whole = kept - {name for name in skip if name in left}
    return set(stages) in (whole, left - set(skip) if kept != left else whole)


def _done(record: Record) -> list[str]:
    return [
        name for name in STAGES if name in record.stages and record.stages[name].status == "done"
    ]


def words(fault: Exception) -> str:
    """Say in one line what went wrong."""
    if isinstance(fault, ThesisError):
        return fault.message
    lines = str(fault).strip().splitlines()
    return f"{type(fault).__name__}: {lines[0][:200] if lines else 'no message'}"
