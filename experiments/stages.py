"""The stages of a run. Each reads what earlier ones left in its folder and returns its findings."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import company, inputs, recording
from experiments.accuracy import Circumstances, landmark_metric, measure
from experiments.census import census
from experiments.metrics import KINDS, Metric
from experiments.records import Parent
from experiments.store import MATCHES, Run, Store
from featherface import checkpoints, profiling
from featherface.devices import choose
from featherface.evaluation.landmark_files import read_all_landmarks
from featherface.evaluation.predictions import read_predictions
from featherface.evaluation.protocol import Evaluation
from featherface.evaluation.protocol import evaluate as judge
from featherface.export.writing import export as write_exports
from featherface.inference import predict
from featherface.progress import never, silent
from featherface.training.loop import train as fit
from featherface.training.state import resume_point
from featherface.training.waiting import complaint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from torch import nn

    from experiments.recipe import Recipe
    from experiments.workspace import Workspace
    from featherface.data.annotation import ImageAnnotation
    from featherface.data.widerface import Split
    from featherface.distillation import Teacher
    from featherface.evaluation.ground_truth import GroundTruth
    from featherface.export.writing import Artifact
    from featherface.networks.detector import Detector
    from featherface.progress import OnProgress, ShouldStop

TAKEN = "taken.safetensors"
"""Weights from elsewhere, as the run's folder keeps them."""
UNTAUGHT = (
    "no face of the train split has landmarks: boxes and scores are learnt, landmarks mean nothing;"
    " data.labels names RetinaFace's label.txt, train.landmark_weight=0 leaves them out"
)
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
        found = inputs.describe(split)
        recording.merge_json(self.folder / "data.json", {name: found})
        return found

    def note_truth(self, truth: GroundTruth) -> None:
        """Keep in data.json what the validation split's faces were read from."""
        path, name = self.folder / "data.json", self.recipe.data.val_split
        found = {"ground_truth": inputs.describe_truth(truth)}
        recording.merge_json(path, {name: recording.read_json(path).get(name, {}) | found})


def train(work: Work) -> Findings:
    """Train, and distil where there is a teacher; best and last weights are in checkpoints/."""
    recipe = work.recipe
    data = inputs.data_folder(work.workspace, recipe, work.on_progress)
    split = inputs.train_split(work.workspace, recipe, data)
    work.note_data(recipe.data.train_split, split)
    found, faces = Findings(), census(split, recipe.model.detector())
    if recipe.train.landmark_weight and not faces["landmarks"] and sum(faces["sizes"]["faces"]):
        found.warnings.append(UNTAUGHT)
        work.on_message(UNTAUGHT)
    model, teacher = _learner(work, found)
    place = resume_point(work.checkpoints) if work.resume else None
    recording.cut_events(work.folder, place.events if place else 0)
    if place:
        work.on_message(f"going on after epoch {place.epoch} of {recipe.train.epochs}")
    evaluator = _evaluator(work, data)
    with company.training(work, resume=place is not None):
        result = fit(
            model,
            split,
            recipe.train,
            folder=work.checkpoints,
            teacher=teacher,
            evaluate=evaluator,
            on_event=_listener(work),
            on_progress=work.on_progress,
            on_message=work.on_message,
            should_stop=work.should_stop,
            resume=place is not None,
            metadata={"run": work.run, "variant": recipe.model.variant, "recipe": recipe.digest},
        )
    found.details = {
        "epochs": result.epochs,
        "weights": f"checkpoints/{result.weights.name}",
        "images": len(split.images),
        "skipped": dict(split.annotations.skipped),
        **faces,
        "teacher": (teacher.name or None) if teacher else None,
    }
    if (processes := company.Launch.here().processes) > 1:
        found.details["processes"] = processes
    return found


def train_along(work: Work, joined: AbstractContextManager[None]) -> None:
    """Train what another process keeps, once JOINED with it; nothing is written or told here."""
    recipe = work.recipe
    data = inputs.data_folder(work.workspace, recipe, work.on_progress)
    split = inputs.train_split(work.workspace, recipe, data)
    model, teacher = _learner(work, Findings())
    with joined:
        fit(
            model,
            split,
            recipe.train,
            folder=work.checkpoints,
            teacher=teacher,
            should_stop=work.should_stop,
            resume=work.resume,
        )


