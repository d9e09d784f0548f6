"""Conversion of data sets between the layouts of WIDER FACE, YOLO and COCO."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featherface.data.formats.coco import find_annotation, open_coco, write_coco
from featherface.data.formats.writing import write_retinaface, write_widerface
from featherface.data.formats.yolo import INVALID, open_yolo, write_yolo
from featherface.data.widerface import open_split
from featherface.errors import InterruptedRunError, RefusedError, UsageError
from featherface.filesystem.os_errors import unavailable
from featherface.progress import Progress, never, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from featherface.data.widerface import Split
    from featherface.progress import OnProgress, ShouldStop

IMAGES = ("copy", "link", "none")
"""What becomes of the pictures: copied, a second name for the same file, or left where they are."""


@dataclass(frozen=True)
class DatasetLayout:
    """One way to lay out a data set."""

    read: Callable[[Path, str, Path | None, bool], Split]
    """Of root, split, annotation, and whether boxes are x1 y1 x2 y2."""
    write: Callable[[Split, Path], tuple[list[Path], Counter[str]]]
    """Writes the annotation; returns what was written, and what was left out or changed."""
    images: str
    """Folder of the pictures, below the root."""


@dataclass(frozen=True)
class Converted:
    """What was done."""

    files: tuple[Path, ...]
    images: int
    faces: int
    """Faces written."""
    changed: Mapping[str, int]
    """What the new layout can't hold, and how often it was left out or changed."""


def convert(
    split: Split,
    to: str,
    out: Path,
    images: str = "copy",
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Converted:
    """Write SPLIT below OUT in the layout TO.

    Raises:
        RefusedError: the split is there already.
        UnavailableError: OUT can't be written.
        InterruptedRunError: SHOULD_STOP said so; a second call begins anew.
    """
    layout = LAYOUTS[to]
    folder = out / layout.images.format(split=split.name)
    if out.resolve() == split.root.resolve():
        raise UsageError(f"{out} is the data set itself", "choose another folder to write to")
    if folder.is_dir() and any(folder.iterdir()):
        raise RefusedError(f"{folder} holds pictures already", "choose another folder")
    try:
        if images != "none":
            _bring(split, folder, images, on_progress, should_stop)
        files, changed = layout.write(split, out)
    except OSError as error:
        raise unavailable(error, out, verb="write below") from error
    kept = {what: count for what, count in sorted(changed.items()) if count}
    faces = split.annotations.faces - changed[INVALID]
    return Converted(tuple(files), len(split.images), faces, kept)


def open_any(
    root: Path,
    split: str,
    layout: str | None = None,
    annotation: Path | None = None,
    *,
    corners: bool = False,
) -> Split:
    """Open SPLIT in any LAYOUT; None tells it by what lies there.

    With CORNERS boxes are x1 y1 x2 y2; YOLO's never are.
    """
    return LAYOUTS[layout or tell_layout(root, split)].read(root, split, annotation, corners)


def tell_layout(root: Path, split: str) -> str:
    """Tell the layout of SPLIT below ROOT by its files; WIDER FACE's where nothing speaks."""
    if find_annotation(root, split):
        return "coco"
    labels = (root / "labels" / split, root / split / "labels", root / "labels")
    return "yolo" if any(folder.is_dir() for folder in labels) else "widerface"


def _bring(
    split: Split, folder: Path, how: str, on_progress: OnProgress, should_stop: ShouldStop
) -> None:
    """Put the pictures of SPLIT into FOLDER; a link becomes a copy where the disk has none."""
    for done, image in enumerate(split.images, 1):
        if should_stop():
            raise InterruptedRunError(
                f"stopped after {done - 1:,} of {len(split.images):,} pictures",
                f"remove {folder} and run the command again",
            )
        target = folder / image.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if how == "copy" or not _linked(split.path(image), target):
            shutil.copy2(split.path(image), target)
        on_progress(Progress("pictures", done, len(split.images)))


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source.resolve(), target)
    except OSError:
        return False
    return True


def _write_widerface(split: Split, out: Path) -> tuple[list[Path], Counter[str]]:
    name = f"wider_face_{split.name}_bbx_gt.txt"
    files = [out / "wider_face_split" / name]
    write_widerface(files[0], split.images)
    if any(not np.isnan(image.landmarks).all() for image in split.images):
        files.append(out / split.name / "label.txt")
        write_retinaface(files[1], split.images)
    return files, Counter()


LAYOUTS: dict[str, DatasetLayout] = {
    "widerface": DatasetLayout(
        lambda root, split, file, corners: open_split(root, split, file, corners=corners),
        _write_widerface,
        "WIDER_{split}/images",
    ),
    "yolo": DatasetLayout(
        lambda root, split, *_: open_yolo(root, split), write_yolo, "images/{split}"
    ),
    "coco": DatasetLayout(
        lambda root, split, file, corners: open_coco(root, split, file, corners=corners),
        write_coco,
        "images/{split}",
    ),
}
"""What `thesis data convert` reads and writes."""
