"""Probes of an evaluation: from a picture to detections, and from detections to AP.

Scores and overlaps lie well away from the thresholds, so that rounding decides nothing, or on
them exactly, where a sign of comparison decides.
"""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from featherface.data.annotation import ImageAnnotation
from featherface.evaluation.ground_truth import SUBSETS, GroundTruth, from_annotations
from featherface.evaluation.labels import label, spread_landmarks
from featherface.evaluation.operating_point import landmark_error
from featherface.evaluation.protocol import evaluate as evaluate_detections
from featherface.geometry.detections import Detections
from featherface.geometry.priors import priors
from featherface.inference import tta
from featherface.inference.detect import detect_together
from featherface.inference.tta import merge
from featherface.networks.detector import RawOutput
from featherface.probes.numbers import noise, noise_tensor, summary
from featherface.probes.scenes import LANDMARK_SHARES, scenes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from featherface.evaluation.protocol import Evaluation
    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings
    from featherface.variants.config import DetectorConfig

FACE_PRIORS = 24
"""Priors of a picture with a logit around the score threshold; all others lie far below."""
PICTURE_SIZES = ((1024, 683), (500, 900), (96, 64))
"""Widths and heights in pixels of the pictures whose test-time views are listed."""
LARGEST_VIEW = 700
"""Pixels of a view's longer side up to which it is computed; a larger one costs seconds."""


class BrightnessDetector(nn.Module):
    """A stub of a detector: faces at fixed priors, with logits that follow the mean colours."""

    def __init__(self, config: DetectorConfig, threshold: float) -> None:
        super().__init__()
        self.config = config
        self.weight = nn.Parameter(torch.ones(1))
        odds = max(threshold, 0.01)
        self.threshold_logit = float(np.log(odds / (1 - odds)))

    def forward(self, pictures: Tensor) -> RawOutput:
        """Return float32 outputs for PICTURES (B, 3, H, W); each colour and side has a weight."""
        count = len(priors(self.config, pictures.shape[2], pictures.shape[3]))
        batch, half = len(pictures), pictures.shape[3] // 2
        colours = pictures.double().mean(dim=(2, 3)) @ torch.tensor([1.0, 2.0, 3.0]).double()
        left = pictures[..., :half].double().mean(dim=(1, 2, 3))
        places = torch.linspace(0, count - 1, min(FACE_PRIORS, count)).long()
        face_logits = torch.full((batch, count), self.threshold_logit - 2.0, dtype=torch.float64)
        noise_of_faces = noise_tensor("faces", len(places))
        face_logits[:, places] = self.threshold_logit + 2.0 + noise_of_faces
        face_logits += 0.001 * colours[:, None]
        boxes = 0.5 * noise_tensor("boxes", batch, count, 4) + 0.002 * left[:, None, None]
        landmarks = 0.5 * noise_tensor("landmarks", batch, count, 10)
        logits = torch.stack((torch.zeros_like(face_logits), face_logits), -1)
        return RawOutput(boxes.float(), logits.float(), landmarks.float())


def detections(settings: ProbeSettings) -> Values:
    """Return the detections in two pictures, over all test-time views unless one is too large."""
    evaluate = dataclasses.replace(settings.evaluate, precision="fp32")
    network = cast("Any", BrightnessDetector(settings.model, evaluate.score_threshold))
    images = [np.asarray(scene.picture)[:, :, ::-1].copy() for scene in scenes()[:2]]
    height, width = images[0].shape[:2]
    views = tta.views(evaluate, width, height)
    if max(max(view.size) for view in views) > LARGEST_VIEW:
        return _detections_and_views(settings, images)
    per_image = detect_together(network, settings.model, images, evaluate)
    return [number for found in per_image for number in _summaries(found)]


def _detections_and_views(settings: ProbeSettings, images: list[NDArray[np.uint8]]) -> Values:
    """Return the detections at the pictures' own size, and those mapped back from two views."""
    plain = dataclasses.replace(settings.evaluate, protocol="original", precision="fp32")
    network = cast("Any", BrightnessDetector(settings.model, plain.score_threshold))
    values: Values = []
    for found in detect_together(network, settings.model, images, plain):
        values += _summaries(found)
        for view in tta.views(settings.evaluate, *PICTURE_SIZES[-1])[:2]:
            values += _summaries(view.undo(found))
    return values


def _summaries(detected: Detections) -> Values:
    return [*summary(detected.boxes), *summary(detected.scores), *summary(detected.landmarks)]


def views(settings: ProbeSettings) -> Values:
    """Return size, mirroring and scale of every test-time view."""
    return [
        number
        for width, height in PICTURE_SIZES
        for view in tta.views(settings.evaluate, width, height)
        for number in (*map(float, view.size), float(view.mirrored), view.scale)
    ]


def score_threshold(settings: ProbeSettings) -> Values:
    """Return how many detections stay whose score is the threshold: equal logits give 0.5."""

    class EqualLogits(BrightnessDetector):
        def forward(self, pictures: Tensor) -> RawOutput:
            output = super().forward(pictures)
            return output._replace(logits=torch.zeros_like(output.logits))

    evaluate = dataclasses.replace(
        settings.evaluate, protocol="original", precision="fp32", score_threshold=0.5
    )
    image = np.zeros((32, 32, 3), dtype=np.uint8)
    network = cast("Any", EqualLogits(settings.model, 0.5))
    (kept,) = detect_together(network, settings.model, [image], evaluate)
    return [float(len(kept))]


