"""Reading pictures as the networks want them: uint8, BGR."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from featherface.errors import DataError, HeldError, InterruptedRunError
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
TURNED = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
ORIENTATION = 0x0112


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return the picture as (H, W, 3) BGR, turned as its EXIF orientation asks.

    Raises:
        DataError: the file is missing, truncated, damaged or no picture; it is named.
        HeldError: another program held it for too long.
    """
    return np.ascontiguousarray(np.asarray(open_picture(path))[:, :, ::-1])


def open_picture(path: Path, coarse: int = 0) -> Image.Image:
    """Return the decoded picture as RGB, turned as its EXIF orientation asks.

    With COARSE, a JPEG may come smaller, down to so many pixels a side: much quicker.

    Raises:
        DataError: the file is missing, truncated, damaged or no picture; it is named.
    """
    with _opened(path) as picture:
        if coarse:
            picture.draft("RGB", (coarse, coarse))
        ImageOps.exif_transpose(picture, in_place=True)
        return picture.convert("RGB")  # a copy in any case: the file's own is closed


def image_size(path: Path) -> tuple[int, int]:
    """Return (width, height) in pixels from the file's header alone, as `read_image` sees it.

    Raises:
        DataError: the file is missing or no picture; it is named.
    """
    with _opened(path) as picture:
        width, height = picture.size
        turned = picture.getexif().get(ORIENTATION) in TURNED
    return (height, width) if turned else (width, height)


class _opened:  # noqa: N801 - reads as the function it stands for
    """Open a picture; whatever Pillow says about it becomes a DataError that names it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.picture: Image.Image | None = None

    def __enter__(self) -> Image.Image:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow warns of odd metadata; pixels matter
                self.picture = insist(lambda: Image.open(self.path), self.path, verb="read")
        except (HeldError, InterruptedRunError):
            raise
        except Exception as error:
            raise self._fault(error) from error
        return self.picture

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.picture is not None:
            self.picture.close()
        if isinstance(error, Exception):
            raise self._fault(error) from error

    def _fault(self, error: Exception) -> DataError:
        if isinstance(error, FileNotFoundError):
            return DataError(f"no picture {self.path}", "check the images folder")
        return DataError(
            f"can't read the picture {self.path}: {error}",
            "the file is damaged or no picture: fetch it again, or remove it",
        )


def list_images(folder: Path) -> Iterator[Path]:
    """Yield the pictures in FOLDER and below, in the order of their relative paths."""
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    yield from sorted(paths, key=lambda path: path.relative_to(folder).as_posix())
