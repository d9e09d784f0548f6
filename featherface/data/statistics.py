"""Statistics of a split: heights of faces, faces per picture, attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.data.annotation import ATTRIBUTES, UNKNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featherface.data.widerface import Split

HEIGHT_EDGES = (0, 10, 20, 30, 50, 100, 300)
"""Pixels; WIDER FACE's scales start at 10 (small), 50 (medium) and 300 (large)."""
CROWDS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 500)
"""Faces in a picture from which a range begins."""


def statistics(split: Split) -> dict[str, Any]:
    """Return pictures, faces, landmarks, heights, attributes and what was skipped, as JSON data."""
    boxes = np.concatenate([image.boxes for image in split.images])
    landmarks = np.concatenate([image.landmarks for image in split.images])
    attributes = np.concatenate([image.attributes for image in split.images])
    crowd = np.array([len(image.boxes) for image in split.images])
    return {
        "kind": split.kind,
        "split": split.name,
        "root": split.root.as_posix(),
        "annotation": split.annotation_file.as_posix(),
        "images": len(split.images),
        "images_without_faces": int((crowd == 0).sum()),
        "faces": len(boxes),
        "faces_with_landmarks": int((~np.isnan(landmarks).any(axis=1)).sum()),
        "faces_per_image": {
            "mean": float(crowd.mean()),
            "median": float(np.median(crowd)),
            "max": int(crowd.max()),
            "counts": count_crowds(crowd),
        },
        "height_px": _heights(boxes),
        "attributes": {
            name: _counts(attributes[:, column]) for column, name in enumerate(ATTRIBUTES)
        },
        "skipped": dict(sorted(split.annotations.skipped.items())),
    }


def count_crowds(crowd: NDArray[np.int64]) -> dict[str, int]:
    """Count pictures by their number of faces (n,); each key is a range, `3–4`."""
    counts, _ = np.histogram(crowd, bins=[*CROWDS, np.inf])
    ends = [*(start - 1 for start in CROWDS[1:]), None]
    names = [
        f"{low}+" if high is None else str(low) if low == high else f"{low}–{high}"
        for low, high in zip(CROWDS, ends, strict=True)
    ]
    return {name: int(count) for name, count in zip(names, counts, strict=True)}


def _heights(boxes: NDArray[np.float32]) -> dict[str, int]:
    """Count faces by height; each key is the lower edge of its range."""
    heights = boxes[:, 3] - boxes[:, 1]
    counts, _ = np.histogram(heights, bins=[*HEIGHT_EDGES, np.inf])
    return {f"{edge}+": int(count) for edge, count in zip(HEIGHT_EDGES, counts, strict=True)}


def _counts(values: NDArray[np.int64]) -> dict[str, int]:
    codes, counts = np.unique(values, return_counts=True)
    return {
        "unknown" if code == UNKNOWN else str(code): int(count)
        for code, count in zip(codes, counts, strict=True)
    }
