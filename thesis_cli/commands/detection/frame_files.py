"""What is written while a video is looked at: lines of JSON, a drawn or a covered video."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol, Self

from thesis_cli.commands.detection.answers import faces
from thesis_cli.commands.detection.saved_detections import json_line

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from featherface.geometry.detections import Detections
    from featherface.video.frames import VideoFrame


class FrameFile(Protocol):
    """Takes frames one after the other; `with` finishes the file."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None: ...
    def add(self, frame: VideoFrame, told: Detections, found: Detections) -> None:
        """Take a frame, the faces TOLD of it, and all FOUND, weaker ones too."""


class FrameLines(contextlib.AbstractContextManager["FrameLines"]):
    """A line of JSON for each frame, in the file as soon as it is known: memory stays bounded."""

    def __init__(self, path: Path, source: str) -> None:
        from featherface.filesystem.os_errors import unavailable

        self.source = source
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = path.open("a", encoding="utf-8", newline="\n")
        except OSError as error:
            raise unavailable(error, path) from error

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def add(self, frame: VideoFrame, told: Detections, found: Detections) -> None:
        """Write the frame's line."""
        del found
        self.file.write(json_line(frame_entry(self.source, frame, told)))
        self.file.flush()


class DrawnVideo(contextlib.AbstractContextManager["DrawnVideo"]):
    """The frames looked at, at their times, with their faces drawn."""

    def __init__(self, path: Path, rate: float) -> None:
        from featherface.video.writing import VideoWriter

        self.writer = VideoWriter(path, rate)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.writer.__exit__(kind, error, trace)

    def add(self, frame: VideoFrame, told: Detections, found: Detections) -> None:
        """Write the frame."""
        del found
        import numpy as np

        from featherface.inference.drawing import draw

        drawn = np.asarray(draw(frame.pixels, told))[:, :, ::-1]
        self.writer.add(np.ascontiguousarray(drawn), frame.seconds)


class BlurredVideo(contextlib.AbstractContextManager["BlurredVideo"]):
    """The frames looked at, at their times, with the faces of their neighbours covered too."""

    def __init__(self, path: Path, rate: float, method: str, hold: int) -> None:
        from featherface.inference.held_faces import HeldFaces
        from featherface.video.writing import VideoWriter

        self.writer = VideoWriter(path, rate)
        self.method = method
        self.held: HeldFaces[VideoFrame] = HeldFaces(hold)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            for frame, covered in self.held.rest():
                self._write(frame, covered)
        self.writer.__exit__(kind, error, trace)

    def add(self, frame: VideoFrame, told: Detections, found: Detections) -> None:
        """Take the frame; it is written once its later neighbours are known."""
        del told
        for ready, covered in self.held.add(frame, found):
            self._write(ready, covered)

    def _write(self, frame: VideoFrame, covered: Detections) -> None:
        from featherface.inference.face_blur import blurred

        self.writer.add(blurred(frame.pixels, covered, self.method), frame.seconds)


def frame_entry(source: str, frame: VideoFrame, told: Detections) -> dict[str, Any]:
    """Describe one frame."""
    height, width = frame.pixels.shape[:2]
    return {
        "video": source,
        "frame": frame.number,
        "seconds": round(frame.seconds, 6),
        "width": width,
        "height": height,
        "faces": faces(told),
    }
