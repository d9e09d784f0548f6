"""Frames of a video or camera, one after the other, each at its own time.

A file that is damaged or cut short is read as far as it can be; `VideoSource.faults` tells what was
lost. Only files are opened: a playlist that names an address reaches no network.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from featherface.errors import DataError
from featherface.video.library import pyav

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

VIDEO_SUFFIXES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts"}
    | {".ts", ".wmv", ".flv", ".3gp", ".ogv"}
)
"""File endings, in lower case, by which a file is taken for a video."""
USUAL_RATE = 25.0
"""Frames a second of what tells neither times nor a rate."""
SHORT_SECONDS, SHORT_SHARE = 0.5, 0.02
"""So much may be missing at the end, of what the file announces, before it counts as cut short."""


@dataclass(frozen=True)
class VideoFrame:
    """One frame, as it is meant to be seen."""

    number: int
    """Place in the source, from 0."""
    seconds: float
    """Since the source's first frame."""
    pixels: NDArray[np.uint8]
    """(H, W, 3), blue-green-red, turned as the file asks."""


@dataclass(frozen=True)
class Sampling:
    """Which frames are looked at."""

    every: int = 1
    """Each so many-th frame."""
    per_second: float = 0.0
    """At most so many in a second of the source; 0 has no limit."""

    def chosen(self) -> _Chooser:
        """Return what decides, frame after frame."""
        return _Chooser(self)


@dataclass
class _Chooser:
    sampling: Sampling
    due: float = 0.0

    def takes(self, number: int, seconds: float) -> bool:
        if number % self.sampling.every:
            return False
        if not self.sampling.per_second:
            return True
        if seconds < self.due - 1e-6:
            return False
        step = 1 / self.sampling.per_second
        self.due = (np.floor(seconds / step + 1e-6) + 1) * step
        return True


@dataclass
class VideoSource:
    """An opened video or camera; `with` closes it."""

    name: str
    container: Any
    """PyAV's."""
    live: bool = False
    """A camera: no end is announced."""
    faults: list[str] = field(default_factory=list)
    """What was damaged or missing, in words; complete once all frames were read."""
    read: int = 0
    """Frames decoded so far, those that sampling passed over too."""
    damaged: int = 0
    """Packets that could not be decoded, and frames that the decoder calls corrupt."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.container.close()

    @property
    def stream(self) -> Any:
        """PyAV's stream of pictures."""
        return self.container.streams.video[0]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as announced, before any turn."""
        return self.stream.codec_context.width, self.stream.codec_context.height

    @property
    def rate(self) -> float:
        """Frames a second on average, as far as the source tells."""
        return float(self.stream.average_rate or self.stream.guessed_rate or 0) or USUAL_RATE

    @property
    def announced(self) -> float:
        """Seconds that the file says it lasts; 0 where it doesn't say."""
        if self.live:
            return 0.0
        if self.stream.duration:
            return float(self.stream.duration * self.stream.time_base)
        return float(self.container.duration or 0) / float(pyav().time_base)

    @property
    def expected(self) -> int:
        """Frames that the file should hold; 0 where nobody knows."""
        if self.live:
            return 0
        return int(self.stream.frames or round(self.announced * self.rate))

    def frames(self, sampling: Sampling) -> Iterator[VideoFrame]:
        """Yield the frames that SAMPLING takes; `faults` is complete when they are through."""
        chooser = sampling.chosen()
        first: float | None = None
        seconds = 0.0
        for frame in self._decoded():
            time = self.read / self.rate if frame.time is None else frame.time
            first = time if first is None else first
            seconds = max(time - first, 0.0)
            number, self.read = self.read, self.read + 1
            if chooser.takes(number, seconds):
                yield VideoFrame(number, seconds, _upright(frame))
        self._judge(seconds)

    def _decoded(self) -> Iterator[Any]:
        """Yield PyAV's frames; what can't be decoded is counted and passed over."""
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except pyav().error.FFmpegError as error:
                self.faults.append(f"reading ended early: {error.strerror or error}")
                packet = None
            frames = self._of_packet(packet)
            yield from frames
            if packet is None:
                return

    def _of_packet(self, packet: Any) -> list[Any]:
        """Decode PACKET, or what the decoder still holds where it is None."""
        try:
            frames: list[Any] = self.stream.codec_context.decode(packet)
        except pyav().error.EOFError:
            return []
        except pyav().error.FFmpegError:
            self.damaged += 1
            return []
        self.damaged += sum(bool(frame.is_corrupt) for frame in frames)
        return frames

    def _judge(self, seconds: float) -> None:
        """Say what was lost, once the last frame, at SECONDS, was read."""
        if self.damaged:
            self.faults.append(f"{self.damaged:,} of its frames or packets are damaged")
        announced = self.announced
        end = seconds + 1 / self.rate
        if announced - end > max(SHORT_SECONDS, SHORT_SHARE * announced):
            self.faults.append(f"it ends at {end:.1f} s of the {announced:.1f} s it announces")


def open_video(path: Path) -> VideoSource:
    """Open the video file PATH.

    Raises:
        UnavailableError: PyAV is not installed.
        DataError: the file is missing, damaged at its head, no video, or holds no pictures.
    """
    av = pyav()
    if not path.is_file():
        raise DataError(f"no video {path}", "check the path")
    try:
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise DataError(
            f"can't read the video {path}: {getattr(error, 'strerror', None) or error}",
            "the file is damaged, cut short at its index, or no video: fetch or record it again",
        ) from error
    if not container.streams.video or not container.streams.video[0].codec_context:
        container.close()
        raise DataError(
            f"{path} holds no pictures that can be read",
            "it was cut short, is damaged, or holds sound alone: fetch or record it again",
        )
    with contextlib.suppress(AttributeError):
        container.streams.video[0].thread_type = "AUTO"
    return VideoSource(str(path), container)


def _upright(frame: Any) -> NDArray[np.uint8]:
    """Return the pixels, turned by the quarter turns that the file asks of who shows them."""
    pixels: NDArray[np.uint8] = frame.to_ndarray(format="bgr24")
    return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90) % 4))
