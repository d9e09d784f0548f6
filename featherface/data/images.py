"""Reading pictures as the networks want them: uint8, BGR."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from featherface.errors import DataError, HeldError, InterruptedRunError
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
SIGNATURES = {"JPEG": (b"\xff\xd8\xff", b""), "PNG": (b"\x89PNG\r\n\x1a\n", b"")}
SIGNATURES |= {"BMP": (b"BM", b""), "WEBP": (b"RIFF", b"WEBP")}
"""Pillow's name of each format -> how such a file begins, and what follows four bytes later."""
TURNED = (5, 6, 7, 8)
"""EXIF orientations that swap width and height."""
ORIENTATION = 0x0112
DEEP_GREY = "I;16"
"""How the names of Pillow's modes of 16-bit grey begin; its 16-bit colours it reduces itself."""


class TooLargeError(DataError):
    """A picture has too many pixels; nothing is wrong with it otherwise."""


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

    Pixels of 16 bits keep their upper eight, so that white stays white and grey stays grey.

    Raises:
        DataError: the file is missing, truncated, damaged, no picture, or its pixels have 32 bits,
            of which nobody knows how bright white is; it is named.
    """
    with _opened(path) as picture:
        if coarse:
            picture.draft("RGB", (coarse, coarse))
        ImageOps.exif_transpose(picture, in_place=True)
        return _eight_bits(picture, path).convert(
            "RGB"
        )  # a copy in any case: the file's own is closed


def format_of(content: bytes) -> str | None:
    """Name the format that CONTENT begins like, as Pillow calls it; None: none of SIGNATURES."""
    for name, (start, later) in SIGNATURES.items():
        place = len(start) + 4
        if content.startswith(start) and content[place : place + len(later)] == later:
            return name
    return None


def decode_image(
    content: bytes, name: str, most_megapixels: float, longest: int
) -> NDArray[np.uint8]:
    """Return the picture in CONTENT, a file's bytes, as (H, W, 3) BGR, turned as it asks.

    Its size is read from the header and compared before a pixel is decoded, so that a small file
    of many pixels takes no memory. No other decoders than those of SIGNATURES are tried.

    Raises:
        TooLargeError: it has more than MOST_MEGAPIXELS millions of pixels, or more than LONGEST on
            a side.
        DataError: it is truncated, damaged or no picture. Errors call it NAME.
    """
    with _opened(name, content) as picture:
        width, height = picture.size
        if width * height > most_megapixels * 10**6 or max(width, height) > longest:
            raise TooLargeError(
                f"{name} has {width:,} x {height:,} pixels, more than the {most_megapixels:,g}"
                f" million, or {longest:,} on a side, that are looked at",
                "make it smaller, or cut it into parts",
            )
        ImageOps.exif_transpose(picture, in_place=True)
        pixels = np.asarray(_eight_bits(picture, name).convert("RGB"))
    return np.ascontiguousarray(pixels[:, :, ::-1])


def image_size(path: Path) -> tuple[int, int]:
    """Return (width, height) in pixels from the file's header alone, as `read_image` sees it.

    Raises:
        DataError: the file is missing or no picture; it is named.
    """
    with _opened(path) as picture:
        width, height = picture.size
        turned = picture.getexif().get(ORIENTATION) in TURNED
    return (height, width) if turned else (width, height)


def _eight_bits(picture: Image.Image, path: Path | str) -> Image.Image:
    """Reduce grey of more than eight bits, which Pillow would cut off at 255 when it converts."""
    deep = picture.mode.startswith(DEEP_GREY)
    if not deep and picture.mode not in ("I", "F"):
        return picture
    if not deep and picture.format != "PNG":  # which has no pixels of 32 bits
        raise DataError(
            f"the pixels of {path} have 32 bits, and how bright white is, is not known",
            "save it with 8 or 16 bits",
        )
    pixels = np.asarray(picture).astype(np.uint32) >> 8
    return Image.fromarray(pixels.astype(np.uint8))


class _opened:  # noqa: N801 - reads as the function it stands for
    """Open a picture; whatever Pillow says about it becomes a DataError that names it.

    With CONTENT, the file's bytes, PATH is only its name.
    """

    def __init__(self, path: Path | str, content: bytes | None = None) -> None:
        self.path = path
        self.content = content
        self.picture: Image.Image | None = None

    def __enter__(self) -> Image.Image:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow warns of odd metadata; pixels matter
                self.picture = self._open()
        except (HeldError, InterruptedRunError):
            raise
        except Exception as error:
            raise self._fault(error) from error
        return self.picture

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.picture is not None:
            self.picture.close()
        if isinstance(error, Exception) and not isinstance(error, DataError):
            raise self._fault(error) from error

    def _open(self) -> Image.Image:
        if self.content is not None:
            return Image.open(BytesIO(self.content), formats=tuple(SIGNATURES))
        path = Path(self.path)
        return insist(lambda: Image.open(path), path, verb="read")

    def _fault(self, error: Exception) -> DataError:
        if isinstance(error, FileNotFoundError):
            return DataError(f"no picture {self.path}", "check the images folder")
        if isinstance(error, Image.DecompressionBombError):
            most = 2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6
            return TooLargeError(
                f"the picture {self.path} is larger than {most} megapixels, which is more than"
                " is read",
                "make it smaller, or cut it into parts",
            )
        if self.content is not None:
            unknown = isinstance(error, UnidentifiedImageError)
            reason = "its header is damaged" if unknown else error
            return DataError(
                f"can't read {self.path}: {reason}", "the file is damaged or no picture"
            )
        return DataError(
            f"can't read the picture {self.path}: {error}",
            "the file is damaged or no picture: fetch it again, or remove it",
        )


def list_images(folder: Path) -> Iterator[Path]:
    """Yield the pictures in FOLDER and below, in the order of their relative paths."""
    paths = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    yield from sorted(paths, key=lambda path: path.relative_to(folder).as_posix())
