"""The state file, from which an interrupted training resumes exactly."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from featherface.devices.all_reduce import together
from featherface.errors import ThesisError, UnavailableError, UsageError
from featherface.filesystem.atomic import replacing
from featherface.filesystem.retry import insist

if TYPE_CHECKING:
    from pathlib import Path

    from featherface.training.config.train import TrainConfig

STATE = "state.pt"
"""The file's name in the training's folder."""
FORMAT = 1
HARMLESS = frozenset({"device", "workers", "cache", "keep_memory"})
"""What may differ when a training goes on."""


@dataclass
class ResumePoint:
    """Where a training stands; everything here is in the state file."""

    epoch: int = 0
    """Epochs completed."""
    batch: int = 0
    """Batches of the current epoch trained."""
    step: int = 0
    """Optimizer steps made."""
    events: int = 0
    """Events told so far; a log longer than this is to be cut to it before going on."""
    sums: dict[str, float] = field(default_factory=dict)
    """Of what the current epoch averages."""
    best: float | None = None
    """Highest value of the deciding metric."""
    waited: int = 0
    """Evaluations since then."""
    metrics: dict[str, float] = field(default_factory=dict)
    """Of the last evaluation."""


def save_state(
    folder: Path, place: ResumePoint, config: TrainConfig, parts: dict[str, Any]
) -> None:
    """Replace the state file; a crash or a full disk leaves the one before.

    PARTS maps names to objects with `state_dict`; None is skipped.
    """
    content = {
        "format": FORMAT,
        "processes": together(),
        "config": asdict(config),
        "place": asdict(place),
        "parts": {name: part.state_dict() for name, part in parts.items() if part is not None},
    }
    with replacing(folder / STATE) as temporary:
        write_tensors(content, temporary)


def write_tensors(content: dict[str, Any], path: Path) -> None:
    """Write CONTENT as PyTorch does, but report a full disk as Python does.

    Raises:
        OSError: the disk is full or failing.
    """
    try:
        torch.save(content, path)
    except RuntimeError as error:  # how PyTorch reports a full disk
        raise OSError(str(error).splitlines()[0]) from error


def resume_point(folder: Path) -> ResumePoint | None:
    """Return where the training in FOLDER stands; None before its first checkpoint."""
    content = _read(folder)
    return None if content is None else ResumePoint(**content["place"])


def restore(folder: Path, config: TrainConfig, parts: dict[str, Any]) -> ResumePoint:
    """Load the state file into PARTS and return the place; a new one where there is none.

    Raises:
        UsageError: the training was started with another configuration, or in more or fewer
            processes.
        UnavailableError: the file is damaged.
    """
    content = _read(folder)
    if content is None:
        return ResumePoint()
    _check_same(content["config"], asdict(config))
    _check_processes(content.get("processes", 1))
    for name, part in parts.items():
        if part is not None:
            part.load_state_dict(content["parts"][name])
    return ResumePoint(**content["place"])


def _check_same(before: dict[str, Any], now: dict[str, Any]) -> None:
    for key, value in now.items():
        if before.get(key, value) != value and key not in HARMLESS:  # older programs knew fewer
            raise UsageError(
                f"train.{key} = {value!r}, but the interrupted training has {before[key]!r}",
                "resume with the same recipe, or start a new run with --new",
            )


def _check_processes(before: int) -> None:
    """Refuse to go on with other batches: those of all processes together make a step."""
    if before != together():
        raise UsageError(
            f"the interrupted training ran in {before} processes together, not in {together()}",
            f"torchrun --nproc-per-node {before} -m thesis_cli run ... --resume"
            if before > 1
            else "resume without torchrun, or start a new run with --new",
        )


def _read(folder: Path) -> dict[str, Any] | None:
    path = folder / STATE
    if not path.is_file():
        return None
    try:
        content: dict[str, Any] = insist(
            lambda: torch.load(path, map_location="cpu", weights_only=True), path, verb="read"
        )
    except ThesisError:  # held, and no less whole for that
        raise
    except Exception as error:  # a damaged file can raise anything
        raise UnavailableError(
            f"the checkpoint {path} can't be read: {str(error).splitlines()[0][:200]}",
            "start a new run with --new",
        ) from error
    if content.get("format") != FORMAT:
        raise UnavailableError(f"the checkpoint {path} is of another version", "start with --new")
    return content
