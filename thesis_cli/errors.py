"""Errors as the user reads them, and the exit codes that scripts rely on."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import click

from featherface import errors
from thesis_cli.calling import called

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from thesis_cli.session import Session

OK, CLAIM_FALSE, USAGE, NOT_FOUND, ENVIRONMENT, LOCKED, TRAINING, REFUSED = range(8)
INTERRUPTED = 130
BROKEN_PIPE = 141
"""128 + SIGPIPE, as a shell counts a program whose reader went away."""

EXIT_CODES: dict[type[BaseException], int] = {
    errors.ClaimFalseError: CLAIM_FALSE,
    errors.UsageError: USAGE,
    errors.NotFoundError: NOT_FOUND,
    errors.UnavailableError: ENVIRONMENT,
    errors.LockedError: LOCKED,
    errors.TrainingError: TRAINING,
    errors.RefusedError: REFUSED,
    errors.InterruptedRunError: INTERRUPTED,
    click.ClickException: USAGE,
    click.Abort: INTERRUPTED,
    KeyboardInterrupt: INTERRUPTED,
    OSError: ENVIRONMENT,
    MemoryError: ENVIRONMENT,
}
"""Subclasses count as the nearest class above them; whatever is not here is a defect."""

SYSTEM_FAULTS = {
    errno.ENOSPC: ("the disk is full", "free some space, then run the command again"),
    errno.EDQUOT: ("your disk quota is used up", "free some space, then run the command again"),
    errno.EROFS: ("the file system is read-only", "choose a folder you may write to"),
    errno.EACCES: ("permission denied", "choose a file or folder you may use"),
    errno.EPERM: ("the system does not permit it", "choose a file or folder you may use"),
    errno.ENOENT: ("no such file or folder", "check the path"),
    errno.ENOTDIR: ("a file is where a folder should be", "check the path"),
    errno.EISDIR: ("a folder is where a file should be", "check the path"),
    errno.EMFILE: ("too many open files", "raise the limit (ulimit -n), then run it again"),
}


@dataclass(frozen=True)
class ErrorReport:
    """What to tell, and how to exit."""

    message: str
    hint: str | None
    code: int


def leave(error: BaseException, session: Session, arguments: Sequence[str]) -> NoReturn:
    """Tell the user about ERROR and exit with its code."""
    if isinstance(error, OSError) and reader_left(error):
        silence_stdout()
        sys.exit(BROKEN_PIPE)
    if session.debug:
        click.echo("".join(traceback.format_exception(error)), err=True)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        sys.exit(USAGE)
    fault = describe(error, arguments)
    click.echo(f"error: {fault.message}" if fault.code != INTERRUPTED else fault.message, err=True)
    if fault.hint:
        click.echo(f"  next: {called(fault.hint)}", err=True)
    sys.exit(fault.code)


def describe(error: BaseException, arguments: Sequence[str] = ()) -> ErrorReport:
    """Word ERROR for the user."""
    code = exit_code(error)
    if isinstance(error, errors.ThesisError):
        return ErrorReport(error.message, error.hint, ENVIRONMENT if code is None else code)
    if isinstance(error, click.ClickException):
        return ErrorReport(error.format_message(), usage_hint(error), USAGE)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return ErrorReport("interrupted", None, INTERRUPTED)
    if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
        return ErrorReport("not enough memory", "lower train.batch_size or image_size", ENVIRONMENT)
    if isinstance(error, OSError) and error.errno in SYSTEM_FAULTS:
        return system_fault(error)
    return defect(error, arguments)


def exit_code(error: BaseException) -> int | None:
    """Give the exit code of the nearest known class of ERROR; None for a defect."""
    codes = (EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
    return next(codes, None)


def usage_hint(error: click.ClickException) -> str | None:
    """Name the help page of the command that was misused."""
    context = getattr(error, "ctx", None)
    return f"{context.command_path} --help" if context else None


def system_fault(error: OSError) -> ErrorReport:
    """Word what the operating system refused, with the path where it is known."""
    what, hint = SYSTEM_FAULTS[error.errno or 0]
    where = f"{error.filename}: " if error.filename else ""
    return ErrorReport(f"{where}{what}", hint, ENVIRONMENT)


def defect(error: BaseException, arguments: Sequence[str]) -> ErrorReport:
    """Word a failure nobody foresaw; its traceback goes to a log file."""
    message = f"something unforeseen happened: {type(error).__name__}: {first_line(error)}"
    log = write_log(error, arguments)
    if log:
        message += f"\n  The details are in {log}"
    return ErrorReport(message, "run the command again with --debug", ENVIRONMENT)


def first_line(error: BaseException) -> str:
    """Give the first line of the error's own words, bounded."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else "no message"


def write_log(error: BaseException, arguments: Sequence[str]) -> Path | None:
    """Keep the traceback in the user's log folder; None where that can't be written."""
    from platformdirs import user_log_path

    moment = datetime.now(UTC)
    text = f"{moment.isoformat()}\nthesis {' '.join(arguments)}\n\n"
    text += "".join(traceback.format_exception(error))
    try:
        folder = user_log_path("thesis", appauthor=False, ensure_exists=True)
        path = folder / f"error-{moment:%Y%m%d-%H%M%S}-{os.getpid()}.log"
        path.write_text(text, encoding="utf-8")
    except OSError:
        return None
    return path


def reader_left(error: OSError) -> bool:
    """Whether nobody reads stdout any more, as after `| head -1`; Windows says EINVAL then."""
    return error.errno == errno.EPIPE or (
        os.name == "nt" and error.errno == errno.EINVAL and error.filename is None
    )


def silence_stdout() -> None:
    """Point stdout nowhere, so that the interpreter's last flush doesn't complain."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
