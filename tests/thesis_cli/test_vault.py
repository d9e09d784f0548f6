"""`thesis vault` and `thesis report sync`, as a student types them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from featherface.filesystem.atomic import write_atomic
from vault_sync.commands.sync import sync

PERFORMANCE = "05-Results/Performance-Analysis.md"


@pytest.fixture
def filled(workspace, make_run):
    """A workspace with a run, whose vault is up to date."""
    make_run(workspace, "v1", plots=False, events=False)
    sync(workspace)
    return workspace


@pytest.fixture
def edited(filled):
    """One whose performance chapter was edited inside its block."""
    path = filled.vault / PERFORMANCE
    path.write_bytes(path.read_bytes().replace(b"64.0%", b"99.9%"))
    return filled


def test_status_of_a_calm_vault(thesis, valid, filled):
    data = valid(thesis("vault", "status", "--json", workspace=filled))
    assert PERFORMANCE in data["in_sync"]
    assert [data[key] for key in ("pending", "conflicts", "refused", "stopped")] == [[], [], [], ""]
    assert data["locked"] is None
    answer = thesis("vault", "status", workspace=filled)
    assert answer.code == 0
    assert "thesis vault undo" in answer.out


def test_status_tells_everything_that_waits(thesis, valid, edited):
    vault = edited.vault
    (vault / "05-Results" / "Runs" / "v1@1.md").unlink()
    (vault / "05-Results" / "Comparative-Studies.md").rename(vault / "Mine.md")
    (vault / "05-Results" / "Milestones.md").write_text("---\nthesis_id: chapter/milestones\n---\n")
    (vault / "Broken.md").write_text("<!-- thesis:end id=x -->\n", encoding="utf-8")
    (vault / "Mine (conflict 2026-01-02).md").write_text("theirs", encoding="utf-8")
    write_atomic(edited.state / "conflicts" / "recovered" / "abc-Mine.md", "a save")
    data = valid(thesis("vault", "status", "--json", workspace=edited))
    assert data["conflicts"] == [f"{PERFORMANCE}#results"]
    assert data["deleted"] == ["05-Results/Milestones.md#milestones", "05-Results/Runs/v1@1.md"]
    assert data["moved"] == {"05-Results/Comparative-Studies.md": "Mine.md"}
    assert data["refused"] == ["Broken.md:1: block 'x' ends here but never began"]
    assert data["copies"] == ["Mine (conflict 2026-01-02).md"]
    assert len(data["recovered"]) == 1
    text = thesis("vault", "status", workspace=edited).out
    for words in ("edited by hand", "deleted by you", "moved by you", "refused", "kept aside"):
        assert words in text


def test_status_where_a_sync_would_stop(thesis, valid, filled):
    for path in filled.vault.rglob("*.md"):
        path.unlink()
    data = valid(thesis("vault", "status", "--json", workspace=filled))
    assert "notes are gone at once" in data["stopped"]
    assert "a sync would stop" in thesis("vault", "status", workspace=filled).out


def test_a_conflict_is_shown_and_settled(thesis, valid, edited):
    answer = thesis("report", "sync", workspace=edited)
    assert answer.code == 7
    assert f'thesis vault take --mine "{PERFORMANCE}#results"' in answer.err
    answer = thesis("report", "sync", "--diff", workspace=edited)
    assert answer.code == 7
    assert "nothing would change" not in answer.out
    assert "\n-" in answer.out
    assert "99.9%" in answer.out
    data = valid(thesis("report", "sync", "--diff", "--json", workspace=edited))
    assert list(data["disputes"]) == [f"{PERFORMANCE}#results"]
    data = valid(thesis("vault", "take", "--mine", PERFORMANCE, "--json", workspace=edited))
    assert data["decided"] == [f"{PERFORMANCE}#results"]
    assert thesis("report", "sync", workspace=edited).code == 0
    answer = thesis("vault", "take", "--new", f"{PERFORMANCE}#results", workspace=edited)
    assert "taken anew" in answer.out
    assert b"99.9%" not in (edited.vault / PERFORMANCE).read_bytes()


def test_adopt(thesis, valid, edited):
    arguments = ("vault", "adopt", "Performance-Analysis#results")
    data = valid(thesis(*arguments, "--json", workspace=edited))
    assert data["written"] == [PERFORMANCE]
    assert b"thesis:" not in (edited.vault / PERFORMANCE).read_bytes()
    assert thesis("report", "sync", workspace=edited).code == 0


def test_undo(thesis, valid, filled, make_run):
    before = (filled.vault / PERFORMANCE).read_bytes()
    make_run(filled, "v1", plots=False, events=False)
    assert thesis("report", "sync", workspace=filled).code == 0
    (entry, _) = valid(thesis("vault", "undo", "--list", "--json", workspace=filled))["history"]
    assert (entry["what"], entry["undone"]) == ("report sync", False)
    assert PERFORMANCE in entry["files"]
    assert "report sync" in thesis("vault", "undo", "--list", workspace=filled).out
    data = valid(thesis("vault", "undo", "--json", workspace=filled))["undone"]
    assert PERFORMANCE in data["restored"]
    assert (filled.vault / PERFORMANCE).read_bytes() == before
    answer = thesis("vault", "undo", data["redo"], workspace=filled)
    assert answer.code == 0
    assert (filled.vault / PERFORMANCE).read_bytes() != before


def test_an_undo_that_leaves_something_is_told(thesis, filled):
    path = filled.vault / PERFORMANCE
    path.write_bytes(path.read_bytes() + b"mine\n")
    answer = thesis("vault", "undo", workspace=filled)
    assert answer.code == 7
    assert f"{PERFORMANCE}: you have written in it since" in answer.err
    assert path.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("take", "Performance-Analysis"), 2, "--mine or --new"),
        (("take", "--mine"), 2, "--all"),
        (("take", "--mine", "--all", "x"), 2, "--all"),
        (("take", "--new", "Performance-Analyses"), 3, "did you mean 'Performance-Analysis.md'"),
        (("adopt", "Performance-Analysis#result"), 3, "did you mean 'results'"),
        (("undo", "99"), 3, "no write number 99"),
        (("undo", "0"), 2, "0"),
        (("statsu",), 2, "status"),
    ],
)
def test_what_can_not_be_done_is_told(thesis, filled, arguments, code, words):
    answer = thesis("vault", *arguments, workspace=filled)
    assert answer.code == code
    assert words in answer.err


@pytest.mark.parametrize(
    "place", ["runs", "runs/v1", ".", "..", ".thesis", ".thesis/x", "experiments", "/"]
)
def test_a_vault_among_the_records_is_refused(thesis, tmp_path, workspace, place):
    config = workspace.root / "thesis.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace('vault = "vault"', f"vault = '{place}'"), encoding="utf-8")
    for arguments in (("report", "sync"), ("vault", "status")):
        answer = thesis(*arguments, workspace=workspace)
        assert answer.code == 2
        assert "the folder of the" in answer.err
        assert 'vault = "vault"' in answer.err
    answer = thesis("init", tmp_path / "new", "--vault", place)
    assert answer.code == 2
    assert not (tmp_path / "new").exists()


def test_a_folder_among_the_records_is_refused(thesis, workspace):
    assert thesis("report", "sync", "--to", "runs", workspace=workspace).code == 2


def test_watch_goes_with_no_other_answer(thesis, workspace):
    answer = thesis("report", "sync", "--watch", "--json", workspace=workspace)
    assert answer.code == 2
    assert "--watch" in answer.err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT to another process")
def test_a_watch_ends_well_with_ctrl_c(filled, make_run, tmp_path):
    command = [sys.executable, "-m", "thesis_cli", "--workspace", filled.root]
    command += ["report", "sync", "--watch"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as watch:
        make_run(filled, "v2", variant="v2", plots=False, events=False)
        note = filled.vault / "05-Results" / "Runs" / "v2@1.md"
        end = time.monotonic() + 120
        while not note.exists() and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1)
        watch.send_signal(signal.SIGINT)
        out, err = watch.communicate(timeout=120)
    assert watch.returncode == 0
    assert "written: 05-Results/Runs/v2@1.md" in out
    assert "end with Ctrl-C" in err
    assert "Traceback" not in err
