"""`thesis open`, and notes named as links."""

import io

import pytest

from thesis_cli.output import name_note
from thesis_cli.session import Session
from vault_sync.opening import obsidian
from vault_sync.opening.obsidian import Way

MEANT = {
    "performance": "05-Results/Performance-Analysis.md",
    "results": "05-Results/Performance-Analysis.md",
    "hypotheses": "03-Methodology/Architectural-Innovations.md",
    "v1-easy": "05-Results/Milestones.md",
    "v2@1": "05-Results/Runs/v2@1.md",
    "v2": "05-Results/Runs/v2@1.md",
    "v2@best": "05-Results/Runs/v2@1.md",
    "Dashboard": "Dashboard.md",
    "05-Results/Runs/v1@1.md": "05-Results/Runs/v1@1.md",
}


@pytest.fixture
def asked(monkeypatch):
    """Let Obsidian open what it is asked to; the notes it was asked for are listed."""
    seen = []

    def open_note(chosen):
        seen.append((chosen.note, chosen.part))
        return Way.ADDRESS

    monkeypatch.setattr(obsidian, "open_note", open_note)
    return seen


@pytest.mark.parametrize("selector", MEANT)
def test_a_note_is_opened_by_what_it_is_about(thesis, valid, synced, asked, selector):
    data = valid(thesis("open", selector, "--json", workspace=synced()))
    assert data["note"] == MEANT[selector]
    assert (data["opened"], data["way"]) == (True, "address")
    assert asked == [(MEANT[selector], "")]


def test_a_note_that_was_moved_and_its_heading(thesis, synced_copy, asked):
    workspace = synced_copy()
    (workspace.vault / "05-Results/Runs/v2@1.md").rename(workspace.vault / "Best of all.md")
    answer = thesis("open", "v2@1#Set-up", workspace=workspace)
    assert answer.out == "opened: Best of all.md\n"
    assert asked == [("Best of all.md", "Set-up")]


def test_the_address_is_printed_and_nothing_opened(thesis, synced, asked):
    answer = thesis("open", "performance", "--print", workspace=synced())
    assert answer.out.startswith("obsidian://open?path=")
    assert answer.out.endswith("05-Results%2FPerformance-Analysis.md\n")
    assert asked == []


def test_without_obsidian_the_path_is_printed(thesis, synced, monkeypatch):
    monkeypatch.setattr(obsidian, "open_note", lambda _: Way.NONE)
    workspace = synced()
    answer = thesis("open", "Dashboard", workspace=workspace)
    assert answer.code == 0
    assert answer.out == f"{workspace.vault / 'Dashboard.md'}\n"
    assert "nothing here opens" in answer.err


@pytest.mark.parametrize(("selector", "near"), [("v2@9", "v2@1"), ("Dashbord", "Dashboard")])
def test_what_is_not_there_names_the_nearest(thesis, synced, selector, near):
    answer = thesis("open", selector, workspace=synced())
    assert answer.code == 3
    assert near in answer.err
    assert "next: thesis report list" in answer.err


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    return Session(stdout=Terminal())


def test_a_terminal_gets_links(terminal, tmp_path):
    named = name_note(terminal, tmp_path, "A/Café.md")
    assert named.startswith("\033]8;;obsidian://open?path=")
    assert named.endswith("Caf%C3%A9.md\033\\A/Café.md\033]8;;\033\\")


def test_files_pipes_and_plain_terminals_get_names(terminal, tmp_path, monkeypatch):
    for plain in (Session(stdout=io.StringIO()), Session(stdout=Terminal(), color="never")):
        assert name_note(plain, tmp_path, "A.md") == "A.md"
    monkeypatch.setenv("TERM", "dumb")
    assert name_note(terminal, tmp_path, "A.md") == "A.md"
    monkeypatch.delenv("TERM")
    monkeypatch.setenv("NO_COLOR", "1")
    assert name_note(terminal, tmp_path, "A.md") == "A.md"


def test_a_sync_names_what_it_wrote_as_it_always_did_beyond_a_terminal(thesis, synced_copy):
    workspace = synced_copy()
    (workspace.vault / "Dashboard.md").unlink()
    answer = thesis("report", "sync", "--recreate", workspace=workspace)
    assert "written: Dashboard.md\n" in answer.out
    assert "\033" not in answer.out
