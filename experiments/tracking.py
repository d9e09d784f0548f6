"""Telling other programs about a run while it works. Off by default; offline when on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Protocol

from featherface.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from experiments.recipe import ResolvedRecipe
    from experiments.workspace import Workspace


class Tracker(Protocol):
    """What a run tells."""

    def log(self, event: Mapping[str, Any]) -> None:
        """Take one event of metrics.jsonl."""

    def finish(self, outcome: str) -> None:
        """End with `finished`, `interrupted` or `failed`."""


class Silence:
    """Tells nobody."""

    def log(self, event: Mapping[str, Any]) -> None:
        """Do nothing."""

    def finish(self, outcome: str) -> None:
        """Do nothing."""


class WandB:
    """Weights & Biases. Each attempt of a run is a W&B run of its own in the run's group.

    W&B's offline mode makes a new folder at every start even with the same id, so that attempts
    are told apart and held together by the group.
    """

    def __init__(self, workspace: Workspace, run: str, resolved: ResolvedRecipe) -> None:
        try:
            import wandb  # noqa: PLC0415 - takes a second to import
        except ImportError as error:
            raise UnavailableError(
                "tracking.backend is 'wandb', but W&B is not installed",
                'pip install wandb, or set tracking.backend = "none"',
            ) from error
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
        kind = event.get("kind", "event")
        numbers = {
            f"{kind}/{key}": value
            for key, value in event.items()
            if isinstance(value, int | float) and key not in ("event", "step")
        }
        self._run.log(numbers, step=event.get("step"))

    def finish(self, outcome: str) -> None:
        """Close the W&B run."""
        self._run.summary["outcome"] = outcome
        self._run.finish(exit_code=0 if outcome == "finished" else 1)


class Guarded:
    """Another tracker, whose failures cost the run nothing: it is told of once, then left alone."""

    def __init__(self, tracker: Tracker, tell: Callable[[str], None]) -> None:
        self._tracker = tracker
        self._tell = tell

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
            self._tracker = Silence()
            self._tell(f"tracking stopped, the run goes on: {type(error).__name__}: {error}")


TRACKERS: dict[str, Callable[[Workspace, str, ResolvedRecipe], Tracker]] = {
    "none": lambda *_: Silence(),
    "wandb": WandB,
}
"""Names that `tracking.backend` may hold (a test keeps settings and table equal)."""


def start(workspace: Workspace, run: str, resolved: ResolvedRecipe) -> Tracker:
    """Return the tracker that the workspace asks for, told of RUN.

    Raises:
        UnavailableError: the tracker is not installed.
    """
    return TRACKERS[workspace.settings["tracking.backend"]](workspace, run, resolved)
