"""What an exported file costs in AP: its detections judged beside the network's own.

Both look at the same pictures, so that the interval of the loss is that of pairs: what the pictures
have in common cancels out.
"""

from __future__ import annotations

import dataclasses
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from experiments.comparison.statistics import MEAN, paired_bootstrap
from featherface.engines.opening import open_file
from featherface.errors import UnavailableError
from featherface.evaluation.config import PROTOCOLS, EvaluateConfig
from featherface.evaluation.protocol import evaluate
from featherface.export.onnx_detections import FORMAT, read_detections
from featherface.geometry.detections import Detections
from featherface.inference.detect import predict
from featherface.inference.network_input import network_input
from featherface.inference.picture_limits import read_within
from featherface.inference.pictures import pictures_of
from featherface.progress import Progress, silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from featherface.data.widerface import Split
    from featherface.engines.engine import Engine
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.evaluation.matches import MatchRecords
    from featherface.export.writing import Artifact
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress


FLAT = {
    name: protocol
    for name, protocol in PROTOCOLS.items()
    if protocol.longer and not protocol.shorter
}
"""Protocols that look once, with the longer side made one length."""


@dataclass(frozen=True)
class SubsetLoss:
    """AP that is lost on one subset; negative where the file does better."""

    ap: float
    """Of the file."""
    loss: float
    """AP of the network less that of the file."""
    low: float
    high: float
    """95 % interval of the loss, paired by picture."""


@dataclass(frozen=True, kw_only=True)
class Validation:
    """A split on which files are judged, and how the network itself does there."""

    source: Split | Path
    truth: GroundTruth
    reference: MatchRecords
    """Of the network in single precision."""
    evaluate: EvaluateConfig = dataclasses.field(default_factory=EvaluateConfig)
    dataset: str = ""
    model: Detector | Engine
    """That network."""
    smaller: dict[str, Validation] = dataclasses.field(default_factory=dict, repr=False)
    """Name of a protocol -> the same by that one, as far as it was asked for."""

    def of(self, dataset: str) -> Validation:
        """Return the same on pictures that are known to be of DATASET."""
        return dataclasses.replace(self, dataset=dataset)

    @property
    def images(self) -> int:
        """Pictures that are judged."""
        return len(self.reference.images)

    @property
    def complete(self) -> bool:
        """Whether that is the whole of WIDER FACE's val."""
        return self.truth.restrict(self.reference.images).complete

    def fitting(self, artifact: Artifact, on_progress: OnProgress = silent) -> Validation:
        """Return this, or the same by a protocol whose pictures ARTIFACT can look at.

        A file that takes one size only is compared with the network as it does on pictures no
        larger than that.

        Raises:
            UnavailableError: each protocol has larger pictures.
        """
        side = min(artifact.details.get("fixed_size", [sys.maxsize]))
        if side == sys.maxsize or 0 < PROTOCOLS[self.evaluate.protocol].longer <= side:
            return self
        name = next((name for name, protocol in FLAT.items() if protocol.longer <= side), "")
        if not name:
            least = min(protocol.longer for protocol in FLAT.values())
            raise UnavailableError(
                f"the AP of {artifact.format} was not measured: it takes {side} pixels a side, and"
                f" no protocol has pictures below {least}",
                f"write it for larger ones: --image-size {least}",
            )
        if name not in self.smaller:
            evaluate = dataclasses.replace(self.evaluate, protocol=name)
            again = validation(self.model, self.source, self.truth, evaluate, on_progress)
            self.smaller[name] = again.of(self.dataset)
        return self.smaller[name]

    def losses(self, artifact: Artifact, on_progress: OnProgress = silent) -> dict[str, SubsetLoss]:
        """Return subset (and `mean`) -> what ARTIFACT, which an engine runs here, loses there."""
        look = _inside if artifact.format == FORMAT else _outside
        predictions = look(artifact.path, self, on_progress)
        return losses(self.reference, evaluate(predictions, self.truth).matches)


def validation(
    model: Detector | Engine,
    source: Split | Path,
    truth: GroundTruth,
    config: EvaluateConfig | None = None,
    on_progress: OnProgress = silent,
) -> Validation:
    """Judge MODEL on SOURCE by TRUTH, for files to be compared with."""
    config = config or EvaluateConfig()
    predictions = predict(model, model.config, source, config, on_progress=on_progress)
    reference = evaluate(predictions, truth).matches
    return Validation(source=source, truth=truth, reference=reference, evaluate=config, model=model)


def losses(reference: MatchRecords, records: MatchRecords) -> dict[str, SubsetLoss]:
    """Return subset (and `mean`) -> what RECORDS lose against REFERENCE, of the same pictures.

    A subset without faces is left out.
    """
    bootstrap = paired_bootstrap([records, reference])
    values = {
        name: (records.ap(name), reference.ap(name))
        for name in bootstrap.values
        if name != MEAN and np.isfinite(reference.ap(name))
    }
    if values:
        values[MEAN] = tuple(np.mean(list(values.values()), axis=0))
    return {name: _loss(name, *pair, bootstrap) for name, pair in values.items()}


def described(found: Mapping[str, SubsetLoss], judged: Validation) -> dict[str, Any]:
    """Return what a manifest says of FOUND."""
    return {
        "dataset": judged.dataset,
        "images": judged.images,
        "complete": judged.complete,
        "protocol": judged.evaluate.identity,
        "pictures": judged.evaluate.protocol,
        "subsets": {name: dataclasses.asdict(loss) for name, loss in found.items()},
    }


def _loss(name: str, ap: float, reference: float, bootstrap: Any) -> SubsetLoss:
    interval = bootstrap.difference(0, 1, name)
    return SubsetLoss(float(ap), float(reference - ap), interval.low, interval.high)


def _outside(
    path: Path, judged: Validation, on_progress: OnProgress
) -> Mapping[str, NDArray[np.float64]]:
    """Let the engine answer, and decode and suppress as the program does everywhere."""
    engine = open_file(path)
    return predict(engine, engine.config, judged.source, judged.evaluate, on_progress=on_progress)


def _inside(
    path: Path, judged: Validation, on_progress: OnProgress
) -> Mapping[str, NDArray[np.float64]]:
    """Take the detections that the file gives by itself, one picture at a time."""
    engine, found = open_file(path), {}
    pictures = {
        name: file
        for name, file in pictures_of(judged.source).items()
        if name in judged.reference.images
    }
    give = read_detections(path)
    for number, (name, file) in enumerate(pictures.items(), 1):
        pixels = torch.from_numpy(read_within(file, judged.evaluate))[None].float()
        (table,) = give(network_input(pixels, engine.config).numpy())
        found[name] = Detections(table[:, :4], table[:, 4], table[:, 5:]).rows()
        on_progress(Progress("evaluate", number, len(pictures)))
    return found