def evaluate(work: Work) -> Findings:
    """Evaluate the run's weights, or earlier predictions, by the official protocol."""
    recipe = work.recipe
    found = Findings()
    labelled: list[ImageAnnotation] = []
    if recipe.evaluate.predictions:
        dataset, truth, predictions = _earlier_predictions(work, found)
    else:
        data = inputs.data_folder(work.workspace, recipe, work.on_progress)
        split = inputs.val_split(recipe, data)
        work.note_data(recipe.data.val_split, split)
        labelled = inputs.with_landmarks(split)
        dataset, truth = split.kind, inputs.ground_truth(work.workspace, recipe, data)
        predictions = predict(
            _model(work, found),
            recipe.model.detector(),
            split,
            recipe.evaluate,
            save_to=work.folder / "predictions",
            landmarks=bool(labelled),
            on_progress=work.on_progress,
            should_stop=work.should_stop,
        )
    work.note_truth(truth)
    result = judge(predictions, truth)
    result.matches.save(work.folder / MATCHES)
    found.metrics = _accuracy(work, result, dataset, truth, labelled)
    found.warnings = list(result.warnings)
    found.details = {
        "images": result.images,
        "detections": result.detections,
        "faces": {name: one.faces for name, one in result.subsets.items()},
        "ground_truth": result.source,
        "complete": all(metric.complete for metric in found.metrics),
    }
    return found


def benchmark(work: Work) -> Findings:
    """Count parameters and operations, time the network, weigh it."""
    found = Findings()
    model = _model(work, found)
    config = work.recipe.benchmark
    timed = profiling.latency(model, config, work.on_progress)
    place = "cpu" if timed.device == "cpu" else "gpu"
    total, counted = profiling.parameters(model), profiling.paper_counted(model)
    values: dict[str, float | None] = {
        "params.total": total,
        "params.paper_counted": counted if counted != total else None,
        "macs.640": profiling.macs(model, 640),
        "size.fp32_mb": profiling.weights_megabytes(model),
    }
    found.metrics = [_metric(work, name, one) for name, one in values.items() if one is not None]
    setting = f"{config.image_size}×{config.image_size}, batch {config.batch_size}"
    threads = f", {timed.threads} threads" if place == "cpu" else ""
    speed = {"median_ms": timed.median, "p90_ms": timed.p90}
    for name, value in speed.items():
        protocol = f"{setting}{threads}"
        found.metrics.append(_metric(work, f"latency.{place}.{name}", value, protocol, config.runs))
    memory = profiling.peak_memory(model, config)
    found.metrics.append(_metric(work, "memory.peak_mb", memory, setting))
    found.details = {
        "components": model.components(),
        "device": timed.device,
        "threads": timed.threads,
        "runs_ms": list(timed.runs),
    }
    return found


def export(work: Work) -> Findings:
    """Write the network for other programs, each file compared with PyTorch's answer."""
    found = Findings()
    recipe = work.recipe
    artifacts = write_exports(
        _model(work, found),
        recipe.export,
        work.folder / "exports",
        recipe.name,
        recipe.model.variant,
        work.on_progress,
    )
    for one in artifacts:
        sizes = ", ".join(f"{width}×{height}" for height, width in one.sizes)
        found.metrics.append(_metric(work, f"export.{one.format}.parity", one.parity, sizes))
    found.details = {"artifacts": [_describe(one, work.folder) for one in artifacts]}
    recording.write_json(
        work.folder / "exports" / "manifest.json",
        {"run": work.run, "artifacts": found.details["artifacts"]},
    )
    return found


TABLE: dict[str, Callable[[Work], Findings]] = {
    "train": train,
    "evaluate": evaluate,
    "benchmark": benchmark,
    "export": export,
}
"""Stage name -> what it does, in the order of `records.STAGES` (a test keeps the two equal)."""


def _listener(work: Work) -> Callable[[dict[str, Any]], None]:
    """Return what hears the training's events: it says once that loading is the bottleneck."""
    epochs = 0

    def hear(event: dict[str, Any]) -> None:
        nonlocal epochs
        work.on_event(event)
        text = complaint(event, work.recipe.train.workers)
        epochs += bool(text)
        if epochs == 2 and text:  # the first epoch fills memory and starts the workers
            work.on_message(text)

    return hear


def _learner(work: Work, found: Findings) -> tuple[Detector, Teacher | None]:
    """Return the network as its training begins, and whom it learns from."""
    model = inputs.build(work.recipe)
    _start_weights(work, model, found)
    return model, inputs.load_teacher(work.store, work.recipe, work.parents)


