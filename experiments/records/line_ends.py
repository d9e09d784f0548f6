"""Line ends that a checkout converted, as git's core.autocrlf does, recognised by the hash."""

from __future__ import annotations

import hashlib

LF, CRLF = b"\n", b"\r\n"
LOOKED_AT = 8000
"""Bytes in which a NUL makes a file binary; git looks at as many before it converts."""


def as_hashed(content: bytes, sha256: str) -> bytes | None:
    """Return CONTENT with the line ends by which it has the hash SHA256; None where none does.

    All ends are LF or all are CRLF then: what was mixed before a conversion is lost with it.
    """
    if b"\0" in content[:LOOKED_AT]:
        return None
    plain = content.replace(CRLF, LF)
    variants = (variant for variant in (plain, plain.replace(LF, CRLF)) if variant != content)
    return next(
        (variant for variant in variants if hashlib.sha256(variant).hexdigest() == sha256), None
    )
