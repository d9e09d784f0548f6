"""What a stage of a run is given (`StageContext`) and gives back (`StageResult`)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.records import writer
from experiments.records.record import Parent
from experiments.records.run import Run
from experiments.records.seal import sha256
from experiments.records.store import Store
from experiments.running import inputs
from featherface.devices.select import choose
from featherface.errors import DataError
from featherface.progress import never, silent
from featherface.weights import checkpoints
from featherface.weights.network_settings import overruled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from experiments.metrics import Metric
    from experiments.recipe.model import Recipe
    from experiments.workspace.workspace import Workspace
    from featherface.data.widerface import Split
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress, ShouldStop

COPIED_WEIGHTS = "taken.safetensors"
"""File of a run's weights that were copied from elsewhere."""
ORIGIN = "origin"
"""Metadata key of that file: the parent that its weights came from, as JSON."""


@dataclass
class StageResult:
    """What a stage gives back."""

    metrics: list[Metric] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    parents: list[Parent] = field(default_factory=list)
    """Runs and files that were used, for the record."""


@dataclass
class StageContext:
    """What every stage is given: the run, its recipe and the listeners."""

    workspace: Workspace
    recipe: Recipe
    folder: Path
    """Folder of the run's record."""
    run: str
    """Id of the run, such as `v2@1`."""
    parents: tuple[Parent, ...] = ()
    resume: bool = False
    """Whether an earlier attempt may have left checkpoints."""
    on_progress: OnProgress = silent
    should_stop: ShouldStop = never
    on_message: Callable[[str], None] = lambda _: None
    on_event: Callable[[dict[str, Any]], None] = lambda _: None

    made: dict[str, str] = field(default_factory=dict)
    """File of the record that a stage made, for later ones to read -> its SHA-256 then."""
    inputs: dict[str, str] = field(default_factory=dict)
    """As `made`: what the stage at work has read."""
    outputs: dict[str, str] = field(default_factory=dict)
    """As `made`: what the stage at work has made."""

    def reads(self, path: Path) -> None:
        """Note that the stage reads the file at PATH of the record.

        Raises:
            DataError: it is not as an earlier stage made it.
        """
        name, digest = self._described(path)
        check_made(self.run, self.made, name, digest)
        self.inputs[name] = digest

    def makes(self, path: Path) -> None:
        """Note that the stage has made the file at PATH of the record."""
        name, digest = self._described(path)
        self.made[name] = self.outputs[name] = digest

    def _described(self, path: Path) -> tuple[str, str]:
        return path.relative_to(self.folder).as_posix(), sha256(path)

    @property
    def store(self) -> Store:
        """The workspace's runs."""
        return Store(self.workspace)

    @property
    def checkpoints(self) -> Path:
        """The folder of weights."""
        return self.folder / "checkpoints"

    def record_data(self, name: str, split: Split) -> dict[str, Any]:
        """Write SPLIT's digests into data.json under NAME, and return them."""
        entry = inputs.describe_split(split, self.workspace)
        self.add_data(name, entry)
        return entry

    @property
    def data(self) -> dict[str, Any]:
        """What data.json holds so far."""
        return writer.read_json(self.folder / "data.json")

    def add_data(self, name: str, entry: Mapping[str, Any]) -> None:
        """Add ENTRY to what data.json says of the split NAME."""
        writer.merge_json(self.folder / "data.json", {name: {**self.data.get(name, {}), **entry}})

    def warn(self, result: StageResult, texts: Iterable[str]) -> None:
        """Say TEXTS in the terminal, and once each in the record through RESULT."""
        for text in texts:
            if text and text not in result.warnings:
                result.warnings.append(text)
                self.on_message(f"warning: {text}")

    def record_ground_truth(self, truth: GroundTruth) -> None:
        """Write the digests of the files behind TRUTH into data.json."""
        entry = {"ground_truth": inputs.describe_truth(truth, self.workspace)}
        self.add_data(self.recipe.data.val_split, entry)

    def log_cleaning(self, subject: str, details: list[str]) -> None:
        """Log that SUBJECT was read, with DETAILS of what was stripped from it."""
        self.on_message("; ".join([subject, *details]))


def check_made(run: str, made: Mapping[str, str], name: str, digest: str) -> None:
    """Refuse the file NAME of RUN's record, with DIGEST, where it was MADE otherwise.

    Raises:
        DataError: it was changed since a stage made it.
    """
    if made.get(name, digest) != digest:
        experiment = run.partition("@")[0]
        raise DataError(
            f"{run}: {name} was changed since a stage of this run made it"
            f" (SHA-256 {made[name][:12]} then, {digest[:12]} now)",
            f"bring the file back, or start another version: thesis run {experiment} --new",
        )


def load_network(context: StageContext, result: StageResult) -> Detector:
    """Return the network with the run's weights: its own, the recipe's, or the latest run's.

    Weights from elsewhere are copied into the run with their origin in the file, so that a resume
    neither needs them again nor loses their origin; that parent is added to RESULT.
    """
    recipe = context.recipe
    model = inputs.build_network(recipe)
    path = Run(context.folder).weights
    if path is None:
        source = inputs.recipe_weights(context.workspace, recipe)
        source = source or inputs.latest_run_weights(context.store, recipe)
        cleaning = checkpoints.load_weights(model, source.path, recipe.model.variant)
        context.log_cleaning(f"weights of {source.path.name}", cleaning.sentences())
        context.warn(result, overruled(source.path, model.config))
        result.parents.append(source.parent)
        details = {"run": context.run, "variant": recipe.model.variant}
        details[ORIGIN] = json.dumps(asdict(source.parent))
        checkpoints.save_weights(context.checkpoints / COPIED_WEIGHTS, model, details)
        context.makes(context.checkpoints / COPIED_WEIGHTS)
    else:
        context.reads(path)
        metadata = checkpoints.load_weights(model, path, recipe.model.variant).metadata or {}
        if path.name == COPIED_WEIGHTS and ORIGIN in metadata:
            result.parents.append(Parent(**json.loads(metadata[ORIGIN])))
    model.to(choose(recipe.train.device, context.on_message))
    model.eval()
    return model
