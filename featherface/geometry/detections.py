"""Detections of one picture: boxes, scores, landmarks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DECIMALS = 6  # of a score in a prediction file, as the published predictions have them


@dataclass(frozen=True, eq=False)
class Detections:
    """The faces of one picture, best score first."""

    boxes: NDArray[np.float32]
    """(n, 4): left, top, right, bottom in pixels; may reach over the picture's border."""
    scores: NDArray[np.float32]
    """(n,): probability of a face, in 0..1."""
    landmarks: NDArray[np.float32]
    """(n, 10): x, y of left eye, right eye, nose, left and right mouth corner, in pixels."""

    def __len__(self) -> int:
        return len(self.scores)

    def above(self, score: float) -> Detections:
        """Keep the faces with a score of at least SCORE."""
        kept = self.scores >= score
        return Detections(self.boxes[kept], self.scores[kept], self.landmarks[kept])

    def over(self, score: float) -> Detections:
        """Keep the faces with a score strictly above SCORE, as a network's threshold does."""
        kept = self.scores > score
        return Detections(self.boxes[kept], self.scores[kept], self.landmarks[kept])

    def rows(self) -> NDArray[np.float64]:
        """Give what a prediction file holds: (n, 5) x, y, width, height, score.

        Corners are cut to whole pixels before the sizes are taken, and scores rounded to six
        digits, as the original test program writes them. So an evaluation in memory gives the
        same AP as one of the saved files.
        """
        corners = np.trunc(self.boxes.astype(np.float64))
        sizes = corners[:, 2:] - corners[:, :2]
        scores = np.round(self.scores.astype(np.float64), _DECIMALS)
        return np.hstack([corners[:, :2], sizes, scores[:, None]])
