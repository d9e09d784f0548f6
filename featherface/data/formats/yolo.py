"""YOLO's layout: images under `images/`, one text file each under `labels/`, in relative units.

A line is `class cx cy w h`, with five `x y visible` (or `x y`) behind it where landmarks are
known; visible is 0 for a face without landmarks.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.data.annotation import UNKNOWN, collect
from featherface.data.images import SUFFIXES, image_size
from featherface.data.widerface import AbsentSplitError, Split
from featherface.errors import DataError
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from featherface.data.annotation import ImageAnnotation

FACE = 0
BARE, PAIRS, TRIPLES = 5, 15, 20
"""Numbers in a line: the box alone, with five points, with five points and their visibility."""
IMAGES = ("images/{split}", "{split}/images", "images")
OTHER_CLASS = "label of another class than 0"
INVALID = "face marked invalid"
CLIPPED = "box cut at the picture's border"
DATA = """# Faces, in YOLO's layout.
path: .
train: images/train
val: images/val
names:
  0: face
"""
POINTS = """kpt_shape: [5, 3]
flip_idx: [1, 0, 2, 4, 3]
"""


def open_yolo(root: Path, split: str) -> Split:
    """Read SPLIT below ROOT; pictures without a label file hold no face.

    Raises:
        DataError: no pictures are there, or a line is malformed; it is named.
    """
    folders = [root / pattern.format(split=split) for pattern in IMAGES]
    images = next((folder for folder in folders if folder.is_dir()), None)
    if images is None:
        raise AbsentSplitError(
            f"no pictures of split {split!r} in {root}",
            f"YOLO's layout has {root}/images/{split}/*.jpg and {root}/labels/{split}/*.txt",
        )
    labels = _labels(images)
    files = sorted(path for path in images.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise DataError(f"no picture below {images}", "check the folder")
    skipped = Counter[str]()
    entries = [
        (
            file.relative_to(images).as_posix(),
            _rows(labels / file.relative_to(images).with_suffix(".txt"), file, skipped),
        )
        for file in files
    ]
    return Split(root, split, images, collect(entries, skipped), "custom", labels)


def write_yolo(split: Split, out: Path) -> tuple[list[Path], Counter[str]]:
    """Write `labels/` and `data.yaml` below OUT; the pictures belong in `images/<split>`.

    Faces marked invalid are left out, as YOLO knows none to ignore; boxes are cut at the border.

    Returns:
        The folder and file written, and what was left out or changed.
    """
    told = Counter[str]()
    points = any(not np.isnan(image.landmarks).all() for image in split.images)
    folder = out / "labels" / split.name
    for image in split.images:
        size = image_size(split.path(image))
        lines = list(_lines(image, size, told, points=points))
        path = (folder / image.path).with_suffix(".txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, "".join(f"{line}\n" for line in lines))
    data = out / "data.yaml"
    _write(data, DATA + (POINTS if points else ""))
    return [folder, data], told


def _write(path: Path, text: str) -> None:
    insist(lambda: path.write_text(text, encoding="utf-8", newline="\n"), path)


def _labels(images: Path) -> Path:
    """Name the folder of labels that goes with IMAGES: the last `images` becomes `labels`."""
    parts = list(images.parts)
    place = len(parts) - 1 - parts[::-1].index("images")
    return images.__class__(*parts[:place], "labels", *parts[place + 1 :])


def _rows(labels: Path, picture: Path, skipped: Counter[str]) -> list[list[float]]:
    if not labels.is_file():
        return []
    width, height = image_size(picture)
    rows = []
    try:
        lines = labels.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{labels} is not UTF-8 text", "write the label file again") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        values = _numbers(line, labels, number)
        if values[0] != FACE:
            skipped[OTHER_CLASS] += 1
            continue
        rows.append(_row(values, width, height))
    return rows


def _numbers(line: str, file: Path, number: int) -> list[float]:
    try:
        values = [float(word) for word in line.split()]
    except ValueError:
        values = []
    shares = values[1:BARE]
    if len(values) not in (BARE, PAIRS, TRIPLES) or not all(map(math.isfinite, values)):
        raise DataError(
            f"{file}:{number}: expected class, centre and size as {BARE}, {PAIRS} or {TRIPLES} "
            f"numbers: {line[:80]!r}",
            "correct that line",
        )
    if not all(-0.01 <= share <= 1.01 for share in shares):
        raise DataError(
            f"{file}:{number}: {line[:80]!r} holds pixels; YOLO counts in shares of the picture",
            "divide by the picture's width and height",
        )
    return values


def _row(values: list[float], width: int, height: int) -> list[float]:
    across, down, wide, high = values[1:BARE]
    box = [(across - wide / 2) * width, (down - high / 2) * height, wide * width, high * height]
    step = 3 if len(values) == TRIPLES else 2
    rest = values[BARE:]
    triples = [rest[place : place + step] for place in range(0, len(rest), step)]
    marked = all(step == 2 or triple[2] > 0 for triple in triples)
    known = bool(triples) and marked and all(min(triple[:2]) >= 0 for triple in triples)
    points = [v for x, y, *_ in triples for v in (x * width, y * height)] if known else []
    return [*box, *(points or [math.nan] * 10), *([UNKNOWN] * 6)]


def _lines(
    image: ImageAnnotation, size: tuple[int, int], told: Counter[str], *, points: bool
) -> Iterator[str]:
    scale = np.array([*size, *size], dtype=np.float64)
    faces = zip(image.boxes, image.landmarks, image.attributes, strict=True)
    for box, landmarks, attributes in faces:
        if attributes[3] == 1:
            told[INVALID] += 1
            continue
        cut = np.clip(box, 0, scale)
        told[CLIPPED] += int(not np.array_equal(cut, box))
        left, top, right, bottom = (cut / scale).tolist()
        shares: list[Any] = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top]
        if points:
            shares += _triples(landmarks, size)
        yield " ".join([str(FACE), *(f"{share:.8g}" for share in shares)])


def _triples(landmarks: np.ndarray[Any, Any], size: tuple[int, int]) -> list[float]:
    if np.isnan(landmarks).any():
        return [0] * 15
    places = landmarks.reshape(5, 2).astype(np.float64) / size
    return [value for x, y in np.clip(places, 0, 1).tolist() for value in (x, y, 2)]
