"""Experiment trackers (W&B, TensorBoard). Off by default; offline when on."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from featherface.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from experiments.recipe.model import ResolvedRecipe
    from experiments.workspace.workspace import Workspace


class Tracker(Protocol):
    """Receiver of a run's events, such as Weights & Biases."""

    def log(self, event: Mapping[str, Any]) -> None:
        """Record one event of metrics.jsonl."""

    def finish(self, outcome: str) -> None:
        """End with `finished`, `interrupted` or `failed`."""


class NoTracker:
    """The tracker that drops every event."""

    def log(self, event: Mapping[str, Any]) -> None:
        """Do nothing."""

    def finish(self, outcome: str) -> None:
        """Do nothing."""


class WandB:
    """Weights & Biases. Each attempt of a run is a W&B run of its own in the run's group.

    W&B's offline mode makes a new folder at every start, even with the same id: the group holds the
    attempts of a run together.
    """

    def __init__(self, workspace: Workspace, run: str, resolved: ResolvedRecipe) -> None:
        try:
            import wandb  # noqa: PLC0415 - takes a second to import
        except ImportError as error:
            raise _missing("wandb") from error
        from experiments.schema import plain  # noqa: PLC0415 - all configurations

        folder = workspace.state / "wandb"
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("WANDB_SILENT", "true")
        settings = wandb.Settings(
            silent=True, console="off", disable_git=True, save_code=False, _disable_stats=True
        )
        self._run = wandb.init(
            project=workspace.settings["tracking.project"],
            mode=workspace.settings["tracking.mode"],
            dir=str(folder),
            group=run,
            job_type="attempt",
            config=plain(resolved.recipe),
            tags=list(resolved.recipe.tags),
            settings=settings,
        )

    def log(self, event: Mapping[str, Any]) -> None:
        """Send the numbers of a step or an epoch."""
        self._run.log(_scalars(event), step=event.get("step"))

    def finish(self, outcome: str) -> None:
        """Close the W&B run."""
        self._run.summary["outcome"] = outcome
        self._run.finish(exit_code=0 if outcome == "finished" else 1)


class TensorBoard:
    """TensorBoard's event files; all attempts of a run write into one folder.

    A resumed training repeats its last steps: TensorBoard is told to purge what an earlier attempt
    wrote of them.
    """

    def __init__(self, workspace: Workspace, run: str, resolved: ResolvedRecipe) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415 - only where asked
        except ImportError as error:
            raise _missing("tensorboard") from error
        self._make = SummaryWriter
        self._folder = workspace.state / "tensorboard" / run
        self._recipe = resolved.to_yaml()
        self._writer: SummaryWriter | None = None

    def log(self, event: Mapping[str, Any]) -> None:
        """Write the numbers of a step or an epoch."""
        step = int(event.get("step", 0))
        if self._writer is None:
            is_new = not self._folder.exists()
            self._writer = self._make(str(self._folder), purge_step=step)
            if is_new:
                self._writer.add_text("recipe", f"```yaml\n{self._recipe}\n```")
        for name, value in _scalars(event).items():
            self._writer.add_scalar(name, value, step)
        if event.get("kind") == "epoch":
            self._writer.flush()

    def finish(self, outcome: str) -> None:
        """Close the files."""
        del outcome
        if self._writer is not None:
            self._writer.close()


def _scalars(event: Mapping[str, Any]) -> dict[str, float]:
    """Return `kind/name` -> value of the numbers in EVENT, each a curve."""
    kind = event.get("kind", "event")
    return {
        f"{kind}/{key}": value
        for key, value in event.items()
        if isinstance(value, int | float) and key not in ("event", "step")
    }


class TolerantTracker:
    """Wrapper that logs the first failure of a tracker and drops it: the run goes on without."""

    def __init__(self, tracker: Tracker, log_message: Callable[[str], None]) -> None:
        self._tracker = tracker
        self._log_message = log_message

    def log(self, event: Mapping[str, Any]) -> None:
        """Pass one event on."""
        self._try(lambda: self._tracker.log(event))

    def finish(self, outcome: str) -> None:
        """Pass the end on."""
        self._try(lambda: self._tracker.finish(outcome))

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - another program's code can raise anything
            self._tracker = NoTracker()
            self._log_message(f"tracking stopped, the run goes on: {type(error).__name__}: {error}")


TRACKERS: dict[str, Callable[[Workspace, str, ResolvedRecipe], Tracker]] = {
    "none": lambda *_: NoTracker(),
    "tensorboard": TensorBoard,
    "wandb": WandB,
}
"""Names that `tracking.backend` may hold (a test keeps settings and table equal)."""


INSTALL = {
    "tensorboard": 'python -m pip install "thesis[tensorboard]"',
    "wandb": "python -m pip install wandb",
}
"""Package that a tracker of the same name needs -> how it is installed."""


def check(workspace: Workspace) -> None:
    """Check, before anything is written, that the workspace's tracker is installed.

    Raises:
        UnavailableError: it is not installed.
    """
    name = workspace.settings["tracking.backend"]
    if name in INSTALL and find_spec(name) is None:
        raise _missing(name)


def _missing(name: str) -> UnavailableError:
    return UnavailableError(
        f"tracking.backend is {name!r}, but {name} is not installed",
        f'{INSTALL[name]}, or set tracking.backend = "none" in thesis.toml',
    )


def start(workspace: Workspace, run: str, resolved: ResolvedRecipe) -> Tracker:
    """Return the workspace's tracker, started for RUN (such as `v2@1`).

    Raises:
        UnavailableError: the tracker is not installed.
    """
    return TRACKERS[workspace.settings["tracking.backend"]](workspace, run, resolved)
