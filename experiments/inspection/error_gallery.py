"""Gallery of the worst misses and false alarms, as plain values and as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.accuracy import WIDEST
from featherface.data.annotation import ATTRIBUTES
from featherface.data.images import open_picture
from featherface.errors import DataError
from featherface.evaluation import operating_point
from featherface.evaluation.breakdown import VALUES
from featherface.evaluation.failures import worst_false_alarms, worst_misses
from featherface.inference.crops import Scene, crop, region, touches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from PIL.Image import Image

    from experiments.inspection.detection_review import DetectionReview
    from featherface.evaluation.failures import Box, Failure

SHOWN = 24
"""Misses, and false alarms, that a gallery shows unless it is told otherwise."""


def gather(
    case: DetectionReview,
    *,
    score: float,
    subset: str = WIDEST,
    misses: int = SHOWN,
    false_alarms: int = SHOWN,
) -> dict[str, Any]:
    """Return how much was missed and found wrongly at SCORE, and the worst of it.

    The largest faces of SUBSET that were missed, and the surest false alarms.
    """
    pairing = case.result.pairing
    at = operating_point.point(pairing, subset, score)
    missed = worst_misses(pairing, subset, score, misses)
    wrong = worst_false_alarms(pairing, subset, score, false_alarms)
    return {
        "name": case.name,
        "images": case.result.images,
        "complete": case.result.complete,
        "subset": subset,
        "score": score,
        "faces": at.faces,
        "missed": at.faces - at.found,
        "proposals": at.proposals,
        "false": at.proposals - at.found,
        "misses": [_shown(case, failure, score) for failure in missed],
        "false_alarms": [_shown(case, failure, score) for failure in wrong],
    }


def draw_crops(
    shown: list[dict[str, Any]], files: Mapping[str, Path], side: int
) -> Iterator[Image]:
    """Yield a crop of SIDE x SIDE pixels for each mistake of `gather`; the same picture once.

    Raises:
        DataError: a picture is not there, or damaged.
    """
    known: tuple[str, Image] | None = None
    for failure in shown:
        name = failure["picture"]
        if name not in files:
            raise DataError(
                f"the picture {name} is not there: its mistakes can't be shown",
                "put the data set back, or give its pictures with --images DIR",
            )
        if known is None or known[0] != name:
            known = name, open_picture(files[name])
        scene = Scene(
            target=_box(failure["box"]),
            missed="height" in failure,
            faces=tuple(map(_box, failure["faces"])),
            detections=tuple(map(_box, failure["detections"])),
        )
        yield crop(known[1], scene, side)


def _shown(case: DetectionReview, failure: Failure, score: float) -> dict[str, Any]:
    pairing = case.result.pairing
    row = pairing.images.index(failure.picture)
    faces = pairing.faces[pairing.face_picture == row].tolist()
    sure = (pairing.picture == row) & (pairing.scores >= score)
    entry: dict[str, Any] = {
        "picture": failure.picture,
        "box": list(failure.box),
        "kind": failure.kind,
        "score": failure.score,
        "overlap": failure.overlap,
        "faces": _near(failure, faces),
        "detections": _near(failure, pairing.table[sure, :4].tolist()),
    }
    if failure.face is not None:
        entry["height"] = failure.box[3]
        entry["attributes"] = _attributes(case, failure.face)
    return entry


def _near(failure: Failure, boxes: list[list[float]]) -> list[list[float]]:
    """Keep the other boxes that a crop of FAILURE shows."""
    view = region(failure.box)
    others = (box for box in boxes if tuple(box) != failure.box)
    return [box for box in others if touches(view, _box(box))]


def _attributes(case: DetectionReview, face: int) -> dict[str, str]:
    """Name those attributes of a face that are not the usual ones."""
    codes = np.maximum(case.labels.attributes[face], 0).tolist()
    attributes = {}
    for name, values in VALUES.items():
        code = codes[ATTRIBUTES.index(name)]
        if 0 < code < len(values):
            attributes[name] = values[code]
    return attributes


def _box(values: list[float]) -> Box:
    x, y, width, height = values
    return x, y, width, height
