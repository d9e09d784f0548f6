"""Pictures on which quantisation measures the ranges of numbers inside a network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from featherface.data.config import SyntheticConfig
from featherface.data.images import list_images, read_image
from featherface.data.synthetic.composition import EVENTS, draw_picture
from featherface.errors import DataError
from featherface.export.formats import CalibrationPictures
from featherface.networks.pixels import ordered_and_scaled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from featherface.export.formats import WriterSettings
    from featherface.variants.config import DetectorConfig

DRAWN = SyntheticConfig(image_size=320, largest_face=160, seed=2**31)
"""What is drawn where nobody names pictures: larger than the embedded set's, and none of its."""
COUNT = 16
"""Pictures that are looked at: ranges of more hardly grow."""
LONGEST = 480
"""Pixels of a picture's longer side at most; larger ones are shrunk."""


def calibration_pictures(settings: WriterSettings) -> CalibrationPictures:
    """Return the pictures that SETTINGS name, else drawn ones."""
    return settings.pictures() if settings.pictures else drawn_pictures()


def network_inputs(
    pictures: Iterable[NDArray[np.uint8]], config: DetectorConfig
) -> list[NDArray[np.float32]]:
    """Return PICTURES as CONFIG's network takes them in, (1,3,H,W) each."""
    mean = torch.tensor(config.pixel_mean)
    return [
        ordered_and_scaled((torch.from_numpy(pixels)[None] - mean).permute(0, 3, 1, 2), config)
        .contiguous()
        .numpy()
        for pixels in pictures
    ]


def sized_inputs(
    settings: WriterSettings, config: DetectorConfig, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Return the pictures of SETTINGS as CONFIG's network takes them in at one SIZE.

    Returns:
        (B,3,H,W); larger pictures are cropped at the right and bottom, smaller ones filled up with
        the mean.
    """
    inputs = network_inputs(calibration_pictures(settings).pictures, config)
    taken = np.zeros((len(inputs), 3, *size), np.float32)
    for place, (picture,) in zip(taken, inputs, strict=True):
        cropped = picture[:, : size[0], : size[1]]
        place[:, : cropped.shape[1], : cropped.shape[2]] = cropped
    return taken


def drawn_pictures(count: int = COUNT) -> CalibrationPictures:
    """Draw COUNT pictures with faces: (320,320,3) each, blue-green-red; the same ones always."""
    pictures = []
    for number in range(count):
        rng = np.random.default_rng([DRAWN.seed, number])
        picture, _ = draw_picture(rng, DRAWN, EVENTS[number % len(EVENTS)], "")
        pictures.append(np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1]))
    return CalibrationPictures("drawn", pictures)


def pictures_in(folder: Path) -> CalibrationPictures:
    """Read some pictures of those in FOLDER and below.

    Raises:
        DataError: there are none, or one is damaged.
    """
    paths = list(list_images(folder)) if folder.is_dir() else []
    return pictures_of(folder.name, paths)


def pictures_of(origin: str, paths: Sequence[Path], count: int = COUNT) -> CalibrationPictures:
    """Read COUNT pictures evenly spread over PATHS, which are of ORIGIN; large ones are shrunk.

    Raises:
        DataError: there are none, or one is damaged.
    """
    if not paths:
        raise DataError(f"no pictures to calibrate on in {origin}", "give a folder of pictures")
    chosen = [paths[index] for index in range(0, len(paths), -(-len(paths) // count))]
    return CalibrationPictures(origin, [_shrunk(read_image(path)) for path in chosen])


def _shrunk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    share = LONGEST / max(height, width)
    if share >= 1:
        return pixels
    size = (max(round(width * share), 1), max(round(height * share), 1))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
