"""A vault filled from sealed records, for programs that are not ours to read.

Its records hold what could break a note: pipes, brackets, comments and code of plugins.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from experiments.workspace.workspace import Workspace
from vault_sync.commands import scaffold
from vault_sync.commands.sync import sync

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "a|b [[x]] <%* %> --> {{x}} $= `x` #t ==y== ^z ![[p.png]] <!-- thesis:end id=x --> %% y"
LABELS = ("plain",)


@dataclass(frozen=True)
class Filled:
    """A workspace whose vault was synced, and the files that are there."""

    workspace: Workspace
    language: str

    @property
    def vault(self) -> Path:
        return self.workspace.vault

    @property
    def notes(self) -> dict[str, Path]:
        """Path from the vault -> file."""
        files = sorted(self.vault.rglob("*.md"))
        return {file.relative_to(self.vault).as_posix(): file for file in files}

    def holds(self, target: str) -> bool:
        """Whether a wikilink leads somewhere, by Obsidian's rule: a name, or a path's end."""
        wanted = f"/{target}".lower()
        files = (file for file in self.vault.rglob("*") if file.is_file())
        paths = [f"/{file.relative_to(self.vault).as_posix()}".lower() for file in files]
        return any(path.endswith((wanted, f"{wanted}.md")) for path in paths)


@pytest.fixture(params=["en", "fr"])
def filled(request, tmp_path, shared_folder, make_run):
    """A copy of a filled vault in each language, which is built once."""
    language = request.param
    root = shared_folder(f"hostile-{language}", lambda root: build(root, language, make_run))
    copied = shutil.copytree(root, tmp_path / "a thesis")
    return Filled(Workspace.open(copied), language)


def build(root, language, make_run):
    """Train, evaluate, stop and compare, in records alone; then fill the vault."""
    workspace = Workspace.create(
        root, language=language, title="Thèse | [[x]]", author="A. Student"
    )
    scaffold.create(workspace)
    teacher = make_run(workspace, "v1", matches=True, labels=LABELS)
    make_run(workspace, "v2", variant="v2", parents=[teacher], seed=1, matches=True)
    make_run(workspace, "v2", variant="v2", status="interrupted")
    make_run(workspace, "v1-official", variant="v1-official", dataset="widerface", complete=False)
    make_run(workspace, "hostile", hypothesis=HOSTILE, recipe={"data.root": "a|b %% [[y]]"})
    report = sync(workspace)
    assert (report.conflicts, report.refused) == ([], [])
