"""Faces of pictures, read from WIDER FACE's and RetinaFace's annotation files.

Formats: WIDER FACE's `wider_face_*_bbx_gt.txt` (its readme: name, count, then
`x y w h blur expression illumination invalid occlusion pose`), the `.mat` files that come with
it, and RetinaFace's `label.txt` (`# name`, then `x y w h`, five `x y flag`, a blur score).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.data.annotation import UNKNOWN, Annotations, collect, inner_path
from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDERFACE_FIELDS = 10


RETINAFACE_FIELDS = (4, 19, 20)
"""Box alone, with five landmarks, and with the blur score after them."""


WITH_SIZE = re.compile(r"(.*\.(?:jpe?g|png|bmp|webp))\s+\d+\s+\d+", re.IGNORECASE)
"""A picture's name with its width and height behind it, as SCRFD's labels have it."""


LARGEST_FILE = 512 * 2**20
"""Bytes; the official train annotation has 6 MiB."""


@dataclass(frozen=True)
class _Line:
    """A line that is not blank, and where it stands."""

    file: Path
    number: int
    text: str

    def fault(self, message: str) -> DataError:
        return DataError(
            f"{self.file}:{self.number}: {message}",
            "correct that line, or fetch the annotation file again",
        )

    def numbers(self, allowed: tuple[int, ...]) -> list[float]:
        """Return the line's finite numbers; their count must be one of ALLOWED."""
        fields = self.text.split()
        if len(fields) not in allowed:
            wanted = " or ".join(str(count) for count in allowed)
            raise self.fault(f"expected {wanted} numbers, found {len(fields)}: {self.text[:80]!r}")
        try:
            values = [float(value) for value in fields]
        except ValueError:
            raise self.fault(f"not a list of numbers: {self.text[:80]!r}") from None
        if not all(math.isfinite(value) for value in values):
            raise self.fault(f"a number is not finite: {self.text[:80]!r}")
        return values

    def picture(self) -> str:
        """Return the picture's relative path that the line names, without what follows it."""
        name = self.text.lstrip("#").strip()
        sized = WITH_SIZE.fullmatch(name)
        return checked_path(sized[1] if sized else name, self)


def checked_path(text: str, line: _Line) -> str:
    """Normalise a relative path to forward slashes; one that leaves the folder is refused."""
    path = inner_path(text)
    if path is None:
        raise line.fault(f"not a picture inside the images folder: {text[:80]!r}")
    return path


def read_annotation(path: Path, *, corners: bool = False) -> Annotations:
    """Read a WIDER FACE text or `.mat` file, or a RetinaFace `label.txt`, told by its content.

    With CORNERS its boxes are x1 y1 x2 y2, as SCRFD's labels have them, and not x y w h.

    Raises:
        DataError: the file is missing or malformed; the message names file and line.
    """
    if path.suffix.lower() == ".mat":
        from featherface.data.matlab import read_matlab  # noqa: PLC0415 - loads scipy

        return read_matlab(path, corners=corners)
    first = next(_lines(path), None)
    if first is not None and first.text.startswith("#"):
        return read_retinaface(path, corners=corners)
    return read_widerface(path, corners=corners)


def read_widerface(path: Path, *, corners: bool = False) -> Annotations:
    """Read a `wider_face_*_bbx_gt.txt`; boxes of zero size are skipped and counted.

    Raises:
        DataError: the file is missing or malformed; the message names file and line.
    """
    return collect(_widerface_entries(path), corners=corners)


def read_retinaface(path: Path, *, corners: bool = False) -> Annotations:
    """Read a RetinaFace `label.txt`; boxes of zero size are skipped and counted.

    Raises:
        DataError: the file is missing or malformed; the message names file and line.
    """
    return collect(_retinaface_entries(path), corners=corners)


def _widerface_entries(path: Path) -> Iterator[tuple[str, list[list[float]]]]:
    lines = list(_lines(path))
    at = 0
    while at < len(lines):
        name = lines[at].picture()
        if at + 1 == len(lines):
            raise lines[at].fault(f"the file ends after the picture {name!r}")
        count = _face_count(lines[at + 1])
        rows = lines[at + 2 : at + 2 + count]
        if len(rows) < count:
            raise lines[at + 1].fault(f"{count} faces announced, {len(rows)} lines follow")
        yield name, [_widerface_row(row) for row in rows]
        at += 2 + count
        if count == 0 and at < len(lines) and len(lines[at].text.split()) == WIDERFACE_FIELDS:
            at += 1  # the official files put one line of zeros after a picture without faces


def _widerface_row(line: _Line) -> list[float]:
    values = line.numbers((WIDERFACE_FIELDS,))
    return [*values[:4], *([math.nan] * 10), *values[4:]]


def _face_count(line: _Line) -> int:
    text = line.text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise line.fault(f"expected the number of faces, found {text[:80]!r}")
    return int(text)


def _retinaface_entries(path: Path) -> Iterator[tuple[str, list[list[float]]]]:
    name: str | None = None
    rows: list[list[float]] = []
    for line in _lines(path):
        if line.text.startswith("#"):
            if name is not None:
                yield name, rows
            name, rows = line.picture(), []
        elif name is None:
            raise line.fault("a face before the first '# picture' line")
        else:
            rows.append(_retinaface_row(line))
    if name is not None:
        yield name, rows


def _retinaface_row(line: _Line) -> list[float]:
    values = line.numbers(RETINAFACE_FIELDS)
    points = [math.nan] * 10
    triples = values[4:19]
    if triples and all(value >= 0 for value in triples[::3]):
        points = [value for index, value in enumerate(triples) if index % 3 < 2]
    return [*values[:4], *points, *([UNKNOWN] * 6)]


def _lines(path: Path) -> Iterator[_Line]:
    """Yield the lines that are not blank; any line ending, with or without a BOM."""
    for number, text in enumerate(_text(path).splitlines(), start=1):
        if text.strip():
            yield _Line(path, number, text.strip())


def _text(path: Path) -> str:
    hint = "give the annotation file's path, or see: thesis data --help"
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise DataError(f"{path} is larger than {LARGEST_FILE} bytes: no annotation file", hint)
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"no annotation file {path}", hint) from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start})", hint) from None
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}", hint) from None
