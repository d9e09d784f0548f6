"""The progress log of a running training, in its experiment's note: an entry every N epochs.

It is written between two epochs by the training's own process, so it takes no chances: one note
and nothing else, no waiting for a vault in use, and a vault that is gone, edited or refused costs
an entry, never the training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from featherface.errors import ThesisError
from featherface.filesystem.retry import MOMENT, patient
from vault_sync.commands.dry_run import find_vault, survey_vault
from vault_sync.commands.writing import writing
from vault_sync.content.chapters import pipeline_identity
from vault_sync.engine.plans import Options
from vault_sync.reports.progress import EVERY

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.workspace.workspace import Workspace

PATIENCE = 1.0
"""Seconds to wait for another process that writes into the vault."""


class ProgressLog:
    """Called after every epoch; writes where an entry is due."""

    def __init__(
        self, workspace: Workspace, experiment: str, epochs: int, tell: Callable[[str], None]
    ) -> None:
        """Keep the log of EXPERIMENT; TELL hears, once per cause, why an entry was left out."""
        self.workspace = workspace
        self.experiment = experiment
        self.epochs = epochs
        self.tell = tell
        self.reported: set[str] = set()

    def __call__(self, epoch: int) -> None:
        """Write the log where EPOCH is due; the last one is the sync's, once the run is sealed."""
        if epoch >= self.epochs or not due(self.workspace, epoch):
            return
        try:
            with patient(seconds=MOMENT):
                reasons = write(self.workspace, self.experiment)
            for reason in reasons:
                self._miss(reason)
        except ThesisError as error:
            self._miss(error.message)
        except Exception as error:  # noqa: BLE001 - whatever it is, the training is worth more
            self._miss(f"{type(error).__name__}: {error}")

    def _miss(self, reason: str) -> None:
        if reason not in self.reported:
            self.reported.add(reason)
            self.tell(f"the vault's log was not written, the training goes on: {reason}")


def due(workspace: Workspace, epoch: int) -> bool:
    """Whether the log has an entry for EPOCH."""
    every = int(workspace.settings[EVERY])
    return every > 0 and epoch % every == 0


def write(workspace: Workspace, experiment: str) -> list[str]:
    """Bring the note of EXPERIMENT up to date; return why it was left alone, where it was.

    Raises:
        ThesisError: the vault is gone, in use or can't be written, or many notes are missing.
    """
    note = pipeline_identity(experiment)
    vault = find_vault(workspace)
    with writing(workspace, vault, f"run {experiment}", patience=PATIENCE) as writer:
        survey = survey_vault(workspace, vault, Options(), only=note)
        outcome = writer.write(survey.plan.writes, survey.plan.state)
    places = {outcome.state.blocks.get(block) for block in survey.blocks}
    troubles = (*survey.plan.conflicts, *survey.plan.refused, *outcome.refused)
    return [str(trouble) for trouble in troubles if trouble.path in places]
