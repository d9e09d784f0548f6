"""Faces of a video held over neighbouring frames, so that none shows where one look missed it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from featherface.geometry.detections import Detections

if TYPE_CHECKING:
    from collections.abc import Sequence

FrameT = TypeVar("FrameT")


class HeldFaces(Generic[FrameT]):
    """Hands frames on HOLD frames later, with the faces of so many frames before and after.

    At most `2 * hold + 1` frames' faces and `hold + 1` frames are kept.
    """

    def __init__(self, hold: int) -> None:
        self.hold = hold
        self._waiting: deque[FrameT] = deque()
        self._faces: deque[Detections] = deque()
        self._before = 0
        """How many of `_faces` belong to frames that were handed on."""

    def add(self, frame: FrameT, faces: Detections) -> list[tuple[FrameT, Detections]]:
        """Take the next frame; return the one that is ready now, if any."""
        self._waiting.append(frame)
        self._faces.append(faces)
        return [self._next()] if len(self._waiting) > self.hold else []

    def rest(self) -> list[tuple[FrameT, Detections]]:
        """Return the frames that still wait, after the last."""
        return [self._next() for _ in range(len(self._waiting))]

    def _next(self) -> tuple[FrameT, Detections]:
        united = together(self._faces)
        self._before += 1
        if self._before > self.hold:
            self._faces.popleft()
            self._before -= 1
        return self._waiting.popleft(), united


def together(faces: Sequence[Detections]) -> Detections:
    """Put the detections of several looks into one, duplicates too."""
    return Detections(
        np.concatenate([each.boxes for each in faces]),
        np.concatenate([each.scores for each in faces]),
        np.concatenate([each.landmarks for each in faces]),
    )
