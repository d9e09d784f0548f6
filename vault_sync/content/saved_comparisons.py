"""The comparisons that were sent to the vault, remembered so that later syncs update them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from experiments.workspace.workspace import Workspace


def read(workspace: Workspace) -> list[list[str]]:
    """Return the run ids of each comparison, oldest first."""
    try:
        content = json.loads(_path(workspace).read_text(encoding="utf-8"))
        return [[str(run) for run in runs] for runs in content["comparisons"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def remember(workspace: Workspace, runs: Sequence[str]) -> None:
    """Add a comparison of RUNS, unless it is known."""
    known = read(workspace)
    if list(runs) not in known:
        text = json.dumps({"comparisons": [*known, list(runs)]}, indent=1)
        write_atomic(_path(workspace), text + "\n")


def block_id(runs: Sequence[str]) -> str:
    """Return the id of the block that compares RUNS."""
    return f"comparison.{'+'.join(runs)}"


def _path(workspace: Workspace) -> Path:
    return workspace.state / "comparisons.json"
