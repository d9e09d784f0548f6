"""COCO's layout: one JSON file of images and boxes, with five keypoints where they are known.

WIDER FACE's attributes travel as a dictionary of each face; a face marked invalid is a crowd,
which COCO's evaluation ignores.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.data.annotation import ATTRIBUTES, UNKNOWN, collect, safe_path
from featherface.data.annotation_files import LARGEST_FILE
from featherface.data.corner_boxes import check_sizes
from featherface.data.images import image_size
from featherface.data.widerface import AbsentSplitError, Split
from featherface.errors import DataError, UsageError
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from featherface.data.annotation import ImageAnnotation

FACE = "face"
POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
IMAGES = ("images/{split}", "{split}", "{split}2017", "WIDER_{split}/images", "images")
FILES = ("annotations/instances_{split}.json", "instances_{split}.json", "{split}.json")
OTHER_CATEGORY = "box of another category than face"


def find_annotation(root: Path, split: str) -> Path | None:
    """Return COCO's annotation of SPLIT below ROOT; None where there is none."""
    files = [root / pattern.format(split=split) for pattern in FILES]
    return next((file for file in files if file.is_file()), None)


def open_coco(
    root: Path, split: str, annotation: Path | None = None, *, corners: bool = False
) -> Split:
    """Read SPLIT below ROOT; with CORNERS its boxes are x1 y1 x2 y2, which COCO's are not.

    Raises:
        DataError: the annotation or the pictures are missing, it is malformed, or its boxes are
            plainly corners.
    """
    file = annotation or find_annotation(root, split)
    if file is None:
        raise AbsentSplitError(
            f"no COCO annotation of split {split!r} in {root}",
            f"place it as {root}/annotations/instances_{split}.json, or give --annotation FILE",
        )
    content = read_annotation(file)
    try:
        entries, skipped = _entries(content, file)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{file}: not a COCO annotation ({type(error).__name__}: {error})",
            "it needs images, annotations and categories",
        ) from error
    folders = [root / pattern.format(split=split) for pattern in IMAGES]
    names = [name for name, _ in entries]
    images = next(
        (folder for folder in folders if any((folder / name).is_file() for name in names)), None
    )
    if images is None:
        looked = ", ".join(str(folder) for folder in folders)
        raise DataError(f"none of the pictures of {file} is in {looked}", "check the folder")
    annotations = collect(entries, skipped, corners=corners)
    there = [image for image in annotations.images if (images / image.path).is_file()]
    check_sizes(there, [image_size(images / image.path) for image in there], file)
    return Split(root, split, images, annotations, "custom", file)


def write_coco(split: Split, out: Path) -> tuple[list[Path], Counter[str]]:
    """Write `annotations/instances_<split>.json` below OUT; pictures belong in `images/<split>`.

    Returns:
        The file, and what was left out (nothing is).
    """
    pictures, boxes = [], []
    for number, image in enumerate(split.images, 1):
        width, height = image_size(split.path(image))
        pictures.append({"id": number, "file_name": image.path, "width": width, "height": height})
        boxes += [_box(image, face, number) for face in range(len(image.boxes))]
    content = {
        "info": {"description": f"faces, split {split.name}"},
        "images": pictures,
        "annotations": [{"id": number, **box} for number, box in enumerate(boxes, 1)],
        "categories": [{"id": 1, "name": FACE, "keypoints": POINTS, "skeleton": []}],
    }
    path = out / "annotations" / f"instances_{split.name}.json"
    write_atomic(path, json.dumps(content, ensure_ascii=False) + "\n")
    return [path], Counter()


def _box(image: ImageAnnotation, face: int, number: int) -> dict[str, Any]:
    left, top, right, bottom = image.boxes[face].astype(np.float64).tolist()
    points, known = image.landmarks[face], not np.isnan(image.landmarks[face]).any()
    attributes = dict(zip(ATTRIBUTES, image.attributes[face].tolist(), strict=True))
    told = {name: value for name, value in attributes.items() if value != UNKNOWN}
    triples = [
        v for x, y in points.reshape(5, 2).tolist() for v in ((x, y, 2) if known else (0, 0, 0))
    ]
    return {
        "image_id": number,
        "category_id": 1,
        "bbox": [left, top, right - left, bottom - top],
        "area": (right - left) * (bottom - top),
        "iscrowd": int(attributes["invalid"] == 1),
        "keypoints": triples,
        "num_keypoints": 5 * known,
        **({"attributes": told} if told else {}),
    }


def read_annotation(file: Path) -> Mapping[str, Any]:
    """Read the JSON object that a COCO annotation is.

    Raises:
        DataError: FILE is missing, too large, or no such object.
    """
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise DataError(f"{file} is larger than {LARGEST_FILE} bytes: no annotation file")
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise DataError(f"no annotation file {file}", "give the annotation file's path") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{file} is no JSON text: {error}", "fetch it again") from error
    if not isinstance(content, dict):
        raise DataError(
            f"{file}: not a COCO annotation", "it needs images, annotations, categories"
        )
    return content


def _entries(
    content: Mapping[str, Any], file: Path
) -> tuple[list[tuple[str, list[list[float]]]], Counter[str]]:
    category = _category(content["categories"], file)
    rows: dict[int, list[list[float]]] = {int(image["id"]): [] for image in content["images"]}
    skipped = Counter[str]()
    for annotation in content["annotations"]:
        if annotation["category_id"] != category:
            skipped[OTHER_CATEGORY] += 1
            continue
        if annotation["image_id"] not in rows:
            box, picture = annotation.get("id"), annotation["image_id"]
            raise ValueError(f"box {box} is of picture {picture}, which is not there")
        rows[annotation["image_id"]].append(_row(annotation))
    named = [
        (safe_path(str(image["file_name"]), file), rows[int(image["id"])])
        for image in content["images"]
    ]
    return named, skipped


def _category(categories: list[Mapping[str, Any]], file: Path) -> int:
    named = {str(category["name"]).lower(): int(category["id"]) for category in categories}
    if FACE in named:
        return named[FACE]
    if len(named) == 1:
        return next(iter(named.values()))
    raise UsageError(
        f"{file} has no category 'face' among {', '.join(sorted(named)) or 'none'}",
        "rename the category of faces to 'face'",
    )


def _row(annotation: Mapping[str, Any]) -> list[float]:
    box = [float(value) for value in annotation["bbox"]]
    if len(box) != 4 or not all(map(math.isfinite, box)):
        raise ValueError(f"bbox {annotation['bbox']!r}")
    triples = [float(value) for value in annotation.get("keypoints") or []]
    known = len(triples) == 15 and all(visible > 0 for visible in triples[2::3])
    points = [v for place, v in enumerate(triples) if place % 3 < 2] if known else [math.nan] * 10
    told = annotation.get("attributes") or {}
    attributes = [int(told.get(name, UNKNOWN)) for name in ATTRIBUTES]
    if attributes[3] == UNKNOWN and annotation.get("iscrowd"):
        attributes[3] = 1
    return [*box, *points, *attributes]
