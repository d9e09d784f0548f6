"""Around every request: one line in the log, its count and time, and headers for browsers.

A line holds method, path, status and time. It holds no address, no name of a file, and nothing of
a picture or of what was found in it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from featherface.serving.measurements import Measurements

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Say = Callable[[str], None]

OTHER = "other"
"""What paths are counted as that the service doesn't have: there are endlessly many."""
LONGEST = 80
"""Characters of a path that are logged."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may load: its own two files, and pictures that were dropped on it."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", POLICY.encode()),
)
LEFT = 499
"""Logged where the client went away before there was an answer."""


class LogLine(NamedTuple):
    """What is logged of a request."""

    method: str
    path: str
    status: int
    milliseconds: float

    def text(self) -> str:
        """Return it for people; a path can break no line."""
        path = self.path[:LONGEST].encode("unicode_escape").decode("ascii")
        return f"{self._now()} {self.method} {path} {self.status} {self.milliseconds:.1f} ms"

    def json(self) -> str:
        """Return it for programs."""
        line = {"time": self._now(), **self._asdict(), "path": self.path[:LONGEST]}
        return json.dumps(line | {"milliseconds": round(self.milliseconds, 1)})

    @staticmethod
    def _now() -> str:
        return datetime.now(UTC).isoformat(timespec="milliseconds")


class Observed:
    """An ASGI application whose requests are logged and counted."""

    def __init__(
        self,
        inner: Application,
        measured: Measurements,
        paths: Collection[str],
        say: Say,
        *,
        as_json: bool = False,
    ) -> None:
        self.inner = inner
        self.measured = measured
        self.paths = paths
        self.say = say
        self.as_json = as_json

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        began = time.perf_counter()
        status = LEFT

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        try:
            await self.inner(scope, receive, noted)
        finally:
            seconds = time.perf_counter() - began
            path = scope["path"]
            self.measured.request(path if path in self.paths else OTHER, status, seconds)
            line = LogLine(scope["method"], path, status, 1000 * seconds)
            self.say(line.json() if self.as_json else line.text())
