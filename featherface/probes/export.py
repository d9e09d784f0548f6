"""Probes of an export: what is written instead of the network, and how it is compared.

Nothing is exported: tracing a network takes seconds, a probe may not.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch

from featherface.export.deployed import deployed
from featherface.export.formats import FORMATS
from featherface.export.onnx_file import OUTPUTS, traced
from featherface.export.writing import WRITERS, differences, parity_of
from featherface.probes.network import KEPT, built
from featherface.probes.numbers import picture, summaries, summary
from featherface.probes.scenes import Scripted
from featherface.variants.config import DetectorConfig

if TYPE_CHECKING:
    from featherface.probes.numbers import Values
    from featherface.probes.settings import Settings

SIZE = (64, 96)
OFF = {"boxes": 0.25, "scores": 0.125, "landmarks": 0.5}
"""What is added to the answers of a file that is not quite right."""


def wrapper(settings: Settings) -> Values:
    """Give what the network says as it is exported, normalisations folded into convolutions."""
    return list(_wrapped(settings.model))


@functools.lru_cache(maxsize=KEPT)
def _wrapped(config: DetectorConfig) -> tuple[float, ...]:
    model = traced(built(config).model, torch.float64)
    with torch.no_grad():
        return tuple(summaries(model(picture())))


def formats(settings: Settings) -> Values:
    """Give for each format whether it can be written, and for all how many outputs there are."""
    known = [float(name in FORMATS and name in WRITERS) for name in settings.export.formats]
    return [float(len(OUTPUTS)), *known]


def parity(settings: Settings) -> Values:
    """Give how far a file is said to be from its network, where we know it."""
    del settings
    network = Scripted(DetectorConfig(channels=4), "export", 12)

    def run(images: Any) -> dict[str, Any]:
        values.extend(summary(images))
        with torch.no_grad():
            raw = deployed(network)(torch.as_tensor(images))  # type: ignore[arg-type]
        right = (raw.boxes, raw.logits.softmax(-1), raw.landmarks)
        return {name: one.numpy() + OFF[name] for name, one in zip(OUTPUTS, right, strict=True)}

    values: Values = []
    found = [differences(network, run, SIZE, batch) for batch in (1, 2)]  # type: ignore[arg-type]
    told = [number for one in found for number in one.values()]
    return [*values, *told, parity_of(found)]


def forget() -> None:
    """Free what is kept of networks."""
    _wrapped.cache_clear()
