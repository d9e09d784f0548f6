"""What a program must know to use an exported network: what goes in, what comes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from featherface.engines.onnx_runtime import INPUT, OUTPUTS
from featherface.evaluation.config import EvaluateConfig

if TYPE_CHECKING:
    from featherface.variants.config import DetectorConfig

SHAPES = {
    "boxes": (["batch", "priors", 4], "deltas of centre x, y and log width, height"),
    "scores": (["batch", "priors", 2], "probabilities of background and face"),
    "landmarks": (["batch", "priors", 10], "deltas of five points, x before y"),
}
"""Output -> its shape and what it holds."""
POINTS = ["left eye", "right eye", "nose", "left mouth corner", "right mouth corner"]


def contract(config: DetectorConfig) -> dict[str, Any]:
    """Return CONFIG's input contract as the manifest's plain values.

    `score` under `thresholds` is the one at which a box is taken for a face.
    """
    usual = EvaluateConfig()
    return {
        "input": {
            "name": INPUT,
            "layout": "NCHW",
            "dtype": "float32",
            "shape": ["batch", 3, "height", "width"],
            "size": "any; the picture's own is the one that was evaluated",
            "channel_order": config.channel_order,
            "mean_bgr": list(config.pixel_mean),
            "scale": config.pixel_scale,
            "formula": "(blue, green, red in 0..255 less mean_bgr) times scale,"
            " then the channels in channel_order",
        },
        "outputs": [
            {"name": name, "dtype": "float32", "shape": shape, "holds": holds}
            for name in OUTPUTS
            for shape, holds in [SHAPES[name]]
        ],
        "priors": {
            "sizes": [list(sizes) for sizes in config.prior_sizes],
            "ratios": list(config.prior_ratios),
            "steps": list(config.prior_steps),
            "order": "level, row, column, size, ratio",
        },
        "variances": list(config.variances),
        "decoding": "centre = prior centre + delta * variance 0 * prior size;"
        " size = prior size * exp(delta * variance 1);"
        " point = prior centre + delta * variance 0 * prior size",
        "classes": ["background", "face"],
        "landmarks": POINTS,
        "thresholds": {"score": usual.decision, "nms": usual.nms_threshold},
    }
