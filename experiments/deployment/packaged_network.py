"""What is packaged: a network, the run that proves its numbers, and what it may be used for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from featherface.data.fingerprint import file_sha256
from featherface.profiling.counting import parameters
from featherface.weights.network_settings import SOURCE_DIGEST, read_metadata
from featherface.weights.published_weights import recognised

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from experiments.records.run import Run
    from featherface.networks.detector import Detector
    from featherface.variants.config import DetectorConfig
    from featherface.weights.published_weights import PublishedWeights


@dataclass(frozen=True, eq=False)
class PackagedNetwork:
    """A network with its weights, and where they come from."""

    model: Detector
    variant: str
    weights: Path
    """The file that the weights were read from."""
    run: Run | None = None
    """The sealed run that trained or took them; None for a file of one's own."""
    licence: str = ""
    """What the maker of the weights permits, in words; empty where nobody has said."""

    @property
    def config(self) -> DetectorConfig:
        """The network's settings."""
        return self.model.config

    @property
    def name(self) -> str:
        """What its files are called: the experiment, else the variant."""
        return self.run.experiment if self.run else self.variant

    @property
    def image(self) -> str:
        """A name for a container image, as registries permit it."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")
        return f"face-detector-{slug or 'network'}"

    @cached_property
    def parameters(self) -> int:
        """How many numbers the network has."""
        return parameters(self.model)

    @cached_property
    def weights_sha256(self) -> str:
        """Of the file of weights."""
        return file_sha256(self.weights)

    @cached_property
    def published(self) -> PublishedWeights | None:
        """What the weights were published as, known by their digest or that of their source."""
        source = read_metadata(self.weights).get(SOURCE_DIGEST, "")
        return recognised(source) or recognised(self.weights_sha256)

    def artifacts(self) -> Sequence[Mapping[str, Any]]:
        """Return what its run says of each file that it exported; none without a run."""
        details = self.run.results.get("details", {}).get("export", {}) if self.run else {}
        exported: Sequence[Mapping[str, Any]] = details.get("artifacts", ())
        return exported
