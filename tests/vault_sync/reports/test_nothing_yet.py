"""A block with nothing to show says what it waits for, and nothing ever stands empty."""

import pytest

from experiments.workspace.workspace import Workspace
from vault_sync.commands.sync import sync
from vault_sync.engine.text.markers import scan
from vault_sync.reports import REPORTS

pytestmark = pytest.mark.usefixtures("quick_plots")

SAYS = {"en": "Nothing to show yet", "fr": "Rien à montrer encore"}

ON_DEMAND = {"run", "pipeline", "progress", "weekly", "network", "gallery"}
"""What stands in no chapter before there is a run, or before it is asked for."""


def bodies(workspace):
    """Return template -> text of the blocks in the vault."""
    notes = (path.read_bytes() for path in workspace.vault.rglob("*.md"))
    return {
        block.template: block.body.decode().strip() for data in notes for block in scan(data).blocks
    }


@pytest.mark.parametrize("language", SAYS)
def test_before_the_first_run(tmp_path, language):
    workspace = Workspace.create(tmp_path, language=language)
    workspace.vault.mkdir()
    sync(workspace)
    found = bodies(workspace)
    assert set(found) == set(REPORTS) - ON_DEMAND
    assert all(found.values())
    for template in ("performance", "protocol", "architecture", "exports", "ablation"):
        assert found[template].startswith(f"_{SAYS[language]}")
    assert "`thesis run v1" in found["comparison"]


@pytest.mark.parametrize("language", SAYS)
def test_a_run_that_was_only_evaluated(tmp_path, make_run, language):
    workspace = Workspace.create(tmp_path, language=language)
    workspace.vault.mkdir()
    make_run(workspace, "v1", plots=False)
    sync(workspace)
    found = bodies(workspace)
    assert all(found.values())
    assert SAYS[language] not in found["performance"]
    assert found["ablation"].startswith(f"_{SAYS[language]}")
