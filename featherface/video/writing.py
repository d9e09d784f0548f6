"""Frames written as a video: MP4 with H.264, without sound and without the source's own words."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from PIL import Image

from featherface.errors import UnavailableError
from featherface.filesystem.atomic import replacing
from featherface.video.library import pyav

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from numpy.typing import NDArray

TICKS = 90_000
"""Of a second: how finely times are kept."""
CODECS = {"libx264": {"crf": "20", "preset": "fast"}, "mpeg4": {"qscale": "3"}}
"""Encoders, the first that this FFmpeg has, with their quality."""


class VideoWriter:
    """Writes PATH, which is there whole once the `with` block ends, and not at all without a frame.

    Every frame gets the size of the first: others are scaled.
    """

    def __init__(self, path: Path, rate: float) -> None:
        self.path = path
        self.written = 0
        self._rate = Fraction(rate).limit_denominator(1001)
        self._last = -1
        self._output: Any = None
        self._stream: Any = None
        self._size = (0, 0)
        self._kept = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def add(self, pixels: NDArray[np.uint8], seconds: float) -> None:
        """Write one frame (H, W, 3), blue-green-red, to be shown at SECONDS.

        Raises:
            UnavailableError: the file can't be written.
        """
        if self._output is None:
            self._open(pixels)
        av = pyav()
        frame = av.VideoFrame.from_ndarray(self._fitted(pixels), format="bgr24")
        self._last = max(round(seconds * TICKS), self._last + 1)
        frame.pts, frame.time_base = self._last, Fraction(1, TICKS)
        self._mux(frame)
        self.written += 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._output is None:
            return
        with self._kept:
            if error is not None:
                self._output.close()
                raise error
            self._mux(None)
            self._output.close()

    def _open(self, pixels: NDArray[np.uint8]) -> None:
        av = pyav()
        codec = next((name for name in CODECS if name in av.codecs_available), None)
        if codec is None:
            raise UnavailableError(
                "this PyAV can't write videos: it has no encoder", "python -m pip install av"
            )
        height, width = pixels.shape[:2]
        self._size = width + width % 2, height + height % 2  # colours are kept for 2 x 2 pixels
        temporary = self._kept.enter_context(replacing(self.path))
        self._output = av.open(str(temporary), "w", format="mp4")
        self._stream = self._output.add_stream(codec, rate=self._rate, options=CODECS[codec])
        self._stream.width, self._stream.height = self._size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, TICKS)

    def _fitted(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = pixels.shape[:2]
        columns, rows = self._size
        if (width, height) == (columns, rows):
            return pixels
        if 0 <= columns - width <= 1 and 0 <= rows - height <= 1:
            return np.pad(pixels, ((0, rows - height), (0, columns - width), (0, 0)), mode="edge")
        return np.asarray(Image.fromarray(pixels).resize(self._size))

    def _mux(self, frame: Any) -> None:
        for packet in self._stream.encode(frame):
            self._output.mux(packet)
