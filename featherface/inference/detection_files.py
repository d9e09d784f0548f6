"""Detections of pictures as the files that other programs read: WIDER FACE's text, COCO's JSON.

Sources: http://shuoyang1213.me/WIDERFACE/ for the text, https://cocodataset.org/#format-data and
https://cocodataset.org/#format-results for the JSON.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.data.formats.coco import FACE, POINTS, read_annotation
from featherface.errors import DataError, UsageError
from featherface.evaluation.names import picture_name
from featherface.evaluation.predictions import write_prediction
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from featherface.geometry.detections import Detections

CATEGORY = 1
"""COCO's number of the category `face`, where no annotation says another."""
INSIDE, OUTSIDE = 2, 1
"""Visibility of a landmark: within the picture; told by the network, but beyond its border."""


@dataclass(frozen=True)
class DetectedPicture:
    """A picture that was looked at."""

    path: Path
    width: int
    """Pixels, turned as its EXIF orientation asks."""
    height: int
    detections: Detections


@dataclass(frozen=True)
class ImageNumbers:
    """By which numbers COCO's files call the pictures, and the category of faces."""

    numbers: Mapping[Path, int]
    names: Mapping[Path, str]
    """Their `file_name`, with forward slashes."""
    category: int = CATEGORY


def wider_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Name each picture as WIDER FACE does: its folder is the event, `event/stem`.

    Raises:
        UsageError: two have the same name.
    """
    names: dict[Path, str] = {}
    taken: dict[str, Path] = {}
    for path in paths:
        name = picture_name("/".join(path.resolve().parts[-2:]))
        if name in taken:
            raise UsageError(
                f"two pictures are called {name}: {taken[name]} and {path}",
                "save them apart, or give their folders different names",
            )
        taken[name] = path
        names[path] = name
    return names


def check_wider_folder(folder: Path, names: Mapping[Path, str]) -> None:
    """Refuse a FOLDER in which predictions of pictures other than NAMES lie.

    Raises:
        UsageError: the evaluation would read both together.
    """
    wanted = {f"{name}.txt" for name in names.values()}
    there = (file.relative_to(folder).as_posix() for file in folder.rglob("*.txt"))
    if strange := next((name for name in there if name not in wanted), None):
        raise UsageError(
            f"{folder} holds predictions of another picture, {strange}",
            "choose another folder, or remove that one",
        )


def write_wider(folder: Path, pictures: Sequence[DetectedPicture]) -> None:
    """Write `event/stem.txt` below FOLDER for each of PICTURES, those without a face too.

    `featherface.evaluation.predictions.read_predictions` reads back what `Detections.rows` gives:
    corners cut to whole pixels, scores rounded to six digits, as the original program does.
    """
    names = wider_names([picture.path for picture in pictures])
    for picture in pictures:
        write_prediction(folder, names[picture.path], picture.detections.rows())


def numbered(paths: Sequence[Path]) -> ImageNumbers:
    """Number pictures from 1 in their order, named by their path below the folder they share."""
    whole = [path.resolve() for path in paths]
    try:
        shared = Path(os.path.commonpath([path.parent for path in whole]))
        names = [path.relative_to(shared).as_posix() for path in whole]
    except ValueError:  # on several drives of Windows
        names = [path.as_posix() for path in whole]
    return ImageNumbers(
        {path: number for number, path in enumerate(paths, 1)},
        dict(zip(paths, names, strict=True)),
    )


def numbers_of(annotation: Path, paths: Sequence[Path]) -> ImageNumbers:
    """Take numbers and names of pictures from a COCO ANNOTATION, found by the end of their path.

    Raises:
        DataError: it is no such file.
        UsageError: a picture is not in it, or is there twice.
    """
    content = read_annotation(annotation)
    try:
        known = [(str(image["file_name"]), int(image["id"])) for image in content["images"]]
        categories = {
            str(each["name"]).lower(): int(each["id"]) for each in content.get("categories", [])
        }
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{annotation}: not a COCO annotation ({type(error).__name__}: {error})",
            "it needs images with file_name and id",
        ) from error
    table = {name.replace("\\", "/"): number for name, number in known}
    if len(table) < len(known):
        raise UsageError(
            f"{annotation} names a picture twice", "give the annotation of one set of pictures"
        )
    names = {path: _known_name(path, table, annotation) for path in paths}
    numbers = {path: table[name] for path, name in names.items()}
    first = next(iter(categories.values())) if len(categories) == 1 else CATEGORY
    return ImageNumbers(numbers, names, categories.get(FACE, first))


def _known_name(path: Path, table: Mapping[str, int], annotation: Path) -> str:
    parts = path.resolve().parts[1:]
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    name = next((end for end in ends if end in table), None)
    if name is None:
        raise UsageError(
            f"{annotation} knows no picture {path.name}",
            "give the annotation that belongs to these pictures, or leave --ids-from out",
        )
    return name


def write_coco(file: Path, pictures: Sequence[DetectedPicture], known: ImageNumbers) -> None:
    """Write FILE as a data set: images, categories, and the detections as annotations.

    Annotation tools and `pycocotools.coco.COCO` read it; each face also has its `score`.
    """
    images = [
        {
            "id": known.numbers[each.path],
            "file_name": known.names[each.path],
            "width": each.width,
            "height": each.height,
        }
        for each in pictures
    ]
    faces = [
        {"id": number, **face, "iscrowd": 0, "num_keypoints": len(POINTS)}
        for number, face in enumerate(_faces(pictures, known), 1)
    ]
    category = {"id": known.category, "name": FACE, "keypoints": POINTS, "skeleton": []}
    content = {
        "info": {"description": "faces found by thesis detect"},
        "images": images,
        "annotations": faces,
        "categories": [category],
    }
    write_atomic(file, json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")


def write_coco_results(
    file: Path, pictures: Sequence[DetectedPicture], known: ImageNumbers
) -> None:
    """Write FILE as the list that COCO's evaluation loads against an annotation (`loadRes`)."""
    faces = list(_faces(pictures, known))
    write_atomic(file, json.dumps(faces, ensure_ascii=False, allow_nan=False) + "\n")


def _faces(pictures: Sequence[DetectedPicture], known: ImageNumbers) -> Iterator[dict[str, Any]]:
    for picture in pictures:
        for row in range(len(picture.detections)):
            yield _face(picture, row, known)


def _face(picture: DetectedPicture, row: int, known: ImageNumbers) -> dict[str, Any]:
    """Describe one face; its box and landmarks may reach over the picture's border."""
    found = picture.detections
    left, top, right, bottom = found.boxes[row].astype(np.float64).tolist()
    points = found.landmarks[row].astype(np.float64).reshape(5, 2).tolist()
    keypoints = [
        value
        for x, y in points
        for value in (
            x,
            y,
            INSIDE if 0 <= x < picture.width and 0 <= y < picture.height else OUTSIDE,
        )
    ]
    return {
        "image_id": known.numbers[picture.path],
        "file_name": known.names[picture.path],
        "category_id": known.category,
        "bbox": [left, top, right - left, bottom - top],
        "area": (right - left) * (bottom - top),
        "score": float(found.scores[row]),
        "keypoints": keypoints,
    }
