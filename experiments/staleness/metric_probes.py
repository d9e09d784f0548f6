"""Probes of how metrics are defined on an evaluation, beside those of the core."""

from __future__ import annotations

import dataclasses
import zlib
from typing import TYPE_CHECKING

from experiments.accuracy import Circumstances, measure
from featherface.evaluation.config import EvaluateConfig
from featherface.probes.accuracy import evaluation
from featherface.probes.table import Probe

if TYPE_CHECKING:
    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings

DECISION_SCORES = (0.5, 0.64)
"""Scores from which a detection counts as a face; the second equals a detection's score."""


def metrics(settings: ProbeSettings) -> Values:
    """Return recall, precision, localisation and calibration of fixed detections, by name."""
    del settings
    circumstances = Circumstances(
        dataset="probe", split="val", complete=True, fingerprint="", run=""
    )
    result = evaluation()
    return [
        number
        for decision in DECISION_SCORES
        for metric in measure(
            result, dataclasses.replace(EvaluateConfig(), decision=decision), circumstances
        )
        for number in (float(zlib.crc32(metric.name.encode())), metric.value)
    ]


PROBES: dict[str, Probe] = {"metrics": Probe(compute=metrics, families=("accuracy",))}
