"""PyAV, which holds FFmpeg: an extra, imported where a video is opened."""

from __future__ import annotations

from typing import Any

from featherface.errors import UnavailableError

INSTALL = 'python -m pip install "thesis[video]"'


def pyav() -> Any:
    """Return the module `av`.

    Raises:
        UnavailableError: it is not installed; the hint installs it.
    """
    try:
        import av  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UnavailableError(
            "what reads videos and cameras (PyAV) is not installed", INSTALL
        ) from error
    return av
