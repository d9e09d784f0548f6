"""WIDER FACE's `.mat` annotation files: cells by event, then by picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.data.annotation import ATTRIBUTES, Annotations, collect
from featherface.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from featherface.data.annotation import ImageAnnotation


HEADER = b"MATLAB 5.0 MAT-file, written without a date".ljust(116)
"""The free text that such a file begins with."""


def read_matlab(path: Path, *, corners: bool = False) -> Annotations:
    """Read the faces of a `wider_face_*.mat`; boxes of zero size are skipped and counted.

    Raises:
        DataError: the file is missing, damaged or not one of WIDER FACE's.
    """
    content = _load(path)
    try:
        return collect(list(_entries(content)), corners=corners)
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} does not hold WIDER FACE's lists ({type(error).__name__}: {error})",
            "use the wider_face_*.mat of the official annotation archive",
        ) from error


def _load(path: Path) -> Mapping[str, Any]:
    from scipy.io import loadmat  # noqa: PLC0415 - slow to import, rarely needed

    try:
        content: Mapping[str, Any] = loadmat(path)
    except FileNotFoundError:
        raise DataError(f"no annotation file {path}", "give the path of a .mat file") from None
    except Exception as error:  # scipy raises whatever a damaged file provokes
        raise DataError(f"{path} is not a readable .mat file: {error}", "fetch it again") from error
    return content


def _entries(content: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    for event, (name,) in enumerate(content["event_list"]):
        for picture, (file,) in enumerate(content["file_list"][event, 0]):
            boxes = content["face_bbx_list"][event, 0][picture, 0].reshape(-1, 4)
            known = [
                content[f"{attribute}_label_list"][event, 0][picture, 0].reshape(-1, 1)
                for attribute in ATTRIBUTES
            ]
            points = np.full((len(boxes), 10), np.nan)
            yield f"{name[0]}/{file[0]}.jpg", list(np.concatenate([boxes, points, *known], axis=1))


def write_matlab(path: Path, lists: Mapping[str, Any]) -> None:
    """Write a `.mat` file whose bytes follow from LISTS alone: its header holds no time."""
    from scipy.io import savemat  # noqa: PLC0415 - slow to import, and only drawing needs it

    savemat(path, dict(lists))
    with path.open("r+b") as file:
        file.write(HEADER)


def matlab_lists(
    images: Sequence[ImageAnnotation], kept: Sequence[Sequence[int]] | None = None
) -> dict[str, Any]:
    """Lay out IMAGES as the official files do, for `scipy.io.savemat`.

    `kept` holds, for each picture, the indices from 0 of the faces that count; it becomes the
    `gt_list` (from 1) of the easy, medium and hard files.
    """
    events = list(dict.fromkeys(image.path.split("/")[0] for image in images))
    members = [[i for i, image in enumerate(images) if _event(image) == e] for e in events]
    boxes = [np.rint(_xywh(image)).astype(np.int32) for image in images]
    lists: dict[str, Any] = {
        "event_list": _cells([np.array([event]) for event in events]),
        "file_list": _by_event(members, [np.array([_stem(image)]) for image in images]),
        "face_bbx_list": _by_event(members, boxes),
    }
    for column, attribute in enumerate(ATTRIBUTES):
        values = [image.attributes[:, column : column + 1].astype(np.uint8) for image in images]
        lists[f"{attribute}_label_list"] = _by_event(members, values)
    if kept is not None:
        chosen = [np.asarray(faces, dtype=np.uint8).reshape(-1, 1) + 1 for faces in kept]
        lists["gt_list"] = _by_event(members, chosen)
    return lists


def _event(image: ImageAnnotation) -> str:
    return image.path.split("/")[0]


def _stem(image: ImageAnnotation) -> str:
    return image.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def _xywh(image: ImageAnnotation) -> Any:
    boxes = image.boxes.copy()
    boxes[:, 2:] -= boxes[:, :2]
    return boxes


def _cells(values: Sequence[Any]) -> Any:
    """Return a column of cells."""
    column = np.empty((len(values), 1), dtype=object)
    for index, value in enumerate(values):
        column[index, 0] = value
    return column


def _by_event(members: Sequence[Sequence[int]], values: Sequence[Any]) -> Any:
    return _cells([_cells([values[index] for index in indices]) for indices in members])
