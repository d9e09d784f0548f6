"""What a service runs: an engine, and everything that tells what stands behind its answers."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from featherface.evaluation.config import EvaluateConfig
from featherface.inference.detect import detect
from featherface.serving.limits import LOWEST_SCORE, MOST_FACES

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.engines.engine import Engine

BLOCK = 2**20
WARM_UP = (96, 128)
"""Height and width of the picture that is looked at before the first request."""


def file_digest(path: Path) -> str:
    """Return the SHA-256 of the file at PATH."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(BLOCK):
            digest.update(piece)
    return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A network that is served, and its papers."""

    engine: Engine
    variant: str
    file: str
    """Name of the file that it was read from."""
    sha256: str
    """Of that file, as it was when the service started."""
    checked_by: str = ""
    """What the digest was compared with: a run's seal, a manifest; empty for nothing."""
    run: str = ""
    """Such as `v2@3`; empty where no run stands behind it."""
    seal: str = ""
    """Digest of that run's seal."""
    evidence: tuple[dict[str, Any], ...] = field(default=())
    """Metrics of that run, with their evidence and conditions."""
    protocol: str = "original"
    """At which size pictures are looked at."""

    def settings(self, score: float) -> EvaluateConfig:
        """Return how pictures are looked at, and what is told of them."""
        return EvaluateConfig(
            protocol=self.protocol,
            score_threshold=max(score, LOWEST_SCORE),
            max_detections=MOST_FACES,
        )

    def warm_up(self) -> None:
        """Look at an empty picture.

        Raises:
            WeightsError: the network answers with numbers that are not finite.
        """
        empty = np.full((*WARM_UP, 3), 128, np.uint8)
        detect(self.engine, self.engine.config, empty, self.settings(LOWEST_SCORE))

    @property
    def name(self) -> str:
        """The run, or else the variant."""
        return self.run or self.variant

    def identity(self) -> dict[str, Any]:
        """Return what every answer tells of the network."""
        return {"name": self.name, "engine": self.engine.name, "sha256": self.sha256}

    def to_json(self) -> dict[str, Any]:
        """Return all that is known of the network."""
        return {
            "variant": self.variant,
            "run": self.run or None,
            "seal": self.seal or None,
            "file": self.file,
            "sha256": self.sha256,
            "checked_by": self.checked_by or None,
            "engine": self.engine.name,
            "device": str(self.engine.device),
            "protocol": self.protocol,
            "settings": asdict(self.engine.config),
            "evidence": list(self.evidence),
        }
