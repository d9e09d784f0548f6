"""Ground truth of the three subsets, from the official lists or from the text annotation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.errors import DataError
from featherface.evaluation.names import picture_name, some

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featherface.data.annotation import ImageAnnotation

SUBSETS = ("easy", "medium", "hard")
OFFICIAL = "official lists"
BUILT = "built from annotation"
LISTS = ("wider_face_val.mat", *(f"wider_{subset}_val.mat" for subset in SUBSETS))

HEIGHTS = {"easy": 50, "medium": 30, "hard": 10}
"""A face that is not marked invalid counts in a subset when it is taller than so many pixels.

WIDER FACE publishes the subsets as lists, without their rule. This one was fitted to them: over
the 39,708 boxes of the validation set it shares 98.8, 98.2 and 97.5 percent of the faces (those
in both, of those in either), so an AP built on it is near the official one but is not it.
"""

_BUILT_WARNING = (
    "the official lists are missing: easy, medium and hard were built from face heights above"
    f" {', '.join(map(str, HEIGHTS.values()))} pixels, which is near the lists but not equal"
)
_INVALID = 3  # column of the attributes: blur, expression, illumination, invalid, occlusion, pose
_HINT = (
    "get eval_tools.zip from http://shuoyang1213.me/WIDERFACE/ and give its ground_truth folder,"
    " or give a folder with wider_face_val_bbx_gt.txt"
)


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """The faces of some pictures, and which of them each subset asks for."""

    images: tuple[str, ...]
    """`event/name` without file ending."""
    boxes: tuple[NDArray[np.float64], ...]
    """Per picture (n, 4): x, y, width, height in pixels."""
    subsets: Mapping[str, tuple[NDArray[np.intp], ...]]
    """Per subset and picture, the rows of `boxes` that count; the others are ignored."""
    source: str
    """`official lists` or `built from annotation`."""
    whole: int
    """Pictures of the set before any restriction."""
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    """What it was read from."""

    @property
    def complete(self) -> bool:
        """Whether every picture of the set is there."""
        return len(self.images) == self.whole

    def faces(self, subset: str) -> int:
        """Count the faces that SUBSET asks for."""
        return sum(map(len, self.subsets[subset]))

    def restrict(self, names: Iterable[str]) -> GroundTruth:
        """Keep the pictures in NAMES (with or without file ending), in this set's own order.

        Raises:
            DataError: none of them is in this ground truth.
        """
        wanted = {picture_name(name) for name in names}
        rows = [row for row, name in enumerate(self.images) if name in wanted]
        if not rows:
            raise DataError(
                f"none of the {len(wanted):,} pictures is in the ground truth:"
                f" it holds {some(list(self.images), 1)}, given were {some(sorted(wanted), 1)}",
                "check that pictures and ground truth are of the same set",
            )
        return replace(
            self,
            images=tuple(self.images[row] for row in rows),
            boxes=tuple(self.boxes[row] for row in rows),
            subsets={key: tuple(kept[row] for row in rows) for key, kept in self.subsets.items()},
            warnings=self.warnings + _strangers(wanted.difference(self.images)),
        )


def read_ground_truth(path: Path, split: str = "val") -> GroundTruth:
    """Read the official lists below PATH or, where there are none, build from the annotation.

    Of several annotations SPLIT's is taken.

    Raises:
        DataError: PATH holds neither, or only a part of the lists.
    """
    if path.is_file() and path.suffix == ".txt":
        return _from_text(path)
    if folder := _lists_folder(path):
        return read_official(folder)
    texts = sorted(path.glob("**/wider_face_*_bbx_gt.txt"))
    texts = [path for path in texts if path.name == f"wider_face_{split}_bbx_gt.txt"] or texts
    if len(texts) != 1:
        holding = f"{len(texts)} annotations" if texts else "no ground truth"
        raise DataError(f"{holding} in {path}: no {LISTS[0]} with its three lists", _HINT)
    return _from_text(texts[0])


def read_official(folder: Path) -> GroundTruth:
    """Read the four official lists of the validation set (.mat files) in FOLDER.

    Raises:
        DataError: a list is missing, damaged, or does not fit the others.
    """
    missing = [name for name in LISTS if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder} lacks {', '.join(missing)}", _HINT)
    faces = _cells(folder / LISTS[0], "event_list", "file_list", "face_bbx_list")
    events = [_text(event) for event in faces["event_list"]]
    files = [np.ravel(event) for event in faces["file_list"]]
    tables = [np.ravel(event) for event in faces["face_bbx_list"]]
    try:
        boxes = tuple(
            np.asarray(table, dtype=np.float64).reshape(-1, 4)
            for event in tables
            for table in event
        )
    except ValueError as error:
        raise DataError(
            f"{folder / LISTS[0]}: face_bbx_list holds no boxes of 4 numbers"
        ) from error
    images = tuple(
        f"{event}/{_text(name)}"
        for event, names in zip(events, files, strict=True)
        for name in names
    )
    if len(boxes) != len(images):
        raise DataError(f"{folder / LISTS[0]}: {len(images)} pictures but {len(boxes)} face lists")
    return GroundTruth(
        images=images,
        boxes=boxes,
        subsets={subset: _kept(folder / f"wider_{subset}_val.mat", boxes) for subset in SUBSETS},
        source=OFFICIAL,
        whole=len(images),
        files=tuple(folder / name for name in LISTS),
    )


def from_annotations(annotations: Sequence[ImageAnnotation]) -> GroundTruth:
    """Build the subsets from face heights and the invalid mark, where the lists are missing.

    See `HEIGHTS` for the rule and how near it comes to the official lists.
    """
    boxes = tuple(_sizes(annotation.boxes) for annotation in annotations)
    valid = [np.asarray(annotation.attributes)[:, _INVALID] == 0 for annotation in annotations]
    return GroundTruth(
        images=tuple(picture_name(annotation.path) for annotation in annotations),
        boxes=boxes,
        subsets={
            subset: tuple(
                np.flatnonzero(right & (table[:, 3] > height))
                for table, right in zip(boxes, valid, strict=True)
            )
            for subset, height in HEIGHTS.items()
        },
        source=BUILT,
        whole=len(boxes),
        warnings=(_BUILT_WARNING,),
    )


def _from_text(path: Path) -> GroundTruth:
    from featherface.data.annotation_files import read_widerface  # noqa: PLC0415 - only where needed

    return replace(from_annotations(read_widerface(path).images), files=(path,))


def _sizes(corners: NDArray[Any]) -> NDArray[np.float64]:
    """Turn (n, 4) x1, y1, x2, y2 into x, y, width, height."""
    boxes = np.asarray(corners, dtype=np.float64).reshape(-1, 4)
    return np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])


def _lists_folder(path: Path) -> Path | None:
    """Find the folder that holds at least one of the lists: PATH or one below it."""
    if not path.is_dir():
        raise DataError(f"there is no ground-truth folder {path}", _HINT)
    usual = [path, path / "ground_truth", path / "eval_tools" / "ground_truth"]
    folders = [folder for folder in usual if any((folder / name).is_file() for name in LISTS)]
    return folders[0] if folders else next((file.parent for file in path.rglob(LISTS[0])), None)


def _cells(path: Path, *names: str) -> dict[str, NDArray[Any]]:
    """Read the named cell arrays of a .mat file, each flattened to one axis."""
    from scipy.io import loadmat  # noqa: PLC0415 - slow to import

    try:
        content = loadmat(path, variable_names=names)
        return {name: np.ravel(content[name]) for name in names}
    except KeyError as error:
        raise DataError(f"{path} holds no {error}: it is no WIDER FACE list", _HINT) from error
    except Exception as error:  # scipy raises many kinds on a damaged file
        raise DataError(f"{path} is damaged or no MATLAB file: {error}", _HINT) from error


def _text(cell: Any) -> str:
    while isinstance(cell, np.ndarray) and cell.size:
        cell = cell.flat[0]
    return str(cell)


def _kept(path: Path, boxes: tuple[NDArray[np.float64], ...]) -> tuple[NDArray[np.intp], ...]:
    """Read a subset's list: per picture the one-based numbers of its faces; zero-based here."""
    rows = [kept for event in _cells(path, "gt_list")["gt_list"] for kept in np.ravel(event)]
    if len(rows) != len(boxes):
        raise DataError(f"{path} lists {len(rows)} pictures, {LISTS[0]} {len(boxes)}", _HINT)
    lengths = [row.size for row in rows]
    kept = np.concatenate([row.ravel() for row in rows]).astype(np.intp) - 1
    sizes = np.repeat([len(table) for table in boxes], lengths)
    if np.any((kept < 0) | (kept >= sizes)):
        raise DataError(f"{path} asks for a face that {LISTS[0]} does not hold", _HINT)
    return tuple(np.split(kept, np.cumsum(lengths)[:-1]))


def _strangers(names: Iterable[str]) -> tuple[str, ...]:
    strange = sorted(names)
    if not strange:
        return ()
    return (f"pictures that are not in the ground truth: {len(strange):,} ({some(strange)})",)
