"""What a stage of a run is given (`StageContext`) and gives back (`StageResult`)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from experiments.records import writer
from experiments.records.record import Parent
from experiments.records.run import Run
from experiments.records.store import Store
from experiments.running import inputs
from featherface.devices.select import choose
from featherface.progress import never, silent
from featherface.weights import checkpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from experiments.metrics import Metric
    from experiments.recipe.model import Recipe
    from experiments.workspace.workspace import Workspace
    from featherface.data.widerface import Split
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress, ShouldStop

TAKEN = "taken.safetensors"
"""Weights from elsewhere, as the run's folder keeps them."""
ORIGIN = "origin"
"""Key under which that file says where its weights came from."""


@dataclass
class Findings:
    """What a stage found."""

    metrics: list[Metric] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    parents: list[Parent] = field(default_factory=list)
    """Runs and files that were used beside those known before."""


@dataclass
class Work:
    """What every stage is given."""

    workspace: Workspace
    recipe: Recipe
    folder: Path
    """The run's."""
    run: str
    """Its id, such as `v2@1`."""
    parents: tuple[Parent, ...] = ()
    resume: bool = False
    """Whether an earlier attempt may have left something."""
    on_progress: OnProgress = silent
    should_stop: ShouldStop = never
    on_message: Callable[[str], None] = lambda _: None
    on_event: Callable[[dict[str, Any]], None] = lambda _: None

    @property
    def store(self) -> Store:
        """The workspace's runs."""
        return Store(self.workspace)

    @property
    def checkpoints(self) -> Path:
        """The folder of weights."""
        return self.folder / "checkpoints"

    def note_data(self, name: str, split: Split) -> dict[str, Any]:
        """Keep SPLIT's fingerprint in data.json under NAME, and return it."""
        found = inputs.describe(split, self.workspace)
        writer.merge_json(self.folder / "data.json", {name: found})
        return found

    def note_truth(self, truth: GroundTruth) -> None:
        """Keep in data.json what the validation split's faces were read from."""
        path, name = self.folder / "data.json", self.recipe.data.val_split
        found = {"ground_truth": inputs.describe_truth(truth, self.workspace)}
        writer.merge_json(path, {name: writer.read_json(path).get(name, {}) | found})

    def tell(self, what: str, details: list[str]) -> None:
        """Tell WHAT was read, and what was stripped from it."""
        self.on_message("; ".join([what, *details]))


def trained(work: Work, found: Findings) -> Detector:
    """Return the network with the run's weights: its own, those given, or an earlier run's.

    Weights from elsewhere are copied into the run with their origin in the file, so that a resume
    neither needs them again nor forgets where they came from.
    """
    recipe = work.recipe
    model = inputs.build(recipe)
    path = Run(work.folder).weights
    if path is None:
        taken = inputs.given_weights(work.workspace, recipe)
        taken = taken or inputs.earlier_weights(work.store, recipe)
        cleaning = checkpoints.load_weights(model, taken.path, recipe.model.variant)
        work.tell(f"weights of {taken.path.name}", cleaning.sentences())
        found.parents.append(taken.parent)
        details = {"run": work.run, "variant": recipe.model.variant}
        details[ORIGIN] = json.dumps(asdict(taken.parent))
        checkpoints.save_weights(work.checkpoints / TAKEN, model, details)
    else:
        metadata = checkpoints.load_weights(model, path, recipe.model.variant).metadata or {}
        if path.name == TAKEN and ORIGIN in metadata:
            found.parents.append(Parent(**json.loads(metadata[ORIGIN])))
    model.to(choose(recipe.train.device, work.on_message))
    model.eval()
    return model
