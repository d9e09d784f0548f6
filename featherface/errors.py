"""The errors that reach a user, each with what to do next.

Every layer above raises these or subclasses of them; the command line turns each class into
its exit code. Anything else that escapes is a defect.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class ThesisError(Exception):
    """What went wrong in one sentence with the offending value, and the next step."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        """The command to type or the thing to change next; None where there is none."""


class ClaimFalseError(ThesisError):
    """A claim is false, or something is stale or drifted (exit code 1)."""


class UsageError(ThesisError):
    """The user gave a name, key or value that can't be used (exit code 2)."""


class NotFoundError(ThesisError):
    """A run, experiment, file or folder named by the user does not exist (exit code 3)."""


class UnavailableError(ThesisError):
    """The environment or the data is missing or broken (exit code 4)."""


class DataError(UnavailableError):
    """A data file is missing, malformed or damaged; the message names file and line."""


class WeightsError(UnavailableError):
    """A checkpoint can't be read safely, or does not fit the network."""


class HeldError(UnavailableError):
    """Another program held a file or folder for as long as it was waited for (exit code 4)."""

    def __init__(
        self, message: str, hint: str | None = None, *, path: Path | None = None, who: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.path = path
        self.who = who
        """Who holds it, as far as is known."""


class LockedError(ThesisError):
    """Another process holds what is needed (exit code 5)."""


class TrainingError(ThesisError):
    """Training diverged or could not go on (exit code 6)."""


class RefusedError(ThesisError):
    """A vault conflict, or a write that would harm what the student wrote (exit code 7)."""


class InterruptedRunError(ThesisError):
    """The user asked to stop; everything needed to resume is on disk (exit code 130)."""


def unknown(kind: str, name: str, known: Iterable[str], see: str | None = None) -> str:
    r"""Word the message for a NAME that is not one of KNOWN, with the nearest one.

    >>> unknown("variant", "v2ultra", ["v2", "v2-ultra"])
    "no variant 'v2ultra'; did you mean 'v2-ultra'?"
    >>> print(unknown("data root", r"D:\data", []))
    no data root 'D:\data'; choose from none so far
    """
    names = sorted(known)
    told = repr(name).replace("\\\\", "\\")
    nearest = [known for known in names if known.casefold() == name.casefold()]
    nearest = nearest or difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if nearest:
        text = f"no {kind} {told}; did you mean {nearest[0]!r}?"
    else:
        text = f"no {kind} {told}; choose from {', '.join(names) or 'none so far'}"
    return f"{text} See: {see}" if see else text
