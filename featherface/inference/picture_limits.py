"""Pictures too large for the memory that a network takes: told, and passed over.

A network takes some 100 bytes for each pixel that it looks at, so that a scan of 12,000 x 12,000
would take more than most machines have, and end everything else with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.data.images import TooLargeError, image_size, read_image
from featherface.inference.tta import views

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from featherface.evaluation.config import EvaluateConfig

MILLION = 10**6


def read_within(path: Path, evaluate: EvaluateConfig) -> NDArray[np.uint8]:
    """Read the picture (H, W, 3), blue-green-red, unless EVALUATE finds it too large.

    Raises:
        TooLargeError: it has more pixels, as it is looked at, than `max_megapixels`.
        DataError: it can't be read.
    """
    check_size(path, *image_size(path), evaluate)
    return read_image(path)


def check_size(what: object, width: int, height: int, evaluate: EvaluateConfig) -> None:
    """Check that a picture or frame of WHAT, so many pixels large, may be looked at.

    Raises:
        TooLargeError: it has more pixels, as it is looked at, than `max_megapixels`.
    """
    seen = _pixels(evaluate, width, height) / MILLION
    if evaluate.max_megapixels and seen > evaluate.max_megapixels:
        raise TooLargeError(
            f"passed over {what}: {width:,} x {height:,} pixels are {seen:,.0f} million to look at,"
            f" more than the {evaluate.max_megapixels:,g} of max_megapixels",
            _remedy(evaluate, width, height),
        )


def _pixels(evaluate: EvaluateConfig, width: int, height: int) -> int:
    """Count the pixels of the largest view that EVALUATE has of such a picture."""
    sizes = (view.size for view in views(evaluate, width, height))
    return max(rows * columns for rows, columns in sizes)


def _remedy(evaluate: EvaluateConfig, width: int, height: int) -> str:
    needed = -(-_pixels(evaluate, width, height) // MILLION)
    return (
        "make it smaller, look at it with its longer side made 640 pixels (--protocol vga), or"
        f" allow it where there are some {needed / 10:,.0f} GB of memory"
        f" (--max-megapixels {needed}; in a recipe evaluate.max_megapixels: {needed})"
    )
