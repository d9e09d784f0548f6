"""Videos made of drawn frames, and ways to damage them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

av = pytest.importorskip("av", reason='PyAV is not installed: pip install "thesis[video]"')


def frames(count, height=64, width=96):
    """Frames with a block that moves to the right, red in the upper left corner (RGB)."""
    made = []
    for number in range(count):
        frame = np.full((height, width, 3), 60, np.uint8)
        frame[height // 2 :, 4 * number % width : 4 * number % width + 12] = (240, 240, 60)
        frame[: height // 4, : width // 4] = (250, 0, 0)
        made.append(frame)
    return made


def write(path, pictures, rate=10, *, sound=False, **metadata):
    """Write PICTURES (RGB), one after the other at RATE, with a beep beside them where wanted."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as output:
        output.metadata.update(metadata)
        stream = output.add_stream("mpeg4", rate=rate, options={"g": "5", "qscale": "2"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        audio = output.add_stream("aac", rate=8000) if sound else None
        for picture in pictures:
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        output.mux(stream.encode(None))
        if audio is not None:
            samples = np.zeros((1, 8000 * len(pictures) // rate), np.float32)
            beep = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            beep.sample_rate, beep.pts, beep.time_base = 8000, 0, Fraction(1, 8000)
            output.mux(audio.encode(beep))
            output.mux(audio.encode(None))
    return path


def turn(path):
    """Let an MP4 ask to be shown a quarter turn to the right, as telephones held upright do."""
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 4 + 40  # after version, times, duration, layer, volume
    numbers = (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    content[place : place + 36] = b"".join(n.to_bytes(4, "big", signed=True) for n in numbers)
    path.write_bytes(content)


def cut(path, share):
    """Keep a SHARE of a file's bytes."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