def _start_weights(work: Work, model: Detector, found: Findings) -> None:
    """Load the weights that the recipe starts from."""
    recipe = work.recipe
    given = inputs.given_weights(work.workspace, recipe)
    if given is not None:
        cleaning = checkpoints.load_weights(model, given.path, recipe.model.variant)
        _tell(work, f"starting from {given.path.name}", cleaning.sentences())
    elif given := inputs.given_backbone(work.workspace, recipe):
        checkpoints.load_backbone(model, given.path)
        work.on_message(f"starting from the backbone in {given.path.name}")
    found.parents += [given.parent] if given else []


def _model(work: Work, found: Findings) -> Detector:
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
        _tell(work, f"weights of {taken.path.name}", cleaning.sentences())
        found.parents.append(taken.parent)
        details = {"run": work.run, "variant": recipe.model.variant}
        details[ORIGIN] = json.dumps(asdict(taken.parent))
        checkpoints.save_weights(work.checkpoints / TAKEN, model, details)
    else:
        metadata = checkpoints.load_weights(model, path, recipe.model.variant).metadata or {}
        if path.name == TAKEN and ORIGIN in metadata:
            found.parents.append(Parent(**json.loads(metadata[ORIGIN])))
    model.to(choose(recipe.train.device))
    model.eval()
    return model


def _tell(work: Work, what: str, details: list[str]) -> None:
    """Tell WHAT was read, and what was stripped from it."""
    work.on_message("; ".join([what, *details]))


def _evaluator(work: Work, data: Path) -> Callable[[nn.Module, int], Mapping[str, float]]:
    """Return what training calls to know how good the weights are; the first value decides."""
    split = inputs.val_split(work.recipe, data)
    work.note_data(work.recipe.data.val_split, split)
    truth = inputs.ground_truth(work.workspace, work.recipe, data)
    first = work.recipe.primary_metric.removeprefix("widerface.").removesuffix(".ap")

    def measure(model: nn.Module, epoch: int) -> dict[str, float]:
        del epoch
        detector = work.recipe.model.detector()
        predictions = predict(model, detector, split, work.recipe.evaluate)  # type: ignore[arg-type]
        result = judge(predictions, truth)
        values = {"mean_ap": result.mean_ap}
        values |= {name: one.ap for name, one in result.subsets.items()}
        finite = {name: value for name, value in values.items() if math.isfinite(value)}
        return dict(sorted(finite.items(), key=lambda pair: pair[0] != first))

    return measure


def _earlier_predictions(work: Work, found: Findings) -> tuple[str, GroundTruth, Mapping[str, Any]]:
    """Read the predictions that the recipe names, and the ground truth they are judged by."""
    recipe = work.recipe
    path = (work.workspace.root / Path(str(recipe.evaluate.predictions)).expanduser()).resolve()
    predictions = read_predictions(path)
    data = None
    if recipe.data.ground_truth is None:
        data = inputs.data_folder(work.workspace, recipe, work.on_progress)
    truth = inputs.ground_truth(work.workspace, recipe, data)
    found.parents.append(inputs.predictions_parent(path))
    source = data or work.workspace.root / Path(str(recipe.data.ground_truth)).expanduser()
    kind = "synthetic" if inputs.drawn(source.resolve()) else "widerface"
    return kind, truth, predictions


def _accuracy(
    work: Work,
    result: Evaluation,
    dataset: str,
    truth: GroundTruth,
    labelled: Sequence[ImageAnnotation],
) -> list[Metric]:
    """Word what the evaluation found as metrics, of landmarks where they are LABELLED."""
    recipe, name = work.recipe, work.recipe.data.val_split
    about = Circumstances(
        dataset=dataset,
        split=name,
        complete=inputs.whole(dataset, name, result.images, claimed=result.complete),
        fingerprint=inputs.truth_digest(truth.restrict(result.matches.images)),
        run=work.run,
        earlier=recipe.evaluate.predictions is not None,
    )
    found = measure(result, recipe.evaluate, about)
    if labelled:
        points = read_all_landmarks(work.folder / "predictions", result.matches.images)
        found += landmark_metric(result, points, labelled, recipe.evaluate, about)
    return found


def _metric(work: Work, name: str, value: float, protocol: str = "", n: int = 0) -> Metric:
    unit = KINDS[name].unit if name in KINDS else ""
    return Metric(name=name, value=float(value), unit=unit, protocol=protocol, n=n, source=work.run)


def _describe(artifact: Artifact, folder: Path) -> dict[str, Any]:
    """Return what the manifest says of an exported file."""
    return {
        "path": artifact.path.relative_to(folder).as_posix(),
        "format": artifact.format,
        "sha256": artifact.sha256,
        "megabytes": artifact.megabytes,
        "parity": artifact.parity,
        "landmarks_parity": artifact.landmarks_parity,
    }
