"""Probes of what the metrics of an evaluation are, beside the core's."""

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
    from featherface.probes.settings import Settings

DECISIONS = (0.5, 0.64)
"""Scores from which a detection is taken for a face; the second is exactly one's."""


def metrics(settings: Settings) -> Values:
    """Give recall, precision, localisation and calibration of fixed detections, by their names."""
    del settings
    about = Circumstances(dataset="probe", split="val", complete=True, fingerprint="", run="")
    result = evaluation()
    return [
        number
        for decision in DECISIONS
        for metric in measure(
            result, dataclasses.replace(EvaluateConfig(), decision=decision), about
        )
        for number in (float(zlib.crc32(metric.name.encode())), metric.value)
    ]


PROBES: dict[str, Probe] = {"metrics": Probe(compute=metrics, families=("accuracy",))}
