"""Answers other than faces, all of one shape: `{"error": {"code", "message", "hint"}}`."""

from __future__ import annotations

from typing import Any

from featherface.data.images import SUFFIXES

TAKEN = ", ".join(suffix.removeprefix(".") for suffix in SUFFIXES)


class Refusal(Exception):  # noqa: N818 - most are answers to what a client did, not faults here
    """A request that gets no faces: HTTP status, a code for programs, a sentence, a next step."""

    def __init__(
        self, status: int, code: str, message: str, hint: str = "", *, retry_after: int = 0
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.retry_after = retry_after
        """Seconds after which the same request may succeed; 0: it will not."""

    def to_json(self) -> dict[str, Any]:
        """Return what the answer's body holds."""
        return {"code": self.code, "message": self.message, "hint": self.hint or None}

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        return {"retry-after": str(self.retry_after)} if self.retry_after else {}


def busy(what: str) -> Refusal:
    """Refuse for now, as WHAT is used up."""
    return Refusal(
        503, "busy", f"too much to do: {what}", "send it again in a moment", retry_after=1
    )


def stopping() -> Refusal:
    """Refuse as the service is about to end."""
    return Refusal(503, "stopping", "the service is stopping", "send it again", retry_after=5)


def too_large(name: str, most: int) -> Refusal:
    """Refuse NAME, which has more bytes than the MOST that are taken."""
    return Refusal(
        413,
        "too_many_bytes",
        f"{name} has more than the {most / 1e6:,g} MB that are taken",
        "make it smaller; who runs the service can allow more: thesis serve --max-megabytes",
    )


def wrong_type(name: str) -> Refusal:
    """Refuse NAME, which is no picture of a kind that is read."""
    return Refusal(
        415, "wrong_type", f"{name} is no picture of a kind that is read", f"send one of: {TAKEN}"
    )


def no_picture(message: str) -> Refusal:
    """Refuse a request that holds no picture, or too many."""
    return Refusal(
        422,
        "no_picture",
        message,
        "one picture as the body or as a form's file goes to /detect, several to /detect/batch",
    )


def slow_upload(seconds: float) -> Refusal:
    """Refuse a body that did not come in time."""
    return Refusal(
        408,
        "slow_upload",
        f"the upload took longer than {seconds:g} s",
        "send a smaller picture, or over a faster line",
    )


def client_left() -> Refusal:
    """Note that nobody waits for the answer any more; it is sent to none, and logged."""
    return Refusal(499, "client_left", "the client closed the connection")
