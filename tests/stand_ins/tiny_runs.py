"""Runs of the smoke recipe on a drawn set so small that training takes a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from experiments.recipe.resolve import resolve
from experiments.running import runner

if TYPE_CHECKING:
    from experiments.records.run import Run
    from experiments.workspace.workspace import Workspace

TINY = (
    "data.synthetic.image_size=64",
    "data.synthetic.train_images=4",
    "data.synthetic.val_images=2",
    "data.synthetic.largest_face=32",
    "train.image_size=64",
    "train.batch_size=2",
    "train.device=cpu",
)


def tiny_run(workspace: Workspace, *overrides: str, name: str = "smoke", **options: Any) -> Run:
    """Run the recipe NAME on the drawn set with OVERRIDES; OPTIONS are those of the runner."""
    return runner.run(workspace, resolve(name, workspace, [*TINY, *overrides]), **options)
