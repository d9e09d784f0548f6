"""Evaluation settings: protocol, thresholds, test-time augmentation. Lean."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from featherface.devices.precision import FULL, check_precision
from featherface.errors import UsageError, unknown


@dataclass(frozen=True)
class Protocol:
    """At which sizes a network looks at a picture."""

    about: str
    """In one sentence."""
    shorter: tuple[int, ...] = ()
    """Lengths in pixels of the picture's shorter side, one for each look; () leaves the longer
    side to decide."""
    longer: int = 0
    """Pixels of the longer side: as it is made where `shorter` is empty, else at most so many for
    the second of `shorter`, the others shrunk by the same factor; 0 leaves the picture as it is."""

    def scales(self, width: int, height: int) -> tuple[float, ...]:
        """Give the factor of each look at a picture of WIDTH x HEIGHT pixels.

        >>> PROTOCOLS["vga"].scales(1280, 800)
        (0.5,)
        """
        if not self.shorter:
            return (self.longer / max(width, height) if self.longer else 1.0,)
        base = self.shorter[1]
        fit = min(base / min(width, height), self.longer / max(width, height))
        return tuple(fit * length / base for length in self.shorter)


PROTOCOLS = {
    "original": Protocol("each picture at its own size"),
    "vga": Protocol("the longer side made 640 pixels, as SCRFD does", longer=640),
    "multiscale": Protocol(
        "five sizes, as RetinaFace does: the shorter side 500, 800, 1100, 1400 and 1700 pixels,"
        " smaller where the longer side would pass 1.5 times that",
        shorter=(500, 800, 1100, 1400, 1700),
        longer=1200,
    ),
}
"""Every protocol that inference can follow.

Sources: tools/test_widerface.py of SCRFD (mode 0) and test_widerface.py of RetinaFace (pyramid),
both in https://github.com/deepinsight/insightface.
"""

EXTRAS = ("flip", "voting")
"""Keys that add to a protocol; in a metric's identity they follow it: `multiscale+flip`."""

_OF_IDENTITY = ("precision", "score_threshold", "nms_threshold", "max_detections")


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig:
    """From raw network outputs to detections, and where earlier detections lie."""

    protocol: str = "original"
    """Name of the inference protocol, one of `PROTOCOLS`; part of every metric's identity."""
    flip: bool = False
    """Whether to look at each picture mirrored too; the detections of all looks are merged."""
    voting: bool = False
    """Whether a detection's box and landmarks become the mean, weighted by score, of all those that
    it suppresses; otherwise the strongest stays as it is."""
    score_threshold: float = 0.02
    """Face probability in [0, 1); only detections strictly above it are kept."""
    nms_threshold: float = 0.4
    """IoU in (0, 1] (pixels counted with +1) above which the weaker of two boxes is dropped."""
    decision: float = 0.5
    """Score in [0, 1] from which a detection is taken for a face, in recall, precision and the
    errors shown; AP does not depend on it."""
    max_detections: int = 0
    """Strongest detections kept per picture, after suppression; 0 keeps all."""
    max_megapixels: float = 40.0
    """Largest picture, in millions of pixels as the network looks at it, that goes through the
    network (which takes some 100 bytes for each); larger ones are passed over and told; 0 has
    no limit."""
    batch_size: int = 8
    """Neighbouring pictures of equal size that go through the network together, fewer where they
    are large; at least 1. Changes the speed, not the result."""
    precision: str = FULL
    """In which precision the network computes: fp32, tf32, bf16 or fp16; another than fp32 is part
    of every metric's identity."""
    engine: str = "torch"
    """What computes: torch, onnxruntime, another of `featherface.engines.table.ENGINES`, or auto,
    the fastest one here whose answers are PyTorch's. Every metric names the one that was taken."""
    predictions: str | None = None
    """Folder or .tar.gz of earlier predictions in the official text format, evaluated instead of
    running the network; None runs it."""
    predictions_by: str | None = None
    """Who made these predictions, as every table names them; None: the name of their folder."""

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise UsageError(f"evaluate.protocol: {unknown('protocol', self.protocol, PROTOCOLS)}")
        check_precision("evaluate.precision", self.precision)
        self._check("score_threshold", 0 <= self.score_threshold < 1, "a number in [0, 1)")
        self._check("decision", 0 <= self.decision <= 1, "a number in [0, 1]")
        self._check("nms_threshold", 0 < self.nms_threshold <= 1, "a number in (0, 1]")
        self._check("max_detections", self.max_detections >= 0, "0 (keep all) or more")
        self._check("max_megapixels", self.max_megapixels >= 0, "0 (no limit) or more")
        self._check("batch_size", self.batch_size >= 1, "1 or more")

    @property
    def identity(self) -> str:
        """The protocol's name, with every setting that departs from its default and moves AP.

        >>> EvaluateConfig(protocol="vga", flip=True, score_threshold=0.1).identity
        'vga+flip (score_threshold=0.1)'
        """
        departures = self.departures()
        name = "+".join([self.protocol, *(key for key in EXTRAS if departures.pop(key, False))])
        changed = ", ".join(f"{key}={value}" for key, value in departures.items())
        return f"{name} ({changed})" if changed else name

    def departures(self, *, decided: bool = False) -> dict[str, bool | float | str]:
        """Return the settings that depart from their defaults and move AP, those of `EXTRAS` first.

        DECIDED: those too that move what depends on `decision`: recall, precision, localisation.

        >>> EvaluateConfig(flip=True, max_detections=750).departures()
        {'flip': True, 'max_detections': 750}
        """
        keys = (*EXTRAS, *_OF_IDENTITY, *(["decision"] if decided else []))
        usual = {key.name: key.default for key in fields(self)}
        changed = {key: getattr(self, key) for key in (*EXTRAS, *usual) if key in keys}
        return {key: value for key, value in changed.items() if value != usual[key]}

    def _check(self, key: str, right: bool, wanted: str) -> None:
        value = getattr(self, key)
        if not right or (isinstance(value, float) and not math.isfinite(value)):
            raise UsageError(f"evaluate.{key} is {value}; it must be {wanted}")
