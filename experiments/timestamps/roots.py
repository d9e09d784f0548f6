"""Root certificates in which a timestamp's signature may end: of a file, or the system's."""

from __future__ import annotations

import contextlib
import ssl
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import DataError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cryptography.x509 import Certificate

SYSTEM = "this system"
HINT = "give the authority's root certificate, PEM or DER: --roots FILE"


@dataclass(frozen=True)
class TrustedRoots:
    """Certificates, and who says that they are to be trusted."""

    certificates: tuple[Certificate, ...]
    source: str
    """Name of the file; SYSTEM where none was given."""

    @property
    def given(self) -> bool:
        """Whether somebody chose them: what they don't vouch for is wrong, not unknown."""
        return self.source != SYSTEM


def trusted_roots(path: Path | None) -> TrustedRoots:
    """Return the certificates in PATH, PEM or DER; without it, those that the system trusts.

    Raises:
        NotFoundError: there is no such file.
        DataError: it holds none.
    """
    from cryptography import x509  # noqa: PLC0415 - an extra

    if path is None:
        known = ssl.create_default_context().get_ca_certs(binary_form=True)
        return TrustedRoots(_readable(known), SYSTEM)
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError(f"no file {path}", HINT) from error
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}", HINT) from error
    try:
        if b"-----BEGIN" in content:
            return TrustedRoots(tuple(x509.load_pem_x509_certificates(content)), path.name)
        return TrustedRoots((x509.load_der_x509_certificate(content),), path.name)
    except Exception as error:  # of foreign bytes the library raises KeyErrors and more
        raise DataError(f"{path} holds no certificate", HINT) from error


def _readable(certificates: Iterable[bytes]) -> tuple[Certificate, ...]:
    """Return the CERTIFICATES that the library can read: systems keep some odd old ones."""
    from cryptography import x509  # noqa: PLC0415 - an extra

    readable = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one that breaks a rule is not the student's to mend
        for content in certificates:
            with contextlib.suppress(Exception):  # as above
                readable.append(x509.load_der_x509_certificate(content))
    return tuple(readable)
