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

from featherface.devices.uploads import uploaded
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
        return tuple(part.astype(kind).tobytes() for part, kind in zip(parts, KINDS, strict=True))


def from_columns(columns: Sequence[bytes]) -> Answer:
    """Return the answer that `columns` gave."""
    face, places, deltas, strength = map(np.frombuffer, columns, KINDS)
    return Answer(face, places, deltas.reshape(-1, WIDTH), strength)


def unknown(priors: int) -> Answer:
    """Return the answer of one who has not seen a picture of so many PRIORS."""
    halves = np.zeros(priors, np.float16)
    return Answer(halves, np.zeros(0, np.uint32), np.zeros((0, WIDTH), np.float16), halves[:0])


def noted(output: RawOutput, rows: Sequence[Tensor], confidence: float) -> list[Answer]:
    """Return the answers in OUTPUT of a batch, and in ROWS, each (B, cells), of its maps."""
    logits = output.logits.float()
    faces = (logits[..., 1] - logits[..., 0])[..., None]  # (B, P, 1)
    priors = torch.cat((faces, output.boxes.float(), output.landmarks.float()), -1)
    sheet = _halved(torch.cat((priors.flatten(1), *rows), 1))  # one copy from the device
    numbers, strength = np.split(sheet, [priors[0].numel()], axis=1)
    numbers = numbers.reshape(priors.shape)
    deltas = numbers[..., 1:]
    outputs = []
    for place, face in enumerate(np.ascontiguousarray(numbers[..., 0])):
        score = torch.from_numpy(face).float().sigmoid().numpy()
        sure = np.flatnonzero(score >= confidence - MARGIN).astype(np.uint32)
        outputs.append(Answer(face, sure, deltas[place][sure], strength[place]))
    return outputs


def told(answers: Sequence[Answer], device: torch.device) -> RawOutput:
    """Return ANSWERS as a network gives them; boxes and landmarks nobody asks for are 0."""
    sheet = np.zeros((len(answers), len(answers[0].face), 1 + WIDTH), np.float16)
    for row, answer in enumerate(answers):
        sheet[row, :, 0] = answer.face
        sheet[row, answer.places, 1:] = answer.deltas
    there = uploaded(torch.from_numpy(sheet), device).to(torch.get_default_dtype())
    face, deltas = there[..., :1], there[..., 1:]
    logits = torch.cat((torch.zeros_like(face), face), -1)
    return RawOutput(deltas[..., :BOX], logits, deltas[..., BOX:])


def strong(answers: Sequence[Answer], cells: Sequence[int], device: torch.device) -> list[Tensor]:
    """Return where the maps are strong, (B, n) for each n of CELLS."""
    rows = torch.from_numpy(np.stack([answer.strength for answer in answers]).astype(np.float16))
    there = uploaded(rows, device).to(torch.get_default_dtype())
    return list(torch.split(there, list(cells), 1))


def _halved(values: Tensor) -> NDArray[np.float16]:
    bounded = values.detach().float().clamp(-LARGEST, LARGEST)
    halves: NDArray[np.float16] = bounded.to(torch.float16).cpu().numpy()
    return halves
