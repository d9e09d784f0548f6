"""What an ONNX file says of itself: its network, what it takes in, and how its answers are read."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from featherface.export.formats import WriterSettings
    from featherface.networks.detector import Detector

LICENCE = (
    "the program that wrote this file: MIT; the weights: as whoever trained them allows, and as"
    " the pictures that they were trained on allow"
)
POINTS = ("left eye", "right eye", "nose", "left mouth corner", "right mouth corner")
CLASSES = ("background", "face")
PREPROCESSING = (
    "blue, green, red in 0..255, minus pixel_mean_bgr, times pixel_scale; then the channels in"
    " channel_order"
)
DECODING = (
    "centre = prior centre + delta * variance 0 * prior size; "
    "size = prior size * exp(delta * variance 1)"
)


def metadata(
    model: Detector, settings: WriterSettings, variant_name: str, kind: str
) -> dict[str, str]:
    """Return the metadata of MODEL's file of format KIND."""
    config = model.config
    return {
        "variant": variant_name,
        "model": json.dumps(asdict(config)),
        "run": settings.run,
        "format": kind,
        "licence": LICENCE,
        "classes": json.dumps(CLASSES),
        "landmarks": json.dumps(POINTS),
        "prior_sizes": json.dumps(config.prior_sizes),
        "prior_ratios": json.dumps(config.prior_ratios),
        "prior_steps": json.dumps(config.prior_steps),
        "variances": json.dumps(config.variances),
        "pixel_mean_bgr": json.dumps(config.pixel_mean),
        "channel_order": config.channel_order,
        "pixel_scale": json.dumps(config.pixel_scale),
        "preprocessing": PREPROCESSING,
        "size_multiple": "1",
        "decoding": DECODING,
    }
