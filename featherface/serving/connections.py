"""HTTP connections that are closed when they are too many or too slow.

Uvicorn waits without end for a request's head, and for the rest of a body that was answered
before it had come.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from featherface.serving import refusals

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from featherface.serving.limits import ServingLimits
    from featherface.serving.refusals import Refusal

ALWAYS = ("/health", "/metrics")
"""Starts of the paths that are answered however many connections there are."""


def connections(limits: ServingLimits) -> type[H11Protocol]:
    """Return the class of connections that keep to LIMITS, as uvicorn's `http` takes it."""

    class Bounded(BoundedConnection):
        most = limits.connections
        head_seconds = limits.upload_seconds

    return Bounded


class BoundedConnection(H11Protocol):
    """A connection whose client must bring each request's head in time."""

    most: int
    """Connections open at once."""
    head_seconds: float
    """Until a head has come, since the connection was made or the request before was answered."""
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            self.app = unless_urgent(self.app, self.most)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._forget()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Take what came; while a request is answered there is nothing to wait for here."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget()

    def on_response_complete(self) -> None:
        """Wait for the next head, and for what is left of this request's body."""
        self._await_head()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as every other error is answered."""
        body = json.dumps({"error": refusals.Refusal(400, "bad_http", msg).to_json()})
        head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
        self.transport.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        self.transport.close()

    def _await_head(self) -> None:
        self._forget()
        self._deadline = self.loop.call_later(self.head_seconds, self._too_slow)

    def _forget(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self.transport.abort()


def unless_urgent(inner: Callable[..., Any], most: int) -> Callable[..., Any]:
    """Let INNER answer the paths of ALWAYS alone; all others are told to come back."""

    async def crowded(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith(ALWAYS):
            await inner(scope, receive, send)
            return
        await tell(refusals.busy(f"{most} connections are open"), send)

    return crowded


async def tell(refusal: Refusal, send: Callable[[dict[str, Any]], Any]) -> None:
    """Send REFUSAL as a whole answer, and close the connection."""
    body = json.dumps({"error": refusal.to_json()}).encode()
    headers = {"content-type": "application/json", "connection": "close"} | refusal.headers
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
