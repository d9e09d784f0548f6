"""Line ends that a checkout changed, as git's core.autocrlf does, told by the hash of the file."""

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
    found = (one for one in (plain, plain.replace(LF, CRLF)) if one != content)
    return next((one for one in found if hashlib.sha256(one).hexdigest() == sha256), None)
