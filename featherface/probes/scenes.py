"""Fixed pictures with faces, their targets, and stubs of detectors with fixed raw outputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from featherface.data.annotation import Annotations, ImageAnnotation
from featherface.data.widerface import Split
from featherface.losses.assignment import Targets
from featherface.networks.detector import RawOutput
from featherface.probes.numbers import noise, noise_tensor

if TYPE_CHECKING:
    from featherface.variants.config import DetectorConfig

SIDE = 96
"""Pixels of the squares that a training is given."""
LANDMARK_SHARES = np.array([0.3, 0.35, 0.7, 0.35, 0.5, 0.55, 0.35, 0.75, 0.65, 0.75])
"""Landmarks in shares of a face's width and height."""
FACES = (
    ((8, 12, 40, 50), (60, 20, 76, 40), (90, 60, 96, 68)),
    ((30, 8, 92, 80), (100, 40, 120, 64), (4, 70, 16, 86)),
    ((20, 30, 34, 48),),
)
"""Corners in pixels of the faces in each picture."""


class FixedScene(NamedTuple):
    """A picture in memory, with its faces."""

    picture: Image.Image
    annotation: ImageAnnotation


def scenes() -> list[FixedScene]:
    """Return pictures of 128 x 96 pixels; one face has no landmarks, some have attributes."""
    return [
        FixedScene(_draw_picture(index), _annotate(index, boxes))
        for index, boxes in enumerate(FACES)
    ]


def _draw_picture(index: int) -> Image.Image:
    blocks = noise(f"blocks {index}", 12, 16, 3).repeat(8, 0).repeat(8, 1)
    grain = noise(f"grain {index}", 96, 128, 3)
    pixels = np.rint(127.5 + 90 * blocks + 37 * grain).clip(0, 255)
    return Image.fromarray(pixels.astype(np.uint8))


def _annotate(index: int, boxes: tuple[tuple[int, ...], ...]) -> ImageAnnotation:
    corners = np.array(boxes, dtype=np.float32)
    sizes = np.tile(corners[:, 2:] - corners[:, :2], 5)
    points = (np.tile(corners[:, :2], 5) + LANDMARK_SHARES * sizes).astype(np.float32)
    points[2:] = np.nan
    attributes = np.zeros((len(boxes), 6), dtype=np.int64)
    attributes[:, 0] = np.arange(len(boxes)) % 3  # blur
    return ImageAnnotation(f"probe/{index}.png", corners, points, attributes)


def split() -> Split:
    """Return `scenes` as a train split; its files are not there."""
    images = tuple(scene.annotation for scene in scenes())
    nowhere = Path("probe")
    return Split(nowhere, "train", nowhere, Annotations(images), "custom", nowhere)


def targets() -> Targets:
    """Return the faces of two squares in float64: small, large, close together, unmarked."""
    boxes = torch.tensor(
        [
            [[0.10, 0.12, 0.42, 0.50], [0.55, 0.20, 0.72, 0.38], [0.80, 0.80, 0.87, 0.89]],
            [[0.05, 0.05, 0.95, 0.93], [0.31, 0.62, 0.49, 0.81], [0.00, 0.00, 0.00, 0.00]],
        ],
        dtype=torch.float64,
    )
    sizes = (boxes[..., 2:] - boxes[..., :2]).repeat(1, 1, 5)
    landmarks = boxes[..., :2].repeat(1, 1, 5) + torch.from_numpy(LANDMARK_SHARES) * sizes
    faces = torch.tensor([[True, True, True], [True, True, False]])
    marked = torch.tensor([[True, False, True], [True, True, False]])
    return Targets(boxes, landmarks * marked[..., None], faces, marked)


def raw_outputs(name: str, priors: int, batch: int = 2) -> RawOutput:
    """Return fixed raw outputs (B, P, …) in float64: unsure of faces, rarely sure of one."""
    logits = 2.0 * noise_tensor(f"{name} logits", batch, priors, 2)
    return RawOutput(
        0.8 * noise_tensor(f"{name} boxes", batch, priors, 4),
        logits,
        0.8 * noise_tensor(f"{name} landmarks", batch, priors, 10),
    )


class ScriptedDetector(nn.Module):
    """A stub of a detector: fixed raw outputs, to which its one weight adds a little.

    Its maps have the shapes of a real one's, so that whatever compares maps can.
    """

    def __init__(self, config: DetectorConfig, name: str, priors: int) -> None:
        super().__init__()
        self.config, self.name, self.priors = config, name, priors
        self.backbone = nn.Linear(1, 1, bias=False)
        self.heads = _ScriptedHeads(name, priors)
        with torch.no_grad():
            self.backbone.weight.copy_(noise_tensor(f"{name} turn", 1, 1))
        self.double()

    def features(self, images: Tensor) -> list[Tensor]:
        """Return maps (B, C, S/8, S/8), /16 and /32 for IMAGES (B, 3, S, S)."""
        batch, side = len(images), images.shape[-1]
        scale = 1 + 0.1 * self.backbone.weight.sum()
        shapes = [(batch, self.config.channels, side // step, side // step) for step in (8, 16, 32)]
        return [scale * noise_tensor(f"{self.name} map", *shape) for shape in shapes]

    def predict(self, maps: list[Tensor]) -> RawOutput:
        """Return the fixed raw outputs for MAPS of `features`."""
        output: RawOutput = self.heads(maps)
        return output

    def forward(self, images: Tensor) -> RawOutput:
        """Return the fixed raw outputs, whatever is in IMAGES (B, 3, S, S)."""
        return self.predict(self.features(images))


class _ScriptedHeads(nn.Module):
    def __init__(self, name: str, priors: int) -> None:
        super().__init__()
        self.name, self.priors = name, priors

    def forward(self, maps: list[Tensor]) -> RawOutput:
        batch = len(maps[0])
        fixed = raw_outputs(self.name, self.priors, batch)
        shift = torch.stack([level.mean(dim=(1, 2, 3)) for level in maps]).sum(0)  # (B,)
        return RawOutput(*(output + 0.01 * shift[:, None, None] for output in fixed))
