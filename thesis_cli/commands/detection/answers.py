"""What an answer says of faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from featherface.geometry.detections import Detections


def faces(detections: Detections) -> list[dict[str, Any]]:
    """Describe each face: box, score, landmarks."""
    return [
        {
            "box": box.tolist(),
            "score": float(confidence),
            "landmarks": points.reshape(5, 2).tolist(),
        }
        for box, confidence, points in zip(
            detections.boxes, detections.scores, detections.landmarks, strict=True
        )
    ]
