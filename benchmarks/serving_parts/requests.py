"""The requests that clients send, with the statuses that are right for each."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from serving_parts.exchange import CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE = 2**16
BOUNDARY = "a-boundary"


@dataclass(frozen=True, kw_only=True)
class PlannedRequest:
    """How often a kind of request is sent, what it holds and what is right to answer."""

    share: float
    expected: tuple[int, ...]
    head: str = "POST /detect"
    body: Callable[[], bytes] = bytes
    type: str = "application/octet-stream"
    declared: int | None = None
    """Content-length that is told; None tells the true one."""
    repeat: int = 1
    """How often the body is sent."""
    raw: bytes = b""
    """What is sent instead, if anything."""
    pause: float = 0.0
    """Seconds between pieces; a client that is slow sends few bytes at a time."""
    leaves: bool = False
    """Whether the client goes away without waiting."""

    def pieces(self) -> Iterator[bytes]:
        """Yield what is sent, piece by piece."""
        if self.raw:
            yield from (self.raw[place : place + 8] for place in range(0, len(self.raw), 8))
            return
        body = self.body()
        length = self.repeat * len(body) if self.declared is None else self.declared
        lines = [f"{self.head} HTTP/1.1", "host: 127.0.0.1", f"content-type: {self.type}"]
        yield "\r\n".join([*lines, f"content-length: {length}", "", ""]).encode()
        size = 200 if self.pause else PIECE
        for _ in range(self.repeat):
            yield from (body[place : place + size] for place in range(0, len(body), size))


@cache
def picture(width: int = 640, height: int = 480) -> bytes:
    """Return a JPEG of coloured patches."""
    coarse = np.random.default_rng(width).integers(0, 256, (height // 16, width // 16, 3))
    large = Image.fromarray(coarse.astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    file = io.BytesIO()
    large.save(file, "JPEG", quality=90)
    return file.getvalue()


def large_picture() -> bytes:
    return picture(1920, 1280)


def truncated() -> bytes:
    return picture()[: len(picture()) // 2]


def noise() -> bytes:
    """Return bytes that begin as a PNG and go on as nothing."""
    return b"\x89PNG\r\n\x1a\n" + np.random.default_rng(0).bytes(20_000)


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )


@cache
def bomb() -> bytes:
    """Return a PNG of 400 million pixels in 400 kB."""
    squeezed = zlib.compressobj(9)
    row = bytes(20_001)
    data = b"".join(squeezed.compress(row) for _ in range(20_000)) + squeezed.flush()
    return _png(20_000, 20_000, (b"IDAT", data))


@cache
def text_bomb() -> bytes:
    """Return a small PNG whose comment is 200 MB when it is unpacked."""
    squeezed = zlib.compressobj(9)
    block = bytes(10**6)
    text = b"".join(squeezed.compress(block) for _ in range(200)) + squeezed.flush()
    data = zlib.compress(bytes(64 * 65))
    return _png(64, 64, (b"zTXt", b"comment\0\0" + text), (b"IDAT", data))


def drawing() -> bytes:
    """Return a GIF, which is no kind that is read."""
    file = io.BytesIO()
    Image.new("P", (64, 64)).save(file, "GIF")
    return file.getvalue()


def form(*files: bytes) -> bytes:
    """Return a multipart form of FILES."""
    parts = [
        f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="p"; filename="{place}.jpg"'.encode()
        + b"\r\ncontent-type: image/jpeg\r\n\r\n"
        + file
        + b"\r\n"
        for place, file in enumerate(files)
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


FORM = f"multipart/form-data; boundary={BOUNDARY}"
MILLION = bytes(10**6)
PLAN = {
    "picture": PlannedRequest(share=30, expected=(200,), body=picture),
    "form": PlannedRequest(share=10, expected=(200,), body=lambda: form(picture()), type=FORM),
    "large picture": PlannedRequest(share=5, expected=(200,), body=large_picture),
    "batch": PlannedRequest(
        share=4,
        expected=(200,),
        head="POST /detect/batch",
        body=lambda: form(picture(), truncated(), picture()),
        type=FORM,
    ),
    "truncated": PlannedRequest(share=8, expected=(400,), body=truncated),
    "noise": PlannedRequest(share=4, expected=(400,), body=noise),
    "bomb": PlannedRequest(share=6, expected=(413,), body=bomb),
    "text bomb": PlannedRequest(share=3, expected=(400,), body=text_bomb),
    "huge": PlannedRequest(share=4, expected=(413,), body=lambda: MILLION, repeat=40),
    "wrong type": PlannedRequest(share=5, expected=(415,), body=drawing),
    "json": PlannedRequest(share=3, expected=(415,), body=lambda: b"{}", type="application/json"),
    "empty": PlannedRequest(share=2, expected=(422,)),
    "broken form": PlannedRequest(
        share=3, expected=(400,), body=lambda: form(picture())[:-30], type=FORM
    ),
    "no form": PlannedRequest(share=2, expected=(422,), body=form, type=FORM),
    "bad score": PlannedRequest(
        share=2, expected=(422,), head="POST /detect?score=7", body=picture
    ),
    "no HTTP": PlannedRequest(share=2, expected=(400,), raw=b"HELO there\r\n\r\n"),
    "lost path": PlannedRequest(share=2, expected=(404,), head="POST /lost", body=picture),
    "slow": PlannedRequest(share=6, expected=(408,), body=picture, pause=0.5),
    "slow head": PlannedRequest(
        share=3, expected=(CLOSED,), raw=b"POST /detect HTTP/1.1\r\nhost: slow", pause=2.0
    ),
    "leaves": PlannedRequest(share=4, expected=(CLOSED,), body=picture, leaves=True),
    "half and leaves": PlannedRequest(
        share=2, expected=(CLOSED,), body=truncated, declared=10**6, leaves=True
    ),
    "health": PlannedRequest(share=2, expected=(200,), head="GET /health"),
    "metrics": PlannedRequest(share=1, expected=(200,), head="GET /metrics"),
    "page": PlannedRequest(share=1, expected=(200,), head="GET /"),
}
"""Kind of request -> how it is made; 503 with Retry-After is always right too."""


def slow_requests() -> list[PlannedRequest]:
    """Return those that are still being sent when the service is told to stop."""
    return [PLAN["slow"], PLAN["slow head"]]
