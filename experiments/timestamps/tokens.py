"""Timestamp requests and tokens: what an authority signed, and whether it holds.

The library is an extra and takes 0.1 s to load: everything here imports it when it is called.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments.timestamps.certificate_order import with_sorted_certificates
from featherface.errors import ClaimFalseError, DataError, UnavailableError

if TYPE_CHECKING:
    from datetime import datetime

    from rfc3161_client import TimeStampRequest, TimeStampResponse

    from experiments.timestamps.roots import TrustedRoots

INSTALL = 'python -m pip install "thesis[timestamps]"'
HASHES = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
"""Object identifier -> the name by which hashlib knows it."""
GRANTED = 0
"""Status of an answer that holds a timestamp, over what was asked and nothing else."""
LONGEST = 200
"""Characters shown of what an authority or the library says."""
_CHAIN = re.compile(r'Verify error: ([^"]+)"')
_REASON = re.compile(r'reason: "([^"]+)"')
"""What OpenSSL says inside the library's message: of the certificates, and of anything else."""


class UntrustedError(ClaimFalseError):
    """The signing certificate leads to none of the trusted ones; nothing else was found wrong."""


@dataclass(frozen=True)
class TimestampToken:
    """What an authority says it has signed."""

    response: TimeStampResponse
    time: datetime
    """By the authority's clock, in UTC."""
    authority: str
    """Whom the signing certificate names; empty where the answer holds none."""


def check_library() -> None:
    """Check that what reads and makes timestamps is installed.

    Raises:
        UnavailableError: it is not; the hint installs it.
    """
    try:
        import rfc3161_client  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise UnavailableError(
            "what reads timestamps (rfc3161-client) is not installed", INSTALL
        ) from error


def make_request(message: bytes) -> TimeStampRequest:
    """Return a request over the SHA-256 of MESSAGE, with a nonce, that asks for certificates."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 - an extra

    return TimestampRequestBuilder().data(message).hash_algorithm(HashAlgorithm.SHA256).build()


def read_token(content: bytes) -> TimestampToken:
    """Read CONTENT, an authority's answer in DER. Nothing of it is believed yet.

    Raises:
        DataError: it is none, or refuses.
    """
    from rfc3161_client import decode_timestamp_response  # noqa: PLC0415 - an extra

    try:
        response = decode_timestamp_response(with_sorted_certificates(content))
        status = response.status
        if status == GRANTED:
            time = response.tst_info.gen_time
            return TimestampToken(response, time, _signer(response))
        said = printable("; ".join(response.status_string))
    except Exception as error:  # of foreign bytes the library raises KeyErrors and more
        raise DataError(f"it is no RFC 3161 answer ({printable(str(error))})") from error
    raise DataError(f"the authority did not grant it: {said or f'status {status}'}")


def check_message(token: TimestampToken, message: bytes) -> None:
    """Check that TOKEN is over MESSAGE.

    Raises:
        ClaimFalseError: it is over something else, or by an unknown hash.
    """
    imprint = token.response.tst_info.message_imprint
    name = HASHES.get(imprint.hash_algorithm.dotted_string)
    if name is None:
        raise ClaimFalseError(f"by a hash that isn't taken: {imprint.hash_algorithm.dotted_string}")
    if hashlib.new(name, message).digest() != imprint.message:
        raise ClaimFalseError("it is over another seal")


def check_nonce(token: TimestampToken, request: TimeStampRequest) -> None:
    """Check that TOKEN answers REQUEST, and is no repetition of an earlier answer.

    Raises:
        ClaimFalseError: its nonce is another.
    """
    if token.response.tst_info.nonce != request.nonce:
        raise ClaimFalseError("it answers another request: its nonce is not the one sent")


def check_signature(token: TimestampToken, message: bytes, roots: TrustedRoots) -> None:
    """Check who signed TOKEN over MESSAGE: a certificate for timestamps that ROOTS vouch for.

    Certificates need to be valid at the token's time only. Revocation is not looked up.

    Raises:
        UntrustedError: its certificate leads to none of ROOTS; the signature was not reached.
        ClaimFalseError: the signature is wrong, or the certificate is not for timestamps.
    """
    from rfc3161_client import VerifierBuilder  # noqa: PLC0415 - an extra

    if not roots.certificates:
        raise UntrustedError(f"{roots.source} tells no root certificates")
    verifier = VerifierBuilder(roots=list(roots.certificates)).build()
    try:
        verifier.verify_message(token.response, message)
    except Exception as error:  # as above
        if chain := _CHAIN.search(str(error)):
            raise UntrustedError(f"{chain[1]} (by {roots.source})") from error
        reasons = _REASON.findall(str(error))
        raise ClaimFalseError(reasons[-1] if reasons else printable(str(error))) from error


def printable(text: str) -> str:
    """Return the beginning of what somebody else says, in one line that does nothing."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _signer(response: TimeStampResponse) -> str:
    """Return whom the certificate of RESPONSE's signature names; empty where it isn't there."""
    from cryptography import x509  # noqa: PLC0415 - an extra

    signed = response.signed_data
    known = {(each.issuer.rfc4514_string(), each.serial_number) for each in signed.signer_infos}
    for content in signed.certificates:
        certificate = x509.load_der_x509_certificate(content)
        if (certificate.issuer.rfc4514_string(), certificate.serial_number) in known:
            names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
            name = names[0].value if names else certificate.subject.rfc4514_string()
            return printable(str(name))
    return ""
