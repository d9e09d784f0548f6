"""Writing annotations as WIDER FACE and RetinaFace do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from featherface.data.annotation import UNKNOWN
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from featherface.data.annotation import ImageAnnotation


def write_widerface(path: Path, images: Sequence[ImageAnnotation]) -> None:
    """Write a `wider_face_*_bbx_gt.txt`; attributes that nobody knows become 0, their default.

    Coordinates are whole pixels where they are; fractions keep three places, which the official
    files never have.
    """
    lines = []
    for image in images:
        lines += [image.path, str(len(image.boxes))]
        if not len(image.boxes):
            lines.append("0 " * 10)  # as the official files do
        known = np.where(image.attributes == UNKNOWN, 0, image.attributes)
        for box, attributes in zip(image.boxes, known, strict=True):
            lines.append(_numbers([*_xywh(box), *attributes.tolist()]) + " ")
    _write_lines(path, lines)


def write_retinaface(path: Path, images: Sequence[ImageAnnotation]) -> None:
    """Write a RetinaFace `label.txt`; -1 where landmarks are not known."""
    lines = []
    for image in images:
        lines.append(f"# {image.path}")
        for box, points in zip(image.boxes, image.landmarks, strict=True):
            known = not np.isnan(points).any()
            triples = [
                value
                for x, y in points.reshape(5, 2).tolist()
                for value in ((round(x, 3), round(y, 3), 0.0) if known else (-1.0, -1.0, -1.0))
            ]
            lines.append(_numbers([*_xywh(box), *triples, 1.0]))
    _write_lines(path, lines)


def _xywh(box: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[float]:
    left, top, right, bottom = (_whole(value) for value in box.tolist())
    return [left, top, _whole(right - left), _whole(bottom - top)]


def _whole(value: float) -> float:
    shown = round(value, 3)
    return int(shown) if float(shown).is_integer() else shown


def _numbers(values: Sequence[float]) -> str:
    return " ".join(str(value) for value in values)


def _write_lines(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines)
    insist(lambda: path.write_text(text, encoding="utf-8", newline="\n"), path)
