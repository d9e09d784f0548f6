"""Looking at videos and cameras, frame after frame."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featherface.errors import DataError, InterruptedRunError
from thesis_cli.commands.detection.copies import BLURRED, DRAWN, check_originals
from thesis_cli.commands.detection.video_options import HOLD
from thesis_cli.grid import Grid
from thesis_cli.interrupts import stoppable
from thesis_cli.progress import progress
from thesis_cli.wording import quantity

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from featherface.evaluation.config import EvaluateConfig
    from featherface.geometry.detections import Detections
    from featherface.video.frames import VideoFrame, VideoSource
    from thesis_cli.commands.detection.blur_options import BlurOptions
    from thesis_cli.commands.detection.frame_files import FrameFile
    from thesis_cli.commands.detection.saved_detections import SavedDetections
    from thesis_cli.commands.detection.video_options import VideoOptions
    from thesis_cli.output import Block
    from thesis_cli.session import Session

    Find = Callable[[NDArray[np.uint8]], Detections]

JUDGED_FRAMES = 100
"""Frames whose boxes are looked at for what no picture explains."""


@dataclass
class LookedAt:
    """What was found in one video so far."""

    frames: int = 0
    """Looked at."""
    faces: int = 0
    covered: int = 0
    with_faces: int = 0
    best: float = 0.0
    seconds: float = 0.0
    size: tuple[int, int] = (0, 0)
    """Width and height of the last frame, in pixels."""
    boxes: list[Any] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)

    def add(self, frame: VideoFrame, told: Detections, found: Detections) -> None:
        """Count a frame."""
        height, width = frame.pixels.shape[:2]
        self.frames, self.seconds, self.size = self.frames + 1, frame.seconds, (width, height)
        self.faces += len(told)
        self.covered += len(found)
        self.with_faces += bool(len(told))
        self.best = max([self.best, *told.scores.tolist()])
        if len(self.boxes) < JUDGED_FRAMES:
            self.boxes.append(told.boxes)
            self.sizes.append(self.size)


@dataclass(frozen=True)
class VideoWork:
    """How videos are looked at, and what is written of them."""

    session: Session
    find: Find
    """Gives the faces of a frame from the lowest wanted score on."""
    settings: EvaluateConfig
    video: VideoOptions
    blur: BlurOptions
    output: Path | None
    saved: SavedDetections | None

    def look_at_all(self, paths: tuple[Path, ...]) -> tuple[list[dict[str, Any]], int]:
        """Look at each of PATHS, or at the camera; return the answers and how many failed."""
        targets = self._targets(paths)
        if self.saved is not None:
            from featherface.filesystem.atomic import write_atomic

            write_atomic(self.saved.path, "")
        answers, failed = [], 0
        for path in paths or (None,):
            try:
                answers.append(self._look_at(path, targets.get(path)))
            except DataError as error:
                failed += 1
                self.session.warn(f"{error.message}; {error.hint}" if error.hint else error.message)
        if not answers:
            raise DataError("none of the videos could be read")
        return answers, failed + sum(not answer["complete"] for answer in answers)

    def _targets(self, paths: tuple[Path, ...]) -> dict[Path | None, Path]:
        if self.output is None:
            return {}
        mark = BLURRED if self.blur.blur else DRAWN
        names: dict[Path | None, str] = {path: path.stem for path in paths}
        if self.video.camera is not None:
            names[None] = f"camera-{re.sub(r'[^A-Za-z0-9]+', '-', self.video.camera).strip('-')}"
        targets = {}
        taken: list[str] = []
        for path, name in names.items():
            taken.append(name.casefold())
            count = taken.count(name.casefold())
            number = "" if count == 1 else f"-{count}"
            targets[path] = self.output / f"{name}-{mark}{number}.mp4"
        check_originals(paths, targets.values())
        return targets

    def _look_at(self, path: Path | None, target: Path | None) -> dict[str, Any]:
        from featherface.inference.picture_limits import check_size
        from featherface.video.camera import open_camera
        from featherface.video.frames import open_video

        source = open_camera(str(self.video.camera)) if path is None else open_video(path)
        with source:
            check_size(source.name, *source.size, self.settings)
            seen = LookedAt()
            stopped = self._go_through(source, seen, target)
        if not seen.frames:
            raise DataError(f"no frame of {source.name} could be read", "record it again")
        for fault in source.faults if not stopped else ():
            self.session.warn(f"{source.name}: {fault}; what could be read was looked at")
        if stopped and path is not None and seen.frames != self.video.frames:
            raise InterruptedRunError(
                f"stopped after {seen.frames:,} frames of {source.name}; what was found is kept"
            )
        written = self._kept(source, seen, target)
        self._tell_suspicions(seen)
        return {
            "video": source.name,
            "width": seen.size[0],
            "height": seen.size[1],
            "frames": source.read,
            "looked_at": seen.frames,
            "seconds": seen.seconds,
            "faces": seen.faces,
            "frames_with_faces": seen.with_faces,
            "best_score": seen.best if seen.faces else None,
            "complete": stopped or not source.faults,
            "saved": self.saved.path if self.saved else None,
            "drawing": None if self.blur.blur else written,
            "blurred": written if self.blur.blur else None,
        }

    def _go_through(self, source: VideoSource, seen: LookedAt, target: Path | None) -> bool:
        """Look at the frames until the end, or until someone stops; return whether one did."""
        from featherface.inference.picture_limits import check_size
        from featherface.progress import Progress
        from featherface.video.frames import Sampling

        sampling = Sampling(self.video.every or 1, self.video.fps or 0.0)
        expected = source.expected
        with contextlib.ExitStack() as stack:
            report = stack.enter_context(progress(self.session))
            should_stop = stack.enter_context(stoppable())
            files = [stack.enter_context(file) for file in self._files(source, target)]
            for frame in source.frames(sampling):
                height, width = frame.pixels.shape[:2]
                check_size(source.name, width, height, self.settings)
                found = self.find(frame.pixels)
                told = found.over(self.settings.score_threshold)
                seen.add(frame, told, found)
                for file in files:
                    file.add(frame, told, found)
                report(
                    Progress(
                        f"detect {Path(source.name).name}",
                        source.read,
                        max(expected, source.read),
                        "frames",
                        endless=not expected,
                    )
                )
                if should_stop() or seen.frames == self.video.frames:
                    return True
        return False

    def _files(self, source: VideoSource, target: Path | None) -> list[FrameFile]:
        from thesis_cli.commands.detection.frame_files import BlurredVideo, DrawnVideo, FrameLines

        files: list[FrameFile] = []
        if self.saved is not None:
            files.append(FrameLines(self.saved.path, source.name))
        if target is not None and self.blur.blur:
            hold = HOLD if self.video.blur_hold is None else self.video.blur_hold
            files.append(BlurredVideo(target, source.rate, self.blur.blur, hold))
        elif target is not None:
            files.append(DrawnVideo(target, source.rate))
        return files

    def _kept(self, source: VideoSource, seen: LookedAt, target: Path | None) -> Path | None:
        """Return TARGET if it stays: a video in which nothing was covered only where asked for."""
        if target is None or not self.blur.blur or seen.covered:
            return target
        if self.blur.copies_faceless:
            self.session.warn(
                f"nothing was found to blur in {source.name}; its copy shows it as it is: look at"
                " it before you give it away"
            )
            return target
        from featherface.filesystem.atomic import remove

        remove(target)
        self.session.warn(
            f"nothing was found to blur in {source.name}; no copy was kept: look at it, then lower"
            " --blur-score, or --faceless copy"
        )
        return None

    def _tell_suspicions(self, seen: LookedAt) -> None:
        from featherface.evaluation.suspicion import suspicions_of_pictures

        for suspicion in suspicions_of_pictures(seen.boxes, seen.sizes):
            self.session.warn(suspicion)


def video_view(data: list[dict[str, Any]]) -> list[Block]:
    """Tabulate the videos."""
    rows = [
        [
            str(each["video"]),
            f"{each['frames']:,}",
            f"{each['looked_at']:,}",
            f"{each['faces']:,}",
            f"{each['frames_with_faces']:,}",
            "" if each["best_score"] is None else quantity(each["best_score"], "", ".2f"),
            str(each["drawing"] or each["blurred"] or ""),
        ]
        for each in data
    ]
    head = ["~video", ">frames", ">looked at", ">faces", ">with faces", ">best score", "~copy"]
    return [Grid(head, rows)]
