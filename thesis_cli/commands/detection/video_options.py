"""Options of videos and cameras, and what counts as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from featherface.errors import UsageError
from thesis_cli.commands.detection.option_groups import option_group

if TYPE_CHECKING:
    from pathlib import Path

HOLD = 3
"""Frames before and after for which a covered face stays covered, unless told otherwise."""


class VideoOptions(NamedTuple):
    """What the options say of videos."""

    video: bool = False
    camera: str | None = None
    every: int | None = None
    fps: float | None = None
    frames: int | None = None
    blur_hold: int | None = None

    def means_video(self, images: tuple[Path, ...]) -> bool:
        """Tell whether videos or a camera are to be looked at.

        Raises:
            UsageError: pictures and videos are mixed, nothing is given, or an option has no use.
        """
        from featherface.video.frames import VIDEO_SUFFIXES

        if not images and self.camera is None:
            raise click.UsageError("name pictures or videos, or a camera: --camera 0")
        if self.camera is not None and images:
            raise UsageError(
                f"--camera {self.camera} and {images[0]} exclude each other",
                "look at them one after the other",
            )
        videos = [path for path in images if self.video or path.suffix.lower() in VIDEO_SUFFIXES]
        if videos and len(videos) < len(images):
            other = next(path for path in images if path not in videos)
            raise UsageError(
                f"{videos[0]} is a video, and {other} is not",
                "look at them one after the other, or say --video if all are",
            )
        if videos or self.camera is not None:
            return True
        given = {f"--{name.replace('_', '-')}": value for name, value in self._asdict().items()}
        alone = next((name for name, value in given.items() if value not in (None, False)), None)
        if alone is not None:
            raise UsageError(f"{alone} is of videos and cameras", f"leave {alone} out")
        return False


video_options = option_group(
    "video",
    VideoOptions,
    click.option(
        "--video", is_flag=True, help="Take the files for videos, whatever their endings."
    ),
    click.option("--camera", metavar="N", help="Look through a camera: its number or its name."),
    click.option(
        "--every", type=click.IntRange(1), metavar="N", help="Of a video, look at each N-th frame."
    ),
    click.option(
        "--fps",
        type=click.FloatRange(0, min_open=True),
        help="Of a video, look at no more frames a second.",
    ),
    click.option("--frames", type=click.IntRange(1), help="Stop after so many frames."),
    click.option(
        "--blur-hold",
        type=click.IntRange(0, 100),
        metavar="N",
        help=f"In a video, cover a face N frames before and after too; default: {HOLD}.",
    ),
)
