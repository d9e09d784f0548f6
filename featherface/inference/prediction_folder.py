"""A folder of predictions that knows the network and settings they came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from featherface.errors import UsageError
from featherface.evaluation.landmark_files import read_all_landmarks, write_landmarks
from featherface.evaluation.predictions import read_prediction, write_prediction
from featherface.filesystem.atomic import left_over, write_atomic

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from featherface.engines.engine import Engine
    from featherface.evaluation.config import EvaluateConfig

ORIGIN = "predictions.json"
"""File beside the event folders; predictions of another origin are never taken for these."""


@dataclass(frozen=True)
class PredictionFolder:
    """Predictions of one network with one set of settings."""

    path: Path

    @classmethod
    def open(cls, path: Path, engine: Engine, evaluate: EvaluateConfig) -> PredictionFolder:
        """Make the folder, or go on with it.

        Raises:
            UsageError: it holds files of another origin, or of none that is known.
        """
        origin = {"network": engine.fingerprint(), "protocol": evaluate.identity}
        text = json.dumps(origin, indent=1, sort_keys=True) + "\n"
        file = path / ORIGIN
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            return cls(path)
        if path.exists() and any(not left_over(entry.name) for entry in path.iterdir()):
            raise UsageError(
                f"{path} is not empty and holds no predictions of this network and protocol",
                "choose another folder for the predictions, or remove that one",
            )
        write_atomic(file, text)
        return cls(path)

    def found(self, names: Iterable[str]) -> dict[str, NDArray[np.float64]]:
        """Read the predictions of those pictures in NAMES that are there already."""
        files = {name: self.path / f"{name}.txt" for name in names}
        return {name: read_prediction(file) for name, file in files.items() if file.is_file()}

    def landmarks(self, names: Iterable[str]) -> dict[str, NDArray[np.float64]]:
        """Read the points of those pictures in NAMES whose detections are there with them."""
        there = [name for name in names if (self.path / f"{name}.txt").is_file()]
        return read_all_landmarks(self.path, there)

    def add(
        self, name: str, detections: NDArray[np.float64], landmarks: NDArray[np.float64] | None
    ) -> None:
        """Write one picture's detections (n, 5), after their LANDMARKS (n, 10) if there are any."""
        if landmarks is not None:
            write_landmarks(self.path, name, landmarks)
        write_prediction(self.path, name, detections)
