"""Opening a split of WIDER FACE, or of a set in its layout."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from featherface.data.annotation import MISSING, OUTSIDE, Annotations
from featherface.data.annotation_files import read_annotation
from featherface.data.corner_boxes import check_sizes
from featherface.data.images import image_size
from featherface.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.data.annotation import ImageAnnotation

MARKER = "synthetic.json"
"""File at the root of a set that was drawn, not photographed."""
IMAGES = ("WIDER_{split}/images", "WIDER_{split}/WIDER_{split}/images", "{split}/images", "images")
WITH_LANDMARKS = ("{split}/label.txt", "WIDER_{split}/label.txt", "label.txt")
OFFICIAL = (
    "wider_face_split/wider_face_{split}_bbx_gt.txt",
    "wider_face_split/wider_face_split/wider_face_{split}_bbx_gt.txt",
    "wider_face_{split}_bbx_gt.txt",
    "wider_face_split/wider_face_{split}.mat",
    "wider_face_{split}.mat",
    "ground_truth/wider_face_{split}.mat",
)


class AbsentSplitError(DataError):
    """A split is not there at all; one that is there and damaged is another DataError."""


@dataclass(frozen=True, eq=False)
class Split:
    """The pictures and faces of one part of a data set."""

    root: Path
    name: str
    """`train`, `val` or another name."""
    images_folder: Path
    annotations: Annotations
    kind: str
    """`widerface`, `synthetic` or `custom`."""
    annotation_file: Path
    whole: int = 0
    """Pictures that were there before a limit; 0 where there was none."""

    @property
    def images(self) -> tuple[ImageAnnotation, ...]:
        """The pictures with their faces."""
        return self.annotations.images

    def path(self, image: ImageAnnotation) -> Path:
        """Return the picture's file."""
        return self.images_folder / image.path

    def limit(self, count: int | None) -> Split:
        """Return the split with its first COUNT pictures; None keeps all."""
        if count is None or count >= len(self.images):
            return self
        kept = Annotations(self.images[:count], self.annotations.skipped)
        return replace(self, annotations=kept, whole=self.whole or len(self.images))


def open_split(
    root: Path, split: str, annotation: Path | None = None, *, corners: bool = False
) -> Split:
    """Find the images folder and annotation of SPLIT under ROOT.

    Looks for the official layout (unpacked archives side by side), for annotation files directly
    in ROOT, and for RetinaFace's `train/label.txt`, whose landmarks are preferred for training (the
    attributes it lacks are taken from the official file, where that is there too).
    Boxes of zero size or outside their picture, and pictures that are missing where others are
    there, are left out and counted in `annotations.skipped`. With CORNERS boxes are x1 y1 x2 y2.

    Raises:
        AbsentSplitError: it is not there; the message says what to place where.
        DataError: a file is malformed or damaged, or its boxes are plainly corners.
    """
    if not split or not all(letter.isalnum() or letter in "-_" for letter in split):
        raise UsageError(f"split {split!r}: must be a plain name", "use train or val")
    images = next((folder for folder in _candidates(root, IMAGES, split) if folder.is_dir()), None)
    if images is None:
        raise AbsentSplitError(f"no images of split {split!r} in {root}", placement(root, split))
    file = annotation or _annotation_file(root, split)
    if file is None:
        raise AbsentSplitError(
            f"no annotation of split {split!r} in {root}", placement(root, split)
        )
    annotations = read_annotation(file, corners=corners)
    official = _first_file(root, OFFICIAL, split) if annotation is None else None
    if official is not None and official != file:
        annotations = _with_attributes(annotations, read_annotation(official))
    annotations = _inside(annotations, images, file)
    if not annotations.images:
        raise DataError(f"{images} holds none of the pictures of {file}", placement(root, split))
    if (root / MARKER).is_file():
        kind = "synthetic"
    else:
        kind = "widerface" if annotation is None else "custom"
    return Split(root, split, images, annotations, kind, file)


def landmark_annotations(root: Path, split: str) -> tuple[ImageAnnotation, ...]:
    """Read RetinaFace's label.txt of SPLIT under ROOT, which holds landmarks; () without one.

    Raises:
        DataError: the file is malformed.
    """
    file = _first_file(root, WITH_LANDMARKS, split)
    return () if file is None else read_annotation(file).images


def placement(root: Path, split: str) -> str:
    """Say which official files go where for SPLIT."""
    return (
        f"unpack the official WIDER_{split}.zip so that {root}/WIDER_{split}/images/EVENT/*.jpg"
        f" exist, and wider_face_split.zip so that"
        f" {root}/wider_face_split/wider_face_{split}_bbx_gt.txt exists"
        f" (RetinaFace's landmarks go to {root}/{split}/label.txt);"
        " or draw the synthetic set: thesis data synth"
    )


def _annotation_file(root: Path, split: str) -> Path | None:
    order = (OFFICIAL, WITH_LANDMARKS) if split == "val" else (WITH_LANDMARKS, OFFICIAL)
    return _first_file(root, order[0] + order[1], split)


def _first_file(root: Path, patterns: tuple[str, ...], split: str) -> Path | None:
    return next((file for file in _candidates(root, patterns, split) if file.is_file()), None)


def _with_attributes(labelled: Annotations, official: Annotations) -> Annotations:
    """Fill in the attributes that RetinaFace's file lacks, where both hold the same boxes."""
    known = {image.path: image for image in official.images}
    images = tuple(
        replace(image, attributes=same.attributes)
        if (same := known.get(image.path)) and np.array_equal(same.boxes, image.boxes)
        else image
        for image in labelled.images
    )
    return Annotations(images, labelled.skipped)


def _candidates(root: Path, patterns: tuple[str, ...], split: str) -> list[Path]:
    return [root / pattern.format(split=split) for pattern in patterns]


def _inside(annotations: Annotations, images: Path, file: Path) -> Annotations:
    """Drop the pictures that are missing and the boxes outside their picture, counting both."""
    there = [image for image in annotations.images if (images / image.path).is_file()]
    sizes = [image_size(images / image.path) for image in there]
    check_sizes(there, sizes, file)
    kept, skipped = [], Counter(annotations.skipped)
    skipped += Counter({MISSING: len(annotations.images) - len(there)})
    for image, (width, height) in zip(there, sizes, strict=True):
        left, top, right, bottom = image.boxes.T
        seen = (left < width) & (top < height) & (right > 0) & (bottom > 0)
        if not seen.all():
            skipped[OUTSIDE] += int((~seen).sum())
        kept.append(image.keep(seen))
    return Annotations(tuple(kept), skipped)
