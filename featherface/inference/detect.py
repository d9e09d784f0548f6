"""Inference: pictures to detections, by default at their own size as the original program does.

Source: the test script of the published FeatherFace and of RetinaFace in PyTorch: blue-green-red
minus the mean, no scaling and no padding, face probability above 0.02, suppression at 0.4. Other
protocols look at scaled and mirrored pictures; see `featherface.inference.tta`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from featherface.data.images import TooLargeError
from featherface.devices.uploads import uploaded
from featherface.engines.engine import Engine
from featherface.engines.pytorch import PyTorchEngine
from featherface.errors import InterruptedRunError
from featherface.evaluation.config import EvaluateConfig
from featherface.evaluation.predictions import Predictions
from featherface.geometry.detections import Detections
from featherface.inference.decoding import decoded
from featherface.inference.in_order import AHEAD, InOrder, Looking
from featherface.inference.network_input import network_input, stacked
from featherface.inference.picture_limits import read_within
from featherface.inference.pictures import batches, pictures_of
from featherface.inference.prediction_folder import PredictionFolder
from featherface.inference.tta import merge, views
from featherface.progress import Progress, never, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from featherface.data.widerface import Split
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
    with engine.ready(evaluate.precision):
        looks = _looks(engine, config, images, evaluate)
        return _faces(looks, evaluate, len(images))


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

    done = len(predictions)

    def keep(names: Sequence[str], seen: Callable[[], Sequence[_Look]]) -> int:
        """Find the faces in what was SEEN, and write them, while the next pictures are seen."""
        for name, detections in zip(names, _faces(seen(), evaluate, len(names)), strict=True):
            rows = detections.rows()
            if landmarks:
                points[name] = detections.landmarks.astype(np.float64)
            if folder:
                folder.add(name, rows, points.get(name))
            predictions[name] = rows
        return len(names)

    def tell(finished: int) -> None:
        nonlocal done
        done += finished
        on_progress(Progress("evaluate", done, len(paths)))

    many, at_once = engine.side_by_side()

    def look(images: Sequence[NDArray[np.uint8]]) -> Sequence[_Look]:
        with many.ready(evaluate.precision):  # of this thread: gradients are off by thread
            return list(_looks(many, config, images, evaluate))

    with (
        engine.ready(evaluate.precision),
        Looking(look, at_once) as looking,
        InOrder(keep, tell, AHEAD + at_once) as finishing,
    ):
        for names, images in batches(left, read, evaluate.batch_size):
            if should_stop():
                finishing.wait()
                raise InterruptedRunError(
                    f"stopped after {len(predictions):,} of {len(paths):,} pictures",
                    "run the same command again to go on" if folder else None,
                )
            finishing.add(names, looking.at(images))
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


class _Look(NamedTuple):
    """What an engine says about one view of a batch of pictures."""

    view: View
    detections: Callable[[], Iterable[Detections]]
    """Decodes them, picture by picture."""


def _looks(
    engine: Engine,
    config: DetectorConfig,
    images: Sequence[NDArray[np.uint8]],
    evaluate: EvaluateConfig,
) -> Iterator[_Look]:
    """Yield what ENGINE says about IMAGES, all of one size, view by view.

    A picture that is shrunk to half or less never becomes float32 as a whole.
    """
    height, width = images[0].shape[:2]
    pixels = uploaded(stacked(images), engine.device)
    whole: Tensor | None = None
    for view in views(evaluate, width, height):
        if view.halves:
            pictures = network_input(view.sampled(pixels), config)
        else:
            whole = network_input(pixels, config) if whole is None else whole
            pictures = view.apply(whole)
        rows, columns = pictures.shape[-2:]
        settings = (engine.config, evaluate.score_threshold, (rows, columns))
        decode = partial(decoded, engine(pictures), *settings)
        if engine.device.type == "cpu":
            yield _Look(view, decode)
        else:  # what lies on a card stays with the thread that uses it
            yield _Look(view, list(decode()).copy)


def _faces(looks: Iterable[_Look], evaluate: EvaluateConfig, count: int) -> list[Detections]:
    """Return the faces in each of COUNT pictures, whichever of LOOKS saw them."""
    seen: list[list[Detections]] = [[] for _ in range(count)]
    for look in looks:
        for of_picture, detections in zip(seen, look.detections(), strict=True):
            of_picture.append(look.view.undo(detections))
    return [merge(of_picture, evaluate) for of_picture in seen]
