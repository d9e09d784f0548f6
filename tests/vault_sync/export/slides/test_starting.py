"""The outline of slides: made of what there is, exported as it stands, never written over."""

from __future__ import annotations

import re

import pytest

from featherface.errors import RefusedError
from vault_sync.commands.check_numbers import check
from vault_sync.commands.sync import sync
from vault_sync.commands.undo import undo
from vault_sync.export.document_writer import ExportOptions
from vault_sync.export.slides.exporting import export_slides
from vault_sync.export.slides.starting import start_slides

NAMES = {"en": "Slides.md", "fr": "Diapositives.md"}


@pytest.mark.parametrize("language", NAMES)
def test_the_outline_is_filled_with_what_there_is(thesis, golden, language):
    workspace = thesis(language)
    made = start_slides(workspace)
    assert made.note == NAMES[language]
    text = (workspace.vault / made.note).read_text(encoding="utf-8")
    golden(f"slides/{language}.md", text)
    findings = check(workspace, [str(workspace.vault / made.note)])
    assert len(findings) >= 3
    assert {finding.state for finding in findings} == {"fresh"}
    assert made.slides == len(re.findall(r"^#+ ", text, re.MULTILINE)) == 12


@pytest.mark.parametrize("language", NAMES)
def test_the_outline_is_exported_as_it_stands(thesis, language):
    workspace = thesis(language)
    made = start_slides(workspace)
    done = export_slides(workspace, (), ExportOptions(to="slides-html"))
    assert done.notes == (made.note,)
    assert done.slides > made.slides  # questions follow
    assert done.figures >= 2
    assert done.tables >= 2
    assert done.numbers["unbacked"] == done.numbers["stale"] == 0
    faults = [one for one in done.warnings if "nothing stands on it yet" not in one]
    assert faults == []
    empty = [one for one in done.warnings if "nothing stands on it yet" in one]
    # the question and the conclusion are the student's; no run here has a drawing of its network
    assert [int(re.search(r"\d+", one)[0]) for one in empty] == [2, 4, 12]
    text = done.output.read_text(encoding="utf-8")
    assert "%%" not in text
    assert not re.search(r"thesis-(?:link|embed)", text)


def test_an_empty_workspace_has_an_outline_too(workspace):
    made = start_slides(workspace, "Talks/Defence")
    assert made.note == "Talks/Defence.md"
    text = (workspace.vault / made.note).read_text(encoding="utf-8")
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert titles == ["Question", "Method", "Data and protocol", "Limits", "Conclusion"]
    done = export_slides(workspace, (), ExportOptions(to="slides-html"))
    assert done.slides == made.slides == 6


def test_nothing_is_written_over(workspace):
    made = start_slides(workspace)
    note = workspace.vault / made.note
    note.write_text("---\nslides: true\n---\nmine\n", encoding="utf-8")
    with pytest.raises(RefusedError, match=r"Slides\.md is a note of slides already"):
        start_slides(workspace)
    for name in ("Slides", "slides.md"):
        with pytest.raises(RefusedError):
            start_slides(workspace, name)
    with pytest.raises(RefusedError, match="is not a path inside the vault"):
        start_slides(workspace, "../outside")
    assert note.read_text(encoding="utf-8") == "---\nslides: true\n---\nmine\n"
    assert start_slides(workspace, "Other").note == "Other.md"


def test_no_sync_touches_it_and_it_can_be_undone(thesis):
    workspace = thesis()
    note = workspace.vault / start_slides(workspace).note
    before = note.read_bytes()
    assert "Slides.md" not in sync(workspace).written
    assert note.read_bytes() == before
    undo(workspace)
    assert not note.exists()
