"""Reading what is uploaded, into memory alone, within the limits of size and time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from featherface.serving import refusals

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from featherface.serving.admission import Allowance

    Receive = Callable[[], Awaitable[Mapping[str, Any]]]

FORM = b"multipart/form-data"
RAW = (b"", b"application/octet-stream", b"application/x-www-form-urlencoded")
"""Types of a body that say nothing of it; the last is what curl says of --data-binary."""
THE_PICTURE = "the upload"
MOST_FIELDS = 100
"""Fields of a form beside its files."""
AROUND_FILES = 100_000
"""Bytes of a form beside its files."""
LONGEST_NAME = 200


@dataclass(frozen=True)
class Upload:
    """One picture as it came."""

    name: str
    """Of the file, as the client called it; `the upload` where it gave no name."""
    content: bytes


async def read_pictures(
    headers: Mapping[str, str], receive: Receive, allowance: Allowance, most: int
) -> list[Upload]:
    """Read the at most MOST pictures of a request: its raw body, or the files of its form.

    Raises:
        Refusal: 408, 413, 415, 422, 499 or 503, whatever is wrong with it.
    """
    limits = allowance.admission.limits
    kind, options = parse_options_header(headers.get("content-type"))
    if kind not in (FORM, *RAW) and not kind.startswith(b"image/"):
        raise refusals.wrong_type(f"a body of type {kind.decode('latin-1')[:60]}")
    body: Form | RawBody = RawBody()
    largest = limits.picture_bytes
    if kind == FORM:
        body = Form(options.get(b"boundary", b""), limits.picture_bytes, most)
        largest = most * limits.picture_bytes + AROUND_FILES
    declared = headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > largest:
        raise refusals.too_large("the request", largest)
    try:
        async with asyncio.timeout(limits.upload_seconds):
            async for piece in _pieces(receive):
                if allowance.held + len(piece) > largest:
                    raise refusals.too_large("the request", largest)
                allowance.take(len(piece))
                body.feed(piece)
    except TimeoutError:
        raise refusals.slow_upload(limits.upload_seconds) from None
    return body.pictures()


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    """Yield a request's body as it comes."""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise refusals.client_left()
        more = message.get("more_body", False)
        if message.get("body"):
            yield message["body"]


class RawBody:
    """One picture that is the whole body."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, piece: bytes) -> None:
        """Take the next PIECE of the body."""
        self._pieces.append(piece)

    def pictures(self) -> list[Upload]:
        """Return the picture, once everything came.

        Raises:
            Refusal: 422, nothing came.
        """
        if not self._pieces:
            raise refusals.no_picture("the request is empty")
        return [Upload(THE_PICTURE, b"".join(self._pieces))]


class Form:
    """The files of a multipart form, taken apart as they come."""

    def __init__(self, boundary: bytes, most_bytes: int, most_files: int) -> None:
        self.most_bytes = most_bytes
        self.most_files = most_files
        self._files: list[tuple[str, list[bytes]]] = []
        self._into: list[bytes] | None = None
        """Where the bytes of the current part go; None: nowhere."""
        self._size = 0
        self._fields = 0
        self._header, self._value, self._disposition = b"", b"", b""
        self._ended = False
        callbacks: Any = {
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }
        if not boundary:
            raise _malformed("its content-type names no boundary")
        try:
            self._parser = MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise _malformed(str(error)) from error

    def feed(self, piece: bytes) -> None:
        """Take the next PIECE of the body.

        Raises:
            Refusal: 400, 413 or 422, it is no such form, or one of too much.
        """
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _malformed("it is not written as its content-type says") from error

    def pictures(self) -> list[Upload]:
        """Return the files, once everything came.

        Raises:
            Refusal: 400 or 422, it broke off, or there are none.
        """
        if not self._ended:
            raise _malformed("it breaks off")
        if not self._files:
            raise refusals.no_picture("the form holds no file")
        return [Upload(name, b"".join(pieces)) for name, pieces in self._files]

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._disposition, self._into, self._size = b"", None, 0
        if b"filename" not in options:
            self._fields += 1
            if self._fields > MOST_FIELDS:
                raise refusals.no_picture(f"the form has more than {MOST_FIELDS} fields")
            return
        if len(self._files) == self.most_files:
            raise _too_many(self.most_files)
        name = options[b"filename"].decode("utf-8", "replace")[:LONGEST_NAME] or THE_PICTURE
        self._into = []
        self._files.append((name, self._into))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._size > self.most_bytes:
            raise refusals.too_large("a file of the form", self.most_bytes)
        if self._into is not None:
            self._into.append(data[start:end])

    def _on_end(self) -> None:
        self._ended = True


def _too_many(most: int) -> refusals.Refusal:
    if most == 1:
        return refusals.no_picture("the form holds several files")
    return refusals.Refusal(
        413, "too_many_pictures", f"more than the {most} pictures of a batch", "send several"
    )


def _malformed(reason: str) -> refusals.Refusal:
    return refusals.Refusal(
        400,
        "malformed",
        f"the form can't be read: {reason}",
        "send the picture as the body, or let a library write the form",
    )
