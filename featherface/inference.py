"""From pictures to detections, each picture at its own size, as the original test program does.

Source: the test script of the published FeatherFace and of RetinaFace in PyTorch: blue-green-red
minus the mean, no scaling and no padding, face probability above 0.02, suppression at 0.4.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
import torch

from featherface.boxes import decode_all
from featherface.data.images import read_image
from featherface.detections import Detections
from featherface.errors import InterruptedRunError, WeightsError
from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.prediction_folder import PredictionFolder
from featherface.evaluation.predictions import Predictions
from featherface.pictures import batches, pictures_of
from featherface.priors import priors
from featherface.progress import Progress, never, silent
from featherface.suppression import suppress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from featherface.data.widerface import Split
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress, ShouldStop
    from featherface.variants import DetectorConfig

__all__ = ["Detections", "detect", "detect_together", "predict"]


def detect(
    model: Detector,
    config: DetectorConfig,
    image: NDArray[np.uint8],
    evaluate: EvaluateConfig | None = None,
) -> Detections:
    """Find the faces in IMAGE (H, W, 3), blue-green-red.

    Raises:
        WeightsError: the network answers with numbers that are not finite.
    """
    return detect_together(model, config, [image], evaluate)[0]


def detect_together(
    model: Detector,
    config: DetectorConfig,
    images: Sequence[NDArray[np.uint8]],
    evaluate: EvaluateConfig | None = None,
) -> list[Detections]:
    """Find the faces in IMAGES, all (H, W, 3) of one size, in one pass of the network."""
    evaluate = evaluate or EvaluateConfig()
    with torch.no_grad(), _resting(model):  # not inference mode: training shares the priors
        output = model(_tensor(images, config, next(model.parameters()).device))
        scores = torch.softmax(output.logits.float(), dim=-1)[..., 1]  # (B, N)
        if not bool(torch.isfinite(scores).all()):
            raise _not_finite()
        found = zip(scores, output.boxes.float(), output.landmarks.float(), strict=True)
        size = images[0].shape[:2]
        return [_select(config, evaluate, size, *one) for one in found]


def predict(
    model: Detector,
    config: DetectorConfig,
    source: Split | Path,
    evaluate: EvaluateConfig | None = None,
    *,
    save_to: Path | None = None,
    on_progress: OnProgress = silent,
    should_stop: ShouldStop = never,
) -> Predictions:
    """Find the faces in every picture of SOURCE: a split, or a folder of EVENT/*.jpg.

    With SAVE_TO each picture's file is written there as it comes, in the official format, and a
    later call with the same network and settings goes on where this one ended.

    Raises:
        DataError: there are no pictures, or one is damaged.
        UsageError: SAVE_TO holds the predictions of another network or of other settings.
        WeightsError: the network answers with numbers that are not finite.
        InterruptedRunError: SHOULD_STOP said so; what was saved stays.
    """
    evaluate = evaluate or EvaluateConfig()
    paths = pictures_of(source)
    folder = PredictionFolder.open(save_to, model, config, evaluate) if save_to else None
    predictions = Predictions(folder.found(paths) if folder else {})
    left = {name: path for name, path in paths.items() if name not in predictions}
    on_progress(Progress("evaluate", len(predictions), len(paths)))
    for names, images in batches(left, read_image, evaluate.batch_size):
        if should_stop():
            raise InterruptedRunError(
                f"stopped after {len(predictions):,} of {len(paths):,} pictures",
                "run the same command again to go on" if folder else None,
            )
        for name, found in zip(
            names, detect_together(model, config, images, evaluate), strict=True
        ):
            predictions[name] = found.rows()
            if folder:
                folder.add(name, predictions[name])
        on_progress(Progress("evaluate", len(predictions), len(paths)))
    return Predictions({name: predictions[name] for name in paths})


@contextlib.contextmanager
def _resting(model: Detector) -> Iterator[None]:
    """Switch to evaluation inside the block, and back to what it was."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def _tensor(
    images: Sequence[NDArray[np.uint8]], config: DetectorConfig, device: torch.device
) -> Tensor:
    """Stack IMAGES to (B, 3, H, W), minus the mean."""
    stacked = torch.from_numpy(np.stack(images)).to(device)
    mean = torch.tensor(config.pixel_mean, device=device)
    return (stacked.float() - mean).permute(0, 3, 1, 2).contiguous()


def _select(
    config: DetectorConfig,
    evaluate: EvaluateConfig,
    size: tuple[int, ...],
    scores: Tensor,
    boxes: Tensor,
    landmarks: Tensor,
) -> Detections:
    """Decode one picture's outputs (N, ...) and suppress duplicates."""
    height, width = size
    likely = scores > evaluate.score_threshold
    near = priors(config, height, width).to(scores.device)[likely]
    corners, points = decode_all(config, boxes[likely], landmarks[likely], near)
    scale = corners.new_tensor([width, height])
    table = (corners * scale.repeat(2)).cpu().numpy(), (points * scale.repeat(5)).cpu().numpy()
    if not all(np.isfinite(part).all() for part in table):
        raise _not_finite()
    kept_scores = scores[likely].cpu().numpy()
    kept = suppress(table[0], kept_scores, evaluate.nms_threshold)
    kept = kept[: evaluate.max_detections or None]
    return Detections(table[0][kept], kept_scores[kept], table[1][kept])


def _not_finite() -> WeightsError:
    return WeightsError(
        "the network answers with numbers that are not finite: its training diverged,"
        " or the weights are damaged",
        "take an earlier checkpoint, or train again with a lower train.lr",
    )
