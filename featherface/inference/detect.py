"""Inference: pictures to detections, by default at their own size as the original program does.

Source: the test script of the published FeatherFace and of RetinaFace in PyTorch: blue-green-red
minus the mean, no scaling and no padding, face probability above 0.02, suppression at 0.4. Other
protocols look at scaled and mirrored pictures; see `featherface.inference.tta`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from featherface.data.images import TooLargeError
from featherface.devices.uploads import uploaded
from featherface.engines.engine import Engine
from featherface.engines.pytorch import PyTorchEngine
from featherface.errors import InterruptedRunError, WeightsError
from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.predictions import Predictions
from featherface.geometry.boxes import decode_all
from featherface.geometry.detections import Detections
from featherface.geometry.priors import priors
from featherface.inference.picture_limits import read_within
from featherface.inference.pictures import batches, pictures_of
from featherface.inference.prediction_folder import PredictionFolder
from featherface.inference.tta import merge, views
from featherface.networks.pixels import ordered_and_scaled
from featherface.progress import Progress, never, silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from featherface.data.widerface import Split
    from featherface.engines.engine import Answer
    from featherface.inference.tta import View
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress, ShouldStop
    from featherface.variants.config import DetectorConfig

__all__ = ["Detections", "detect", "detect_together", "predict"]


def detect(
    model: Detector | Engine,
    config: DetectorConfig,
    image: NDArray[np.uint8],
    evaluate: EvaluateConfig | None = None,
) -> Detections:
    """Find the faces in IMAGE (H, W, 3), blue-green-red.

    Raises:
        WeightsError: the network answers with numbers that are not finite.
        UsageError: the network's device can't compute in `evaluate.precision`.
    """
    return detect_together(model, config, [image], evaluate)[0]


def detect_together(
    model: Detector | Engine,
    config: DetectorConfig,
    images: Sequence[NDArray[np.uint8]],
    evaluate: EvaluateConfig | None = None,
) -> list[Detections]:
    """Find the faces in IMAGES, all (H, W, 3) of one size, in one pass of the network per view."""
    evaluate = evaluate or EvaluateConfig()
    engine = engine_for(model, config)
    height, width = images[0].shape[:2]
    found: list[list[Detections]] = [[] for _ in images]
    with engine.ready(evaluate.precision):
        pixels = uploaded(stacked(images), engine.device)
        for view, pictures in _looks(pixels, config, views(evaluate, width, height)):
            batch = _see(engine, evaluate, pictures)
            for of_picture, detections in zip(found, batch, strict=True):
                of_picture.append(view.undo(detections))
    return [merge(of_picture, evaluate) for of_picture in found]


def predict(
    model: Detector | Engine,
    config: DetectorConfig,
    source: Split | Path,
    evaluate: EvaluateConfig | None = None,
    *,
    save_to: Path | None = None,
    landmarks: bool = False,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Predictions:
    """Find the faces in every picture of SOURCE: a split, or a folder of EVENT/*.jpg.

    Pictures that are too large (`evaluate.max_megapixels`) are passed over; the answer's warnings
    name them.

    With SAVE_TO each picture's file is written there as it comes, in the official format, and a
    later call with the same network and settings goes on where this one ended. With LANDMARKS the
    five points of each detection are kept too, in the answer and in files beside the others.

    Raises:
        DataError: there are no pictures, or one is damaged.
        UsageError: SAVE_TO holds the predictions of another network or of other settings, or the
            network's device can't compute in `evaluate.precision`.
        WeightsError: the network answers with numbers that are not finite.
        InterruptedRunError: SHOULD_STOP said so; what was saved stays.
    """
    evaluate = evaluate or EvaluateConfig()
    paths = pictures_of(source)
    engine = engine_for(model, config)
    folder = PredictionFolder.open(save_to, engine, evaluate) if save_to else None
    points: dict[str, NDArray[np.float64]] = {}
    if folder and landmarks:
        points = folder.landmarks(paths)
    predictions = Predictions(folder.found(points if landmarks else paths) if folder else {})
    left = {name: path for name, path in paths.items() if name not in predictions}
    on_progress(Progress("evaluate", len(predictions), len(paths)))
    passed_over: list[str] = []
    read = partial(_read_or_tell, evaluate=evaluate, passed_over=passed_over)
    for names, images in batches(left, read, evaluate.batch_size):
        if should_stop():
            raise InterruptedRunError(
                f"stopped after {len(predictions):,} of {len(paths):,} pictures",
                "run the same command again to go on" if folder else None,
            )
        for name, detections in zip(
            names, detect_together(engine, config, images, evaluate), strict=True
        ):
            predictions[name] = detections.rows()
            if landmarks:
                points[name] = detections.landmarks.astype(np.float64)
            if folder:
                folder.add(name, predictions[name], points.get(name))
        on_progress(Progress("evaluate", len(predictions), len(paths)))
    answer = Predictions({name: predictions[name] for name in paths if name in predictions})
    answer.landmarks = points
    answer.passed_over = tuple(name for name in paths if name not in predictions)
    answer.warnings = tuple(sorted(passed_over))
    return answer


def _read_or_tell(
    path: Path, evaluate: EvaluateConfig, passed_over: list[str]
) -> NDArray[np.uint8] | None:
    """Read a picture; one that is too large is told in PASSED_OVER instead."""
    try:
        return read_within(path, evaluate)
    except TooLargeError as error:
        passed_over.append(f"{error.message}; {error.hint}")
        return None


def engine_for(model: Detector | Engine, config: DetectorConfig) -> Engine:
    """Return MODEL itself if it is an engine, else PyTorch's engine over it, read by CONFIG."""
    return model if isinstance(model, Engine) else PyTorchEngine(model, config)


def stacked(images: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Stack IMAGES (H, W, 3) to (B, H, W, 3); one alone is not copied."""
    return torch.from_numpy(images[0][None] if len(images) == 1 else np.stack(images))


def _looks(
    pixels: Tensor, config: DetectorConfig, wanted: Sequence[View]
) -> Iterator[tuple[View, Tensor]]:
    """Yield each of the WANTED views of PIXELS (B, H, W, 3) with what the network takes in there.

    A picture that is shrunk to half or less never becomes float32 as a whole.
    """
    whole: Tensor | None = None
    for view in wanted:
        if view.halves:
            yield view, network_input(view.sampled(pixels), config)
        else:
            whole = network_input(pixels.float(), config) if whole is None else whole
            yield view, view.apply(whole)


def network_input(pictures: Tensor, config: DetectorConfig) -> Tensor:
    """Return PICTURES (B, H, W, 3) as (B, 3, H, W) less the mean, in the network's order, scale."""
    mean = uploaded(torch.tensor(config.pixel_mean), pictures.device)
    return ordered_and_scaled((pictures - mean).permute(0, 3, 1, 2).contiguous(), config)


def _see(engine: Engine, evaluate: EvaluateConfig, pictures: Tensor) -> Iterator[Detections]:
    """Yield all likely faces in each of PICTURES (B, 3, H, W), duplicates too."""
    answer = engine(pictures)
    height, width = pictures.shape[-2:]
    near = uploaded(priors(engine.config, height, width), answer.scores.device)
    table = _likely(engine.config, evaluate.score_threshold, near, answer)
    if not np.isfinite(table).all():
        raise _not_finite()
    scale = np.array((width, height), np.float32)
    first = np.searchsorted(table[:, 0], np.arange(1, len(pictures)))
    for rows in np.split(table, first):
        boxes, points = rows[:, 2:6] * np.tile(scale, 2), rows[:, 6:] * np.tile(scale, 5)
        yield Detections(boxes, rows[:, 1].copy(), points)


def _likely(
    config: DetectorConfig, threshold: float, near: Tensor, answer: Answer
) -> NDArray[np.float32]:
    """Return (K, 16) of the priors in a batch whose scores are above THRESHOLD.

    Each row holds the picture's number, the score, and box and points in shares of the picture;
    where a score anywhere is no number, a row of such is added. An accelerator is
    waited for twice: to know how many there are, and for all of them together.
    """
    scores = answer.scores
    picture, prior = (scores > threshold).nonzero(as_tuple=True)  # (K,) each
    boxes, landmarks = answer.boxes[picture, prior], answer.landmarks[picture, prior]
    corners, points = decode_all(config, boxes.float(), landmarks.float(), near[prior])
    rows = torch.cat((picture[:, None], scores[picture, prior][:, None], corners, points), 1)
    spoilt = torch.where(scores.isfinite().all(), 0.0, torch.nan).expand(1, rows.shape[1])
    table: NDArray[np.float32] = torch.cat((rows, spoilt)).cpu().numpy()
    return table if np.isnan(table[-1]).any() else table[:-1]


def _not_finite() -> WeightsError:
    return WeightsError(
        "the network answers with numbers that are not finite: its training diverged,"
        " or the weights are damaged",
        "take an earlier checkpoint, or train again with a lower train.lr",
    )
