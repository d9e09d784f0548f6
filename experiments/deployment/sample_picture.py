"""The packaged picture, drawn by this program, and the faces that a model finds in it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.data.config import SyntheticConfig
from featherface.data.synthetic.composition import EVENTS, draw_picture
from featherface.evaluation.config import EvaluateConfig
from featherface.inference.detect import detect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

    from featherface.engines.engine import Engine

PICTURE, PIXMAP = "sample/picture.png", "sample/picture.ppm"
DRAWN = SyntheticConfig(image_size=320, smallest_face=24, largest_face=120, crowd=5, seed=1)
MOST = 50
"""Detections that a manifest keeps of a model, the best."""
THRESHOLDS = (0.5, 0.02, 0.0)
"""Scores that are tried from the highest down until some face is above one."""
TOLERANCE = {"pixels": 1.0, "score": 0.01}
"""How far a detection may be off elsewhere: another processor adds in another order."""

Face = dict[str, Any]


def drawn() -> Image:
    """Draw the picture, RGB; always the same one."""
    picture, _ = draw_picture(np.random.default_rng(DRAWN.seed), DRAWN, EVENTS[0], PICTURE)
    return picture


def encoded(picture: Image, kind: str) -> bytes:
    """Return the bytes of a file of PICTURE, of a lossless KIND that Pillow knows."""
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def pixels(picture: Image) -> NDArray[np.uint8]:
    """Return PICTURE as (H, W, 3), blue-green-red."""
    return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])


def faces(engine: Engine, picture: NDArray[np.uint8], threshold: float) -> list[Face]:
    """Return the faces that ENGINE finds in PICTURE (H, W, 3) above THRESHOLD, best first."""
    settings = EvaluateConfig(score_threshold=threshold)
    found = detect(engine, engine.config, picture, settings)
    rows = zip(found.boxes, found.scores, found.landmarks, strict=True)
    return [
        {
            "box": box.tolist(),
            "score": float(score),
            "landmarks": points.reshape(5, 2).tolist(),
        }
        for box, score, points in rows
    ]


def differences(
    kept: Sequence[Face], found: Sequence[Face], threshold: float, tolerance: Mapping[str, float]
) -> str:
    """Say how the faces FOUND above THRESHOLD differ from those KEPT; empty where they don't.

    A face that is within the TOLERANCE of scores of where faces begin may come or go.
    """
    margin = tolerance["score"]
    floor = threshold + margin if threshold else 0.0
    missing = [face for face in kept if face["score"] > floor and not _near(face, found, tolerance)]
    if len(kept) == MOST:
        floor = kept[-1]["score"] + margin
    added = [face for face in found if face["score"] > floor and not _near(face, kept, tolerance)]
    if not missing and not added:
        return ""
    parts = [f"{len(missing)} of {len(kept)} packaged faces are gone"] if missing else []
    parts += [f"{len(added)} others came"] if added else []
    return " and ".join(parts)


def _near(face: Face, others: Sequence[Face], tolerance: Mapping[str, float]) -> bool:
    if not others:
        return False
    boxes = np.array([other["box"] for other in others])
    scores = np.array([other["score"] for other in others])
    shift = np.abs(boxes - np.array(face["box"])).max(1)
    apart = np.abs(scores - face["score"])
    return bool(((shift <= tolerance["pixels"]) & (apart <= tolerance["score"])).any())
