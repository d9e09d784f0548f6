"""Asking a timestamp authority over HTTP: one bounded request, one bounded answer."""

from __future__ import annotations

import contextlib
import http.client
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from experiments.redaction import clean_url
from featherface.errors import UnavailableError, UsageError

PATIENCE = 30.0
"""Seconds after which no more of an answer is waited for; each step of its own has as many."""
LARGEST = 256 * 1024
"""Bytes that an answer may have; with a chain of certificates it has some 6,000."""
PIECE = 8192
"""Bytes read at once."""
SCHEMES = ("http", "https")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the request into one without a body, or lead anywhere."""

    def redirect_request(self, *_: object) -> None:
        """Follow none: the answer then counts as the error that it is."""


def check_address(url: str) -> str:
    """Return URL if an authority can be asked there.

    Raises:
        UsageError: it is no plain http or https address.
    """
    try:
        parts = urlsplit(url)
        asked = parts.scheme in SCHEMES and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        asked = False
    if not asked or any(letter.isspace() or not letter.isprintable() for letter in url):
        raise UsageError(
            f"{clean_url(url)!r} is no address of a timestamp authority",
            "give its http:// or https:// address: --authority https://…",
        )
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "an address with a user or password would end up in the ledger", "leave them out"
        )
    return url


def ask_authority(url: str, query: bytes, *, patience: float = PATIENCE) -> bytes:
    """Post QUERY, a request in DER, to the authority at URL; return its answer, unread.

    Raises:
        UsageError: URL is none.
        UnavailableError: it can't be reached, refuses, takes longer than PATIENCE seconds, or
            sends more than LARGEST bytes.
    """
    request = urllib.request.Request(  # noqa: S310 - the scheme is checked
        check_address(url),
        data=query,
        headers={
            "Content-Type": "application/timestamp-query",
            "Accept": "application/timestamp-reply",
        },
    )
    shown = clean_url(url)
    deadline = time.monotonic() + patience
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with contextlib.closing(opener.open(request, timeout=patience)) as answer:
            return _read(answer, deadline)
    except urllib.error.HTTPError as error:
        error.close()
        told = f"{error.code} {error.reason}".rstrip()
        moved = error.headers.get("Location")
        hint = (
            f"it names another address: {clean_url(moved)}"
            if moved
            else "is it the address of its service?"
        )
        raise UnavailableError(f"{shown} answered {told}", hint) from error
    except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
        reason = getattr(error, "reason", None) or error
        raise UnavailableError(
            f"the timestamp authority at {shown} can't be asked: {reason or type(reason).__name__}",
            "is there a network? Try again, or ask another authority",
        ) from error


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """Return the whole ANSWER, which may come byte by byte, and for ever."""
    content = b""
    while piece := answer.read1(PIECE):
        content += piece
        if len(content) > LARGEST:
            raise OSError(f"its answer is longer than {LARGEST:,} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("its answer took too long")
    return content
