"""The official text format of predictions: one file per picture, `event/name.txt`.

A file holds the picture's name, the number of detections, then `x y width height score` on each
line, as the WIDER FACE evaluation tools ask, http://shuoyang1213.me/WIDERFACE/.
"""

from __future__ import annotations

import math
import os
import tarfile
from collections import Counter
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from featherface.errors import DataError, UnavailableError, UsageError
from featherface.evaluation.names import picture_name
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

FIELDS = 5
_LARGEST = 64 * 2**20  # bytes; a picture with a million detections stays below
_HINT = "write the predictions again: name, count, then `x y width height score` on each line"


class Predictions(dict[str, "NDArray[np.float64]"]):
    """Per picture name (n, 5): x, y, width, height in pixels and score, in file order."""

    warnings: tuple[str, ...] = ()
    """What was odd in the files and was read all the same, counted."""
    passed_over: tuple[str, ...] = ()
    """Pictures that were too large to be looked at; they have no entry."""
    landmarks: Mapping[str, NDArray[np.float64]] = MappingProxyType({})
    """Per picture name (n, 10): the points of each detection, where they were kept."""


def read_predictions(path: Path) -> Predictions:
    """Read a folder of predictions, or a .tar, .tar.gz of one.

    Folders around the event folders are skipped. Windows line ends and blank lines are welcome.

    Raises:
        DataError: there are none, two sets are mixed, or a file is malformed or cut short
            (the message names file and line).
    """
    bodies: dict[str, tuple[str, list[str]]] = {}
    odd: Counter[str] = Counter()
    for name, content in _files(path):
        key = _key(name, path)
        if key in bodies:
            raise DataError(
                f"{path} holds two files for {key}: {bodies[key][0]} and {name}",
                "give the folder of one set of predictions",
            )
        bodies[key] = name, _body(content, str(path / name), odd)
    if not bodies:
        raise DataError(f"no prediction files (event/name.txt) in {path}", _HINT)
    predictions = Predictions(_tables(bodies, path))
    predictions.warnings = tuple(
        f"prediction files that {what}: {count:,}" for what, count in odd.items()
    )
    return predictions


def read_prediction(file: Path) -> NDArray[np.float64]:
    """Read the detections (n, 5) of one picture's FILE.

    Raises:
        DataError: it is malformed or cut short.
    """
    body = _body(_read(str(file)), str(file), Counter())
    return _tables({file.stem: (file.name, body)}, file.parent)[file.stem]


def write_prediction(folder: Path, name: str, detections: NDArray[np.float64]) -> Path:
    """Write the detections (n, 5) of one picture; whole numbers are written as integers.

    What `read_predictions` reads back equals DETECTIONS exactly.

    Raises:
        UsageError: NAME would leave FOLDER.
        UnavailableError: the file can't be written.
    """
    key = PurePosixPath(picture_name(name))
    if key.is_absolute() or ".." in key.parts or ":" in key.parts[0]:
        raise UsageError(f"the picture name {name!r} points outside the predictions folder")
    path = folder / f"{key}.txt"
    rows = [" ".join(map(_number, row)) for row in detections.tolist()]
    write_atomic(path, "\n".join([key.name, str(len(rows)), *rows, ""]))
    return path


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name (forward slashes) and content of each text file below PATH."""
    if path.is_dir():
        yield from _walk(path)
    elif path.is_file():
        yield from _members(path)
    else:
        raise DataError(f"there is no predictions folder {path}", "check the path")


def _walk(root: Path) -> Iterator[tuple[str, bytes]]:
    """Read a folder's text files by plain names: thousands of Path objects take half a second."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        below = os.path.relpath(folder, root).replace(os.sep, "/")
        for name in sorted(files):
            if name.endswith(".txt"):
                yield f"{below}/{name}".removeprefix("./"), _read(f"{folder}{os.sep}{name}")


def _read(file: str) -> bytes:
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - see _walk
            return opened.read()
    except OSError as error:
        raise UnavailableError(f"can't read {file}: {error.strerror or error}") from error


def _members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the text files of an archive; nothing is unpacked to the disk."""
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if not member.isfile() or not member.name.endswith(".txt"):
                    continue
                file = archive.extractfile(member)
                if file is None or member.size > _LARGEST:
                    raise DataError(f"{path}: {member.name} is too large for predictions")
                yield member.name, file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(
            f"{path} is no readable archive of predictions: {error}",
            "give a folder, or a .tar.gz of one",
        ) from error


def _key(name: str, path: Path) -> str:
    folder, _, file = name.rpartition("/")
    if not folder:
        raise DataError(
            f"{path / name} lies in no event folder",
            "give the folder that holds the event folders, such as 0--Parade",
        )
    return f"{folder.rpartition('/')[2]}/{file.removesuffix('.txt')}"


def _body(content: bytes, file: str, odd: Counter[str]) -> list[str]:
    """Check a file's two head lines and give the others, counting what is ODD but harmless."""
    lines = content.decode("utf-8-sig", "replace").rstrip().splitlines()
    count = _count(lines, file)
    body = lines[2:]
    if len(body) != count and not all(map(str.strip, body)):
        body = _without_blanks(body, file)
    if len(body) < count:
        raise DataError(f"{file}: cut short, {count} detections told but {len(body)} there", _HINT)
    if len(body) > count:
        odd["hold more detections than their second line tells (all were read)"] += 1
    told = picture_name(lines[0].strip()).rpartition("/")[2]
    if not file.endswith(f"{told}.txt"):
        odd["name another picture in their first line (the file's own name was taken)"] += 1
    return body


def _without_blanks(body: list[str], file: str) -> list[str]:
    for number, line in enumerate(body, start=3):
        if line.strip() and (fault := _fault(line.split())):
            raise DataError(f"{file}:{number}: {fault}", _HINT)
    return [line for line in body if line.strip()]


def _count(lines: list[str], file: str) -> int:
    if len(lines) < 2:
        raise DataError(f"{file}: cut short, it holds no count of detections", _HINT)
    if not lines[1].strip().isdecimal():
        raise DataError(f"{file}:2: {lines[1][:40]!r} is no count of detections", _HINT)
    return int(lines[1])


def _tables(bodies: dict[str, tuple[str, list[str]]], path: Path) -> dict[str, NDArray[np.float64]]:
    """Turn each picture's lines into numbers, all in one go: one call a file takes thrice that."""
    lines = [line for _, body in bodies.values() for line in body]
    try:
        table = np.loadtxt(lines, comments=None, ndmin=2) if lines else np.empty((0, FIELDS))
    except ValueError:
        table = np.empty((0, 0))
    if table.shape != (len(lines), FIELDS) or not np.isfinite(table).all():
        raise DataError(_first_fault(bodies, path), _HINT)
    ends = np.cumsum([len(body) for _, body in bodies.values()])
    return dict(zip(bodies, np.split(table, ends[:-1]), strict=True))


def _first_fault(bodies: dict[str, tuple[str, list[str]]], path: Path) -> str:
    """Find the line that is not five finite numbers."""
    for name, body in bodies.values():
        for number, line in enumerate(body, start=3):
            if fault := _fault(line.split()):
                return f"{path / name}:{number}: {fault}"
    return f"{path}: a line is not five numbers"  # a spelling that only Python reads, as 1_0


def _fault(fields: list[str]) -> str | None:
    if len(fields) != FIELDS:
        return f"{len(fields)} numbers where {FIELDS} belong"
    for field in fields:
        try:
            finite = math.isfinite(float(field))
        except ValueError:
            finite = False
        if not finite:
            return f"{field[:40]!r} is no finite number"
    return None
