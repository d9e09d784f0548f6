"""The compact encoding of a teacher's raw outputs for one picture.

Scores of all priors, boxes and landmarks of those that the teacher is confident of; all in half
precision, which is off by at most 1 part in 2,000: no more than 0.0005 of a face score near the
threshold, and 0.1 pixels of a box of 512. A student with a cache always learns from the encoded
outputs, whether they were just computed or read back.
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
"""Of encoded outputs on the disk; another one is never read."""
MARGIN = 0.01
"""How far below the confidence a score may be for its box to be kept: rounding differs by place."""
BOX, WIDTH = 4, 14
"""Numbers of a box, and of a box and its landmarks."""
LARGEST = float(np.finfo(np.float16).max)
PARTS = {"face": "<f2", "places": "<u4", "deltas": "<f2", "strength": "<f2"}
"""NumPy types of the columns, little-endian on every machine."""
KINDS = tuple(map(np.dtype, PARTS.values()))


class TeacherOutput(NamedTuple):
    """A teacher's encoded output for one picture of P priors, K of them confident."""

    face: NDArray[np.float16]
    """(P,) how much the logit of a face is above that of the background."""
    places: NDArray[np.uint32]
    """(K,) the priors that may be faces."""
    deltas: NDArray[np.float16]
    """(K, 14) of their boxes, then of their landmarks."""
    strength: NDArray[np.float16]
    """(M,) spatial attention of the maps, one after the other; (0,) where it is not compared."""

    def columns(self) -> tuple[bytes, ...]:
        """Return the parts as bytes."""
        parts: tuple[NDArray[np.generic], ...] = self
        return tuple(part.astype(kind).tobytes() for part, kind in zip(parts, KINDS, strict=True))


def from_columns(columns: Sequence[bytes]) -> TeacherOutput:
    """Return the output whose `columns` these are."""
    face, places, deltas, strength = map(np.frombuffer, columns, KINDS)
    return TeacherOutput(face, places, deltas.reshape(-1, WIDTH), strength)


def empty_output(priors: int) -> TeacherOutput:
    """Return an output of so many PRIORS in which no prior is confident."""
    halves = np.zeros(priors, np.float16)
    return TeacherOutput(
        halves, np.zeros(0, np.uint32), np.zeros((0, WIDTH), np.float16), halves[:0]
    )


def encode(output: RawOutput, rows: Sequence[Tensor], confidence: float) -> list[TeacherOutput]:
    """Encode OUTPUT of a batch, and the attention ROWS, each (B, cells), of its maps."""
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
        outputs.append(TeacherOutput(face, sure, deltas[place][sure], strength[place]))
    return outputs


def decode(outputs: Sequence[TeacherOutput], device: torch.device) -> RawOutput:
    """Decode OUTPUTS to a batch's raw output; boxes and landmarks that were left out are 0."""
    sheet = np.zeros((len(outputs), len(outputs[0].face), 1 + WIDTH), np.float16)
    for row, output in enumerate(outputs):
        sheet[row, :, 0] = output.face
        sheet[row, output.places, 1:] = output.deltas
    there = uploaded(torch.from_numpy(sheet), device).to(torch.get_default_dtype())
    face, deltas = there[..., :1], there[..., 1:]
    logits = torch.cat((torch.zeros_like(face), face), -1)
    return RawOutput(deltas[..., :BOX], logits, deltas[..., BOX:])


def attention_maps(
    outputs: Sequence[TeacherOutput], cells: Sequence[int], device: torch.device
) -> list[Tensor]:
    """Return the maps' spatial attention, (B, n) for each n of CELLS."""
    rows = torch.from_numpy(np.stack([output.strength for output in outputs]).astype(np.float16))
    there = uploaded(rows, device).to(torch.get_default_dtype())
    return list(torch.split(there, list(cells), 1))


def _halved(values: Tensor) -> NDArray[np.float16]:
    bounded = values.detach().float().clamp(-LARGEST, LARGEST)
    halves: NDArray[np.float16] = bounded.to(torch.float16).cpu().numpy()
    return halves