def suppression(settings: ProbeSettings) -> Values:
    """Return what suppression keeps of boxes that overlap by the threshold, and around it."""
    share = Fraction(settings.evaluate.nms_threshold).limit_denominator(200)
    below, whole = share.numerator, share.denominator
    boxes, scores = [], []
    for row, inner in enumerate((below - 1, below, below + 1)):
        top = 400.0 * row
        boxes += [[0, top, whole - 1, top + 29], [0, top, max(inner, 1) - 1, top + 29]]
        scores += [0.9 - 0.1 * row, 0.55 - 0.1 * row]
    boxes += [[600, 0, 603, 3], [601, 0, 604, 3], [602, 1, 605, 4], [700, 0, 700, 0]]
    scores += [0.62, 0.61, 0.31, 0.11]
    points = 10.0 * noise("points", len(boxes), 10).astype(np.float32)
    table = Detections(np.array(boxes, np.float32), np.array(scores, np.float32), points)
    return _summaries(merge([table], settings.evaluate))


def matching(settings: ProbeSettings) -> Values:
    """Return AP, counts and precision-recall curves of fixed detections, for each subset."""
    del settings
    result = evaluation()
    pairing = result.pairing
    values = [result.mean_ap, float(result.images), *summary(pairing.face)]
    values += [*summary(pairing.overlap), *summary(pairing.finders())]
    for name, subset in result.subsets.items():
        values += [subset.ap, float(subset.faces), *summary(subset.recall)]
        values += [*summary(subset.precision), *summary(pairing.counted(name))]
    return values


def evaluation() -> Evaluation:
    """Return the evaluation of fixed detections: ties, doubles, ignored faces, an empty picture.

    The third detection of the first picture covers exactly half of its face.
    """
    truth = GroundTruth(
        images=("probe/a", "probe/b", "probe/c"),
        boxes=(
            np.array([[10, 10, 9, 9], [40, 40, 59, 49], [120, 20, 30, 40], [200, 9, 14, 15.0]]),
            np.array([[5, 5, 100, 120], [150, 60, 40, 44.0]]),
            np.empty((0, 4)),
        ),
        subsets={
            "easy": (np.array([1]), np.array([0]), np.array([], dtype=np.intp)),
            "medium": (np.array([1, 2]), np.array([0, 1]), np.array([], dtype=np.intp)),
            "hard": (np.array([0, 1, 3]), np.array([0, 1]), np.array([], dtype=np.intp)),
        },
        source="probe",
        whole=3,
    )
    detected = {
        "probe/a": np.array(
            [
                [41, 42, 57, 48, 0.97],
                [121, 22, 29, 37, 0.83],
                [10, 10, 4, 9, 0.71],
                [44, 38, 60, 50, 0.64],
                [202, 10, 12, 14, 0.42],
                [300, 10, 30, 30, 0.36],
            ]
        ),
        "probe/b": np.array(
            [[8, 3, 96, 118, 0.91], [148, 59, 44, 47, 0.55], [20, 20, 40, 40, 0.58]]
        ),
        "probe/c": np.array([[10, 10, 50, 50, 0.77]]),
    }
    return evaluate_detections(detected, truth)


def landmark_errors(settings: ProbeSettings) -> Values:
    """Return the normalised mean error between detected and labelled landmarks."""
    result = evaluation()
    pairing = result.pairing
    rows = [pairing.table[pairing.picture == index] for index in range(len(pairing.images))]
    detected = [
        _landmarks_of(table) + noise(f"off {index}", len(table), 10)
        for index, table in enumerate(rows)
    ]
    faces = [pairing.faces[pairing.face_picture == index] for index in range(len(rows))]
    annotations = [
        _annotation(name, table) for name, table in zip(pairing.images, faces, strict=True)
    ]
    labelled = label(pairing, annotations).landmarks
    spread = spread_landmarks(pairing, cast("Any", detected))
    error = landmark_error(pairing, "hard", settings.evaluate.decision, spread, labelled)
    return [float(error.faces), error.nme, *error.points]


def _landmarks_of(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the landmarks (n, 10) of BOXES (n, 4 or more) x, y, width, height."""
    points: NDArray[np.float64] = np.tile(boxes[:, :2], 5) + LANDMARK_SHARES * np.tile(
        boxes[:, 2:4], 5
    )
    return points


def _annotation(name: str, boxes: NDArray[np.float64]) -> ImageAnnotation:
    corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]).astype(np.float32)
    attributes = np.zeros((len(boxes), 6), dtype=np.int64)
    attributes[1:2, 3] = 1  # marked invalid
    return ImageAnnotation(
        f"{name}.jpg", corners, _landmarks_of(boxes).astype(np.float32), attributes
    )


def built_subsets(settings: ProbeSettings) -> Values:
    """Return which faces count in each subset where there are no official lists."""
    del settings
    boxes = np.array([[0, 0, 40, height] for height in (10, 11, 30, 31, 50, 51, 90)], np.float64)
    truth = from_annotations([_annotation("probe/a", boxes)])
    return [number for name in SUBSETS for number in summary(truth.subsets[name][0])]
