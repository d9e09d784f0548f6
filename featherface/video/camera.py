"""A camera of this machine, by its number or by the name that the system knows it by."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

from featherface.errors import UnavailableError
from featherface.video.frames import VideoSource
from featherface.video.library import pyav


class CameraSystem(NamedTuple):
    """How FFmpeg reaches cameras on a system."""

    format: str
    by_number: str
    """What camera {} is called, where it goes by its number."""
    by_name: str
    options: dict[str, str]


SYSTEMS = {
    "linux": CameraSystem("v4l2", "/dev/video{}", "{}", {}),
    "darwin": CameraSystem("avfoundation", "{}", "{}", {"framerate": "30"}),
    "win32": CameraSystem("dshow", "", "video={}", {}),
}
"""By `sys.platform`; Windows knows cameras by their names alone."""


def open_camera(camera: str) -> VideoSource:
    """Open CAMERA, such as `0`, `/dev/video2` or `Integrated Webcam`.

    Raises:
        UnavailableError: PyAV is not installed, there is no such camera, or it is in use.
    """
    av = pyav()
    system = SYSTEMS.get(sys.platform)
    if system is None:
        raise UnavailableError(f"cameras are not reached on {sys.platform}", "record a file")
    known = cameras(av, system)
    try:
        container = av.open(
            _address(camera, system, known), format=system.format, options=system.options
        )
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise _fault(camera, known, error) from error
    return VideoSource(f"camera {camera}", container, live=True)


def cameras(av: Any, system: CameraSystem) -> list[str]:
    """Name the cameras that are there, in the order of their numbers, as far as one is told."""
    if system.format == "v4l2":
        return sorted(str(path) for path in Path("/dev").glob("video*"))
    try:
        devices = av.enumerate_input_devices(system.format)
    except (av.error.FFmpegError, AttributeError, OSError, ValueError):
        return []
    return [each.description for each in devices if "video" in each.media_types]


def _address(camera: str, system: CameraSystem, known: list[str]) -> str:
    if not camera.isdecimal():
        return system.by_name.format(camera)
    if system.by_number:
        return system.by_number.format(camera)
    names = dict(enumerate(known))
    return system.by_name.format(names.get(int(camera), camera))


def _fault(camera: str, known: list[str], error: Exception) -> UnavailableError:
    if isinstance(error, PermissionError):
        return UnavailableError(
            f"you may not use camera {camera}",
            "let this program use the camera (Linux: be a member of the group video)",
        )
    reason = getattr(error, "strerror", None) or error
    if known:
        listed = ", ".join(f"{number}: {name}" for number, name in enumerate(known))
        hint = f"name one that is there ({listed}), and close what else uses it"
    else:
        hint = "no camera is known here: plug one in, or give a video file"
    return UnavailableError(f"can't open camera {camera}: {reason}", hint)
