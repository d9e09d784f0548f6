"""One request over a connection of its own to this machine, and its answer; plain sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving_parts.requests import PlannedRequest

CLOSED = 0
"""Status of a connection that was refused, or closed without an answer."""
PATIENCE = 90.0
"""Seconds after which a client takes the service for hung."""
HUNG = -1


@dataclass(frozen=True)
class ServiceAnswer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def busy(self) -> bool:
        """Whether the client was told to come back, and when."""
        return self.status == 503 and "retry-after" in self.headers

    @property
    def well_formed(self) -> bool:
        """Whether an error has the one shape that is promised; other answers need none."""
        if self.status < 400:
            return True
        return set(json.loads(self.body)["error"]) == {"code", "message", "hint"}


async def exchange(port: int, request: PlannedRequest) -> ServiceAnswer:
    """Send REQUEST to PORT of 127.0.0.1; return what came back."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await _exchange(port, request)
    except TimeoutError:
        return ServiceAnswer(HUNG, {})
    except (OSError, asyncio.IncompleteReadError):
        return ServiceAnswer(CLOSED, {})


async def _exchange(port: int, request: PlannedRequest) -> ServiceAnswer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    sending = asyncio.create_task(_send(writer, request))
    try:
        if request.leaves:
            await sending
            return ServiceAnswer(CLOSED, {})
        return await _read(reader)
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await sending
        writer.close()


async def _send(writer: asyncio.StreamWriter, request: PlannedRequest) -> None:
    for piece in request.pieces():
        writer.write(piece)
        await writer.drain()
        if request.pause:
            await asyncio.sleep(request.pause)


async def _read(reader: asyncio.StreamReader) -> ServiceAnswer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    pairs = [line.partition(":") for line in lines]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return ServiceAnswer(int(first.split()[1]), headers, body)
