"""What a teacher says of one picture, in the few numbers that a student uses.

Scores of all priors, boxes and landmarks of those that the teacher is confident of; all in half
precision, which is off by at most 1 part in 2,000: no more than 0.0005 of a face score near the
threshold, and 0.1 pixels of a box of 512. A student that learns from answers always learns from
this form, whether the teacher has just given them or long ago.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from featherface.networks.detector import RawOutput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

FORMAT = 1
"""Of answers on the disk; another one is never read."""
MARGIN = 0.01
"""How far below the confidence a score may be for its box to be kept: rounding differs by place."""
BOX, WIDTH = 4, 14
"""Numbers of a box, and of a box and its landmarks."""
LARGEST = float(np.finfo(np.float16).max)
PARTS = {"face": "<f2", "places": "<u4", "deltas": "<f2", "strength": "<f2"}
"""What each part of an answer is made of, on every machine with the low byte first."""
KINDS = tuple(map(np.dtype, PARTS.values()))


class Answer(NamedTuple):
    """What a teacher says of one picture."""

    face: NDArray[np.float16]
    """(P,) how much the logit of a face is above that of the background."""
    places: NDArray[np.uint32]
    """(K,) the priors that may be faces."""
    deltas: NDArray[np.float16]
    """(K, 14) of their boxes, then of their landmarks."""
    strength: NDArray[np.float16]
    """(M,) where each map is strong, one after the other; (0,) where nobody compares that."""

    def columns(self) -> tuple[bytes, ...]:
        """Return the parts as bytes."""
        parts: tuple[NDArray[np.generic], ...] = self
        return tuple(one.astype(kind).tobytes() for one, kind in zip(parts, KINDS, strict=True))


def from_columns(columns: Sequence[bytes]) -> Answer:
    """Return the answer that `columns` gave."""
    face, places, deltas, strength = map(np.frombuffer, columns, KINDS)
    return Answer(face, places, deltas.reshape(-1, WIDTH), strength)


def noted(output: RawOutput, rows: Sequence[Tensor], confidence: float) -> list[Answer]:
    """Return the answers in OUTPUT of a batch, and in ROWS, each (B, cells), of its maps."""
    logits = output.logits.float()
    faces = _halved(logits[..., 1] - logits[..., 0])  # (B, P)
    deltas = _halved(torch.cat((output.boxes, output.landmarks), -1))  # (B, P, 14)
    strength = _halved(torch.cat(list(rows), 1)) if rows else np.zeros((len(faces), 0), np.float16)
    found = []
    for place, face in enumerate(faces):
        score = torch.from_numpy(face).float().sigmoid().numpy()
        sure = np.flatnonzero(score >= confidence - MARGIN).astype(np.uint32)
        found.append(Answer(face, sure, deltas[place][sure], strength[place]))
    return found


def told(answers: Sequence[Answer], device: torch.device) -> RawOutput:
    """Return ANSWERS as a network gives them; boxes and landmarks nobody asks for are 0."""
    logits = torch.zeros(len(answers), len(answers[0].face), 2)
    deltas = torch.zeros(*logits.shape[:2], WIDTH)
    for row, answer in enumerate(answers):
        logits[row, :, 1] = torch.from_numpy(answer.face.astype(np.float32))
        places = torch.from_numpy(answer.places.astype(np.int64))
        deltas[row, places] = torch.from_numpy(answer.deltas.astype(np.float32)).to(deltas)
    logits, deltas = logits.to(device), deltas.to(device)
    return RawOutput(deltas[..., :BOX], logits, deltas[..., BOX:])


def strong(answers: Sequence[Answer], cells: Sequence[int], device: torch.device) -> list[Tensor]:
    """Return where the maps are strong, (B, n) for each n of CELLS."""
    rows = torch.from_numpy(np.stack([one.strength for one in answers]).astype(np.float32))
    return list(torch.split(rows.to(device), list(cells), 1))


def _halved(values: Tensor) -> NDArray[np.float16]:
    bounded = values.detach().float().clamp(-LARGEST, LARGEST)
    halves: NDArray[np.float16] = bounded.to(torch.float16).cpu().numpy()
    return halves
