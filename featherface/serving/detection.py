"""From uploads to faces: in threads of bounded number, one look of the network at a time."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from featherface.data.images import TooLargeError, decode_image, format_of
from featherface.errors import DataError
from featherface.inference.detect import detect_together
from featherface.serving import refusals
from featherface.serving.limits import LONGEST_SIDE
from featherface.serving.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from featherface.geometry.detections import Detections
    from featherface.serving.limits import ServingLimits
    from featherface.serving.measurements import Measurements
    from featherface.serving.served_model import ServedModel
    from featherface.serving.uploads import Upload

    Picture = NDArray[np.uint8]

TOGETHER = 2**21
"""Pixels of pictures of one size that go through the network in one pass; more gain no speed."""

PictureAnswer = dict[str, Any]
"""`name`, `width`, `height` and `faces` of a picture; or its `name` and `error`."""


class AbandonedError(Exception):
    """Nobody waits for the answer any more."""


class DetectionJob:
    """The pictures of one request."""

    def __init__(self, uploads: Sequence[Upload], score: float) -> None:
        self.uploads = uploads
        self.score = score
        self.created = time.perf_counter()
        self.begun = False
        """Whether a thread works on it."""
        self.abandoned = False
        """Whether it shall end at the next point where it can."""

    def check(self) -> None:
        """Raise AbandonedError where nobody waits any more."""
        if self.abandoned:
            raise AbandonedError


class DetectionThreads:
    """Decodes pictures in several threads; the network, which uses all cores, has one at a time."""

    def __init__(self, model: ServedModel, limits: ServingLimits, measured: Measurements) -> None:
        self.model = model
        self.limits = limits
        self.measured = measured
        self._threads = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="detection")
        self._network = threading.Lock()

    async def answers(
        self, uploads: Sequence[Upload], score: float, left: Coroutine[Any, Any, None]
    ) -> list[PictureAnswer | Refusal]:
        """Find the faces of UPLOADS above SCORE; LEFT ends when the client goes away.

        Raises:
            Refusal: 499, 503 or 504, there is no answer in time, or nobody to take it.
        """
        job = DetectionJob(uploads, score)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._work, job)
        watch = asyncio.ensure_future(left)
        try:
            either: set[asyncio.Future[Any]] = {work, watch}
            await asyncio.wait(
                either, timeout=self.limits.seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if work.done():
                return work.result()
            raise refusals.client_left() if watch.done() else self._late(job)
        finally:
            job.abandoned = True
            watch.cancel()
            work.cancel()  # takes it off the queue; what a thread has begun, `check` ends

    def close(self) -> None:
        """Let go of the threads once they are done; what waits is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _late(self, job: DetectionJob) -> Refusal:
        if not job.begun:
            return refusals.busy(f"its turn did not come within {self.limits.seconds:g} s")
        return Refusal(
            504,
            "too_slow",
            f"not done within {self.limits.seconds:g} s",
            "send fewer or smaller pictures; who runs the service can allow more time:"
            " thesis serve --timeout",
        )

    def _work(self, job: DetectionJob) -> list[PictureAnswer | Refusal]:
        job.begun = True
        self.measured.stage("wait", time.perf_counter() - job.created)
        answers: list[PictureAnswer | Refusal] = []
        for group in self._groups(job):
            if isinstance(group, Refusal):
                answers.append(group)
                continue
            faces = self._look([picture for _, picture in group], job)
            answers += [
                picture_answer(name, picture, found)
                for (name, picture), found in zip(group, faces, strict=True)
            ]
        return answers

    def _groups(self, job: DetectionJob) -> Iterator[list[tuple[str, Picture]] | Refusal]:
        """Yield the decoded pictures, neighbours of one size together, and refusals of others."""
        group: list[tuple[str, Picture]] = []
        for upload in job.uploads:
            job.check()
            decoded = self._decode(upload)
            if group and not (isinstance(decoded, Refusal) or _joins(decoded, group)):
                yield group
                group = []
            if isinstance(decoded, Refusal):
                yield from [group] if group else []
                group = []
                yield decoded
            else:
                group.append((upload.name, decoded))
        if group:
            yield group

    def _decode(self, upload: Upload) -> Picture | Refusal:
        began = time.perf_counter()
        if format_of(upload.content) is None:
            return refusals.wrong_type(upload.name)
        try:
            return decode_image(upload.content, upload.name, self.limits.megapixels, LONGEST_SIDE)
        except TooLargeError as error:
            return Refusal(413, "too_many_pixels", error.message, error.hint or "")
        except DataError as error:
            return Refusal(400, "damaged", error.message, error.hint or "")
        finally:
            self.measured.stage("decode", time.perf_counter() - began)

    def _look(self, pictures: list[Picture], job: DetectionJob) -> list[Detections]:
        with self._network:
            job.check()
            began = time.perf_counter()
            settings = self.model.settings(job.score)
            found = detect_together(self.model.engine, self.model.engine.config, pictures, settings)
        self.measured.stage("network", time.perf_counter() - began)
        self.measured.faces(sum(len(each) for each in found))
        return found


def _joins(picture: Picture, group: Sequence[tuple[str, Picture]]) -> bool:
    first = group[0][1]
    return picture.shape == first.shape and first[..., 0].size * (len(group) + 1) <= TOGETHER


def picture_answer(name: str, picture: Picture, found: Detections) -> PictureAnswer:
    """Return the answer for a PICTURE (H, W, 3): pixels of the picture as its EXIF turns it."""
    rows = zip(found.boxes.tolist(), found.scores.tolist(), found.landmarks, strict=True)
    return {
        "name": name,
        "width": picture.shape[1],
        "height": picture.shape[0],
        "faces": [
            {"box": box, "score": score, "landmarks": points.reshape(5, 2).tolist()}
            for box, score, points in rows
        ],
    }
