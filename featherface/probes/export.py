"""Probes of an export: what is written instead of the network, and how it is compared.

Nothing is exported: tracing a network takes seconds, a probe may not.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch

from featherface.engines.onnx_runtime import OUTPUTS
from featherface.export.deployed import deployed
from featherface.export.formats import FORMATS
from featherface.export.onnx_file import traced
from featherface.export.writing import WRITERS, differences, parity_of
from featherface.probes.network import KEPT, build_network
from featherface.probes.numbers import noise_pictures, summaries, summary
from featherface.probes.scenes import ScriptedDetector
from featherface.variants.config import DetectorConfig

if TYPE_CHECKING:
    from featherface.probes.numbers import Values
    from featherface.probes.settings import ProbeSettings

SIZE = (64, 96)
OFFSETS = {"boxes": 0.25, "scores": 0.125, "landmarks": 0.5}
"""What is added to the outputs of an exported file that differs from its network."""


def exported_outputs(settings: ProbeSettings) -> Values:
    """Return the outputs of the network as it is exported, normalisations folded."""
    return list(_exported_outputs(settings.model))


@functools.lru_cache(maxsize=KEPT)
def _exported_outputs(config: DetectorConfig) -> tuple[float, ...]:
    model = traced(build_network(config).model, torch.float64)
    with torch.no_grad():
        return tuple(summaries(model(noise_pictures())))


def formats(settings: ProbeSettings) -> Values:
    """Return the number of exported outputs, then for each format whether it can be written."""
    supported = [float(name in FORMATS and name in WRITERS) for name in settings.export.formats]
    return [float(len(OUTPUTS)), *supported]


def parity(settings: ProbeSettings) -> Values:
    """Return the parity that is measured for a file whose outputs are off by OFFSETS."""
    del settings
    network = ScriptedDetector(DetectorConfig(channels=4), "export", 12)

    def run(images: Any) -> dict[str, Any]:
        values.extend(summary(images))
        with torch.no_grad():
            raw = deployed(network)(torch.as_tensor(images))  # type: ignore[arg-type]
        exact = (raw.boxes, raw.logits.softmax(-1), raw.landmarks)
        named = zip(OUTPUTS, exact, strict=True)
        return {name: output.numpy() + OFFSETS[name] for name, output in named}

    values: Values = []
    per_batch = [differences(network, run, SIZE, batch) for batch in (1, 2)]  # type: ignore[arg-type]
    flat = [number for largest in per_batch for number in largest.values()]
    return [*values, *flat, parity_of(per_batch)]


def clear_cache() -> None:
    """Free the outputs that are kept in memory."""
    _exported_outputs.cache_clear()
