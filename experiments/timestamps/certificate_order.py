"""The certificates of an answer in the order that DER wants, which many authorities don't keep.

OpenSSL writes a chain from the signer upwards and the library reads sorted sets only. No signature
covers the order, and nothing else is touched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

CERTIFICATES = 0xA0
"""Tag of the set of certificates in SignedData; only what follows it may have the tag again."""
LONG = 0x80
"""Bit of a length's first byte: the others then count the bytes of the length."""


class DerElement(NamedTuple):
    """Where one element lies in its bytes."""

    tag: int
    start: int
    body: int
    end: int


def with_sorted_certificates(content: bytes) -> bytes:
    """Return the answer CONTENT with its certificates sorted; as it is where it has none."""
    try:
        place = _certificates(content)
        if place is None:
            return content
        each = [content[inner.start : inner.end] for inner in _elements(content, place)]
    except (IndexError, ValueError):  # it isn't DER: whoever reads it says so
        return content
    return content[: place.body] + b"".join(sorted(each)) + content[place.end :]


def _certificates(content: bytes) -> DerElement | None:
    """Return where the certificates lie: answer, token, content, signed data, certificates."""
    whole = DerElement(0, 0, 0, len(content))
    (answer,) = _elements(content, whole)
    _status, token = _elements(content, answer)
    _kind, wrapped = _elements(content, token)
    (signed,) = _elements(content, wrapped)
    return next((each for each in _elements(content, signed) if each.tag == CERTIFICATES), None)


def _elements(content: bytes, outer: DerElement) -> Iterator[DerElement]:
    """Yield the elements inside OUTER.

    Raises:
        IndexError: CONTENT ends before it should.
        ValueError: an element is longer than OUTER.
    """
    start = outer.body
    while start < outer.end:
        length, body = content[start + 1], start + 2
        if length >= LONG:
            body += length - LONG
            length = int.from_bytes(content[start + 2 : body], "big")
        if body + length > outer.end:
            raise ValueError("an element is longer than what it lies in")
        yield DerElement(content[start], start, body, body + length)
        start = body + length
