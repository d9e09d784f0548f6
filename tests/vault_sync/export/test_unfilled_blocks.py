"""What generated blocks wait for is no text of a thesis."""

from __future__ import annotations

import pytest

from experiments.workspace.workspace import Workspace
from vault_sync.commands import scaffold
from vault_sync.commands.sync import sync
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.exporting import export

ABLATION = "05-Results/Ablation-Study.md"


@pytest.fixture
def begun(tmp_path, make_run, quick_plots):
    """Return a workspace in a language with one run: most chapters still wait."""

    def make(language):
        workspace = Workspace.create(tmp_path, language=language, title="T", author="A. Student")
        scaffold.create(workspace)
        make_run(workspace, "v1", plots=False)
        sync(workspace)
        return workspace

    return make


@pytest.mark.parametrize(("language", "waits"), [("en", "Nothing to show"), ("fr", "Rien à")])
def test_a_block_that_waits_is_not_printed(begun, language, waits):
    workspace = begun(language)
    assert waits in (workspace.vault / ABLATION).read_text(encoding="utf-8")
    done = export(workspace, (), ExportOptions(to="html"))
    text = done.output.read_text(encoding="utf-8")
    assert waits not in text
    assert "thesis run" not in text
    assert any(ABLATION in warning and "not printed" in warning for warning in done.warnings)


def test_a_chapter_with_words_of_ones_own_stays(begun):
    workspace = begun("en")
    note = workspace.vault / ABLATION
    before = note.read_text(encoding="utf-8")
    note.write_text(f"{before}\nI expect little.\n", encoding="utf-8")
    text = export(workspace, (), ExportOptions(to="html")).output.read_text(encoding="utf-8")
    assert "What each part of the models is worth" in text
    assert "I expect little." in text
    assert "Nothing to show" not in text


def test_a_formatter_changes_nothing(begun):
    workspace = begun("en")
    note = workspace.vault / ABLATION
    text = note.read_text(encoding="utf-8")
    note.write_text(text.replace("_Nothing to show yet:", "*Nothing\nto show yet:"), "utf-8")
    done = export(workspace, (), ExportOptions(to="html", force=True))
    assert "to show yet" not in done.output.read_text(encoding="utf-8")
