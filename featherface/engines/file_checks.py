"""Whether a file is the network that it says, before an engine is trusted with a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from featherface.data.fingerprint import file_sha256
from featherface.devices.precision import FULL
from featherface.engines.listed_files import MANIFEST, listed_digests
from featherface.errors import DataError, ThesisError, WeightsError
from featherface.geometry.priors import priors

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.engines.engine import Engine

SMALL = (64, 96)
"""Height and width in pixels of the picture that a file is tried on."""
COLUMNS = (4, 10)
"""Deltas of a box, and of five landmarks."""
FORMAT = "format"
"""Key of a file's metadata: the name of its format, such as `onnx-fp16`."""
NARROW = ("fp16", "int8")
"""What the names of formats that are not in single precision hold."""
AGAIN = "write it again: thesis export"


def precision_of(format_name: str) -> str:
    """Return the precision of files of the format FORMAT_NAME.

    >>> precision_of("onnx-int8-dynamic"), precision_of("tflite")
    ('int8', 'fp32')
    """
    return next((precision for precision in NARROW if precision in format_name), FULL)


def check_manifest(path: Path) -> None:
    """Refuse the file at PATH where the manifest beside it tells another SHA-256.

    Raises:
        WeightsError: it does; without a manifest, or where PATH is not in it, nothing is known.
    """
    try:
        listed = listed_digests(path.parent / MANIFEST, path)
    except DataError:
        return
    if listed and file_sha256(path) not in listed:
        raise WeightsError(
            f"{path} is not the file that {MANIFEST} beside it was written with:"
            " it was changed or swapped since",
            AGAIN,
        )


def check_answers(engine: Engine, path: Path) -> None:
    """Refuse ENGINE, opened from PATH, where it doesn't answer as the network its settings tell.

    Raises:
        WeightsError: it can't look at a picture, or answers for another number of priors.
    """
    height, width = engine.fixed_size or SMALL
    wanted = len(priors(engine.config, height, width))
    try:
        with engine.ready():
            answer = engine(torch.zeros(1, 3, height, width, device=engine.device))
        given = answer.scores.shape[1]
        columns = (answer.boxes.shape[2], answer.landmarks.shape[2])
    except ThesisError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"{path} can't look at a picture: {reason}", AGAIN) from error
    if given != wanted or columns != COLUMNS:
        raise WeightsError(
            f"{path} is another network than its settings tell: it answers for {given:,} priors of"
            f" a picture of {width} x {height} pixels, and they have {wanted:,}",
            AGAIN,
        )
