"""Live status of a run, read from its folder by another process: epoch, rates, load, time left."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from experiments.records import heartbeat
from experiments.records.seal import HEARTBEAT
from featherface.errors import NotFoundError, ThesisError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from experiments.records.run import Run
    from experiments.records.store import Store

SCORES = ("mean_ap", "easy", "medium", "hard")
GPU_QUERY = ("utilization.gpu", "memory.used", "memory.total")
GPU_SECONDS = 5
"""How long nvidia-smi may take."""


@dataclass(frozen=True, kw_only=True)
class TrainingCurve:
    """One value over the training."""

    name: str
    at: tuple[float, ...]
    """Epochs completed when it was told."""
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class MachineLoad:
    """What a run's process takes, where it works on this machine; None where nobody can say."""

    cpu_percent: float | None = None
    """Of one core: 200 is two cores at work."""
    memory_mb: float | None = None
    gpu_percent: float | None = None
    gpu_memory_mb: float | None = None
    gpu_memory_total_mb: float | None = None


@dataclass(frozen=True, kw_only=True)
class LiveStatus:
    """A run as it stands."""

    run: str
    status: str
    stage: str
    """The stage at work, or the last one that was; empty before the first."""
    epoch: int
    """Epochs completed."""
    epochs: int
    """Epochs planned; 0 where nobody said."""
    step: int
    """Optimizer steps made."""
    learning_rate: float | None
    gradient_norm: float | None
    images_per_second: float | None
    """Median over the epochs."""
    seconds_left: float | None
    """Of the training, by the median epoch; None before the first one and once it ended."""
    best: float | None
    """Highest mean AP so far."""
    loss: TrainingCurve
    scores: tuple[TrainingCurve, ...]
    """AP by epoch, of the epochs that were evaluated."""
    synthetic: bool = False
    """Whether these APs are of drawn pictures: no WIDER FACE results."""
    machine: MachineLoad


def choose(store: Store, selector: str | None) -> Run:
    """Return the run to look at: SELECTOR's, a bare name meaning its latest version.

    Without SELECTOR the run at work, or else the one that began last.

    Raises:
        NotFoundError: there is none.
    """
    if selector is not None:
        runs = store.runs(selector) if selector in store.experiments() else []
        return runs[-1] if runs else store.find(selector)
    working = [run for run in store.runs() if run.status == "running"]
    if working:
        return max(working, key=lambda run: (run.folder / HEARTBEAT).stat().st_mtime)
    try:
        return store.find("@last")
    except NotFoundError:
        raise NotFoundError("there is no run to watch", "thesis run v1") from None


def look(run: Run) -> LiveStatus:
    """Return how RUN stands; a line that is being written meanwhile is left out."""
    events = run.events()
    epochs = [event for event in events if event.get("kind") == "epoch"]
    steps = [event for event in events if event.get("kind") == "step"]
    latest = max((*epochs, *steps), key=lambda event: int(event.get("event", 0)), default={})
    planned, status = _planned(run), run.status
    told = epochs or steps
    loss = TrainingCurve(name="loss", at=_places(told), values=_values(told, "loss"))
    scored = [epoch for epoch in epochs if "mean_ap" in epoch]
    scores = tuple(
        TrainingCurve(name=name, at=_places(having), values=_values(having, name))
        for name in SCORES
        if (having := [epoch for epoch in scored if name in epoch])
    )
    done = int(epochs[-1]["epoch"]) if epochs else 0
    stage = _stage(run)
    training = status == "running" and stage == "train" and done < planned
    return LiveStatus(
        run=run.id,
        status=status,
        stage=stage,
        epoch=done,
        epochs=planned,
        step=int(latest.get("step", 0)),
        learning_rate=latest.get("learning_rate"),
        gradient_norm=latest.get("gradient_norm"),
        images_per_second=_rate(epochs),
        seconds_left=_left(epochs, planned, int(latest.get("step", 0))) if training else None,
        best=max(scores[0].values, default=None) if scores else None,
        loss=loss,
        scores=scores,
        synthetic=_on_drawn_pictures(run),
        machine=machine(run.folder) if status == "running" else MachineLoad(),
    )


def _on_drawn_pictures(run: Run) -> bool:
    try:
        return run.on_drawn_pictures
    except ThesisError:  # what is being written, or is damaged, can still be watched
        return False


def machine(folder: Path) -> MachineLoad:
    """Return what the process that beats in FOLDER takes; nothing where it is elsewhere."""
    if not heartbeat.alive(folder):
        return MachineLoad()
    process = _process(folder)
    return MachineLoad(**process, **_gpu()) if process else MachineLoad()


def _process(folder: Path) -> dict[str, float]:
    import socket  # noqa: PLC0415 - for a run at work only

    import psutil  # noqa: PLC0415 - as above

    try:
        beat = json.loads((folder / HEARTBEAT).read_text(encoding="utf-8"))
        if beat["host"] != socket.gethostname():
            return {}
        process = psutil.Process(int(beat["pid"]))
        family = [process, *process.children(recursive=True)]
        for member in family:
            member.cpu_percent()
        process.cpu_percent(interval=0.2)
        used = sum(member.memory_info().rss for member in family) / 1e6
        return {"cpu_percent": process.cpu_percent(interval=0.1), "memory_mb": used}
    except (OSError, ValueError, KeyError, psutil.Error):
        return {}


def _gpu() -> dict[str, float]:
    """Ask the driver about the first graphics processor; nothing where there is none."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    command = [program, f"--query-gpu={','.join(GPU_QUERY)}", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(  # noqa: S603 - the driver's own program, no input of anybody's
            command, capture_output=True, text=True, timeout=GPU_SECONDS, check=True
        )
        busy, used, total = (float(field) for field in answer.stdout.splitlines()[0].split(","))
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return {}
    return {"gpu_percent": busy, "gpu_memory_mb": used, "gpu_memory_total_mb": total}


def _planned(run: Run) -> int:
    try:
        return int(run.recipe.get("train", {}).get("epochs", 0))
    except (ThesisError, OSError):  # it begins just now
        return 0


def _stage(run: Run) -> str:
    """Return the stage at work, or else the last that was."""
    try:
        stages = run.record.stages
    except ThesisError:
        return ""
    begun = [name for name, stage in stages.items() if stage.status not in ("pending", "skipped")]
    working = [name for name in begun if stages[name].status == "running"]
    return (working or begun or [""])[-1]


def _places(events: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    return tuple(float(event.get("epoch", 0)) for event in events)


def _values(events: Sequence[Mapping[str, Any]], name: str) -> tuple[float, ...]:
    return tuple(float(event[name]) for event in events if name in event)


def _rate(epochs: Sequence[Mapping[str, Any]]) -> float | None:
    rates = [epoch["images"] / epoch["seconds"] for epoch in epochs if epoch.get("seconds")]
    return median(rates) if rates else None


def _left(epochs: Sequence[Mapping[str, Any]], planned: int, step: int) -> float | None:
    seconds = [float(epoch["seconds"]) for epoch in epochs if epoch.get("seconds")]
    if not seconds:
        return None
    last = epochs[-1]
    each = last["step"] / last["epoch"]  # steps of an epoch
    share = last["epoch"] + max(0.0, min(1.0, (step - last["step"]) / each)) if each else 0.0
    return max(0.0, median(seconds) * (planned - share))
