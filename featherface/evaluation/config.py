"""How a detector is evaluated: protocol and thresholds, as a recipe names them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from featherface.errors import UsageError, unknown

PROTOCOLS = {
    "original": "each picture at its own size, one scale, no flip",
}
"""Every protocol that inference can follow, with what it does to a picture."""

_OF_IDENTITY = ("score_threshold", "nms_threshold", "max_detections")


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """From raw network outputs to detections, and where earlier detections lie."""

    protocol: str = "original"
    """Name of the inference protocol, one of `PROTOCOLS`; part of every metric's identity."""
    score_threshold: float = 0.02
    """Face probability in [0, 1); only detections strictly above it are kept."""
    nms_threshold: float = 0.4
    """IoU in (0, 1] (pixels counted with +1) above which the weaker of two boxes is dropped."""
    max_detections: int = 0
    """Strongest detections kept per picture, after suppression; 0 keeps all."""
    batch_size: int = 8
    """Neighbouring pictures of equal size that go through the network together, fewer where they
    are large; at least 1. Changes the speed, not the result."""
    predictions: str | None = None
    """Folder or .tar.gz of earlier predictions in the official text format, evaluated instead of
    running the network; None runs it."""

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise UsageError(f"evaluate.protocol: {unknown('protocol', self.protocol, PROTOCOLS)}")
        self._check("score_threshold", 0 <= self.score_threshold < 1, "a number in [0, 1)")
        self._check("nms_threshold", 0 < self.nms_threshold <= 1, "a number in (0, 1]")
        self._check("max_detections", self.max_detections >= 0, "0 (keep all) or more")
        self._check("batch_size", self.batch_size >= 1, "1 or more")

    @property
    def identity(self) -> str:
        """The protocol's name, with every setting that departs from its default and moves AP.

        >>> EvaluateConfig(score_threshold=0.1).identity
        'original (score_threshold=0.1)'
        """
        changed = [
            f"{key.name}={getattr(self, key.name)}"
            for key in fields(self)
            if key.name in _OF_IDENTITY and getattr(self, key.name) != key.default
        ]
        return f"{self.protocol} ({', '.join(changed)})" if changed else self.protocol

    def _check(self, key: str, right: bool, wanted: str) -> None:
        value = getattr(self, key)
        if not right or (isinstance(value, float) and not math.isfinite(value)):
            raise UsageError(f"evaluate.{key} is {value}; it must be {wanted}")
