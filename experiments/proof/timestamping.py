"""Timestamps over seals: asked of an authority, kept beside the record, and examined again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.ledger.events import STAMPED
from experiments.proof.outcome import FAILED, HELD, NOT_DONE
from experiments.records.line_ends import CRLF, LF
from experiments.records.seal import SEAL, describe_problems, remedy
from experiments.redaction import clean_url
from experiments.timestamps import tokens
from experiments.timestamps.authority import ask_authority
from experiments.timestamps.roots import HINT, trusted_roots
from experiments.timestamps.token_files import (
    keep_token,
    token_digest,
    token_file,
    token_files,
)
from featherface.errors import (
    ClaimFalseError,
    DataError,
    ThesisError,
    UnavailableError,
)
from featherface.filesystem.atomic import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from experiments.ledger.events import LedgerEvent
    from experiments.records.run import Run
    from experiments.records.store import Store
    from experiments.timestamps.roots import TrustedRoots

REVOCATION = "whether its certificate was revoked is not looked up"


@dataclass(frozen=True)
class SealTimestamp:
    """A timestamp beside a record, and what became of its examination."""

    file: str
    """Its name, in the folder of the experiment."""
    outcome: str
    """One of `experiments.proof.outcome.OUTCOMES`."""
    detail: str
    """What holds and what wasn't looked at, what is wrong, or what was lacking."""
    time: str | None = None
    """ISO 8601 in UTC, by the authority's clock; None where it can't be read."""
    authority: str | None = None
    """Whom the signing certificate names: nobody vouches for it unless `outcome` is held."""
    asked: str | None = None
    """Address that was asked, as the ledger remembers; None where it remembers nothing."""


def check_stampable(run: Run, store: Store) -> None:
    """Check that RUN's record is evidence: a timestamp over another one would be worth nothing.

    Raises:
        DataError: it is not sealed, or not as it was sealed.
    """
    if not run.sealed:
        raise DataError(
            f"{run.id} is not sealed, so there is nothing to put a time on",
            f"thesis run {run.experiment} --resume",
        )
    if problems := store.verify(run):
        raise DataError(
            f"{run.id} is not what was sealed: {describe_problems(problems)}",
            remedy(problems, run.id),
        )


def stamp(run: Run, store: Store, url: str, roots: TrustedRoots) -> SealTimestamp:
    """Have the authority at URL put its time on RUN's seal, and keep its answer beside the record.

    What doesn't hold is not kept: the answer is over this seal, answers this request, and is
    signed by whom ROOTS vouch for.

    Raises:
        UnavailableError: the authority can't be asked, or its answer doesn't hold.
        LockedError: another process holds the ledger.
    """
    message = sealed_bytes(run.folder)
    request = tokens.make_request(message)
    content = ask_authority(url, request.as_bytes())
    try:
        token = tokens.read_token(content)
        tokens.check_message(token, message)
        tokens.check_nonce(token, request)
        tokens.check_signature(token, message, roots)
    except (ClaimFalseError, DataError) as error:
        hint = HINT if isinstance(error, tokens.UntrustedError) else "ask another authority"
        raise UnavailableError(
            f"{run.id}: the answer of {clean_url(url)} was not kept: {error.message}", hint
        ) from error
    path = keep_token(run.folder, content)
    digest = token_digest(content)
    store.ledger.note(STAMPED, run.id, run.seal, source=clean_url(url), token=digest)
    return _held(path, token, roots, clean_url(url))


def examine_timestamps(run: Run, store: Store, roots: Path | None) -> list[SealTimestamp]:
    """Return what the timestamps beside RUN's record are worth for its seal as it is now.

    ROOTS is a file of certificates; without it, those of the system vouch.

    Raises:
        NotFoundError: there is no such file.
        DataError: it holds no certificate.
    """
    remembered = {
        token_file(run.folder, event.token): event
        for event in store.ledger.memory.timestamps.get(run.id, [])
    }
    present = token_files(run.folder)
    gone = [path for path in remembered if path not in present]
    if not present and not gone:
        return []
    outcomes = [
        SealTimestamp(
            path.name,
            NOT_DONE,
            f"noted {remembered[path].time}, and its file is gone: bring it back from a backup",
            asked=remembered[path].source,
        )
        for path in gone
    ]
    if not present:
        return outcomes
    try:
        tokens.check_library()
    except UnavailableError as error:
        detail = f"{error.message}: {error.hint}"
        return [*outcomes, *(SealTimestamp(path.name, NOT_DONE, detail) for path in present)]
    trusted = trusted_roots(roots)
    outcomes += [_examine(run, path, remembered.get(path), trusted) for path in present]
    return outcomes


def sealed_bytes(folder: Path) -> bytes:
    """Return what a timestamp of the record in FOLDER is over: SEAL.json as it was written.

    Git may have converted its line ends since.

    Raises:
        OSError: it can't be read.
    """
    return read_bytes(folder / SEAL).replace(CRLF, LF)


def _examine(run: Run, path: Path, event: LedgerEvent | None, roots: TrustedRoots) -> SealTimestamp:
    asked = event.source if event else None
    try:
        content = read_bytes(path)
        message = sealed_bytes(run.folder)
    except (OSError, ThesisError) as error:
        return SealTimestamp(path.name, NOT_DONE, f"can't be read: {error}", asked=asked)
    if event and event.token != token_digest(content):
        return SealTimestamp(path.name, FAILED, "changed since it was kept", asked=asked)
    try:
        token = tokens.read_token(content)
    except DataError as error:
        return SealTimestamp(path.name, FAILED, error.message, asked=asked)
    try:
        tokens.check_message(token, message)
        tokens.check_signature(token, message, roots)
    except tokens.UntrustedError as error:
        detail = f"over this seal; who signed it is not known: {error.message}"
        outcome = FAILED if roots.given else NOT_DONE
        return _told(path, token, outcome, detail if roots.given else f"{detail}; {HINT}", asked)
    except ClaimFalseError as error:
        return _told(path, token, FAILED, error.message, asked)
    return _held(path, token, roots, asked)


def _held(
    path: Path, token: tokens.TimestampToken, roots: TrustedRoots, asked: str | None
) -> SealTimestamp:
    when = _moment(token)
    who = token.authority or "an unnamed authority"
    detail = f"this seal existed at {when}, says {who}, vouched for by {roots.source}; {REVOCATION}"
    return _told(path, token, HELD, detail, asked)


def _told(
    path: Path, token: tokens.TimestampToken, outcome: str, detail: str, asked: str | None
) -> SealTimestamp:
    authority = token.authority or None
    return SealTimestamp(path.name, outcome, detail, _moment(token), authority, asked)


def _moment(token: tokens.TimestampToken) -> str:
    return token.time.isoformat(timespec="seconds")
