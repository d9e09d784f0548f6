"""A workspace in git, cloned where git converts line ends, as Git for Windows does by default."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from experiments.records.seal import MEND, seal
from experiments.records.store import Store
from experiments.workspace.repository import ATTRIBUTES, FILES, IGNORED, complete
from experiments.workspace.workspace import Workspace

pytestmark = pytest.mark.usefixtures("quick_plots")

CONVERTED = {"data.json", "environment.txt", "log.txt", "metrics.jsonl", "recipe.yaml"} | {
    "record.json",
    "results.json",
}
"""The text files of a record that `make_run` writes."""


@pytest.fixture
def git(monkeypatch):
    """Call git without anybody's settings; give what it prints."""
    for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"):
        monkeypatch.setenv(name, os.devnull)
    who = ["-c", "user.name=Student", "-c", "user.email=student@example.org"]

    def call(folder, *arguments):
        done = subprocess.run(
            ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True
        )
        return done.stdout.decode()

    return call


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where `filled` is made once, to be copied."""
    return tmp_path_factory.mktemp("made") / "thesis"


@pytest.fixture
def filled(made, tmp_path, thesis, make_run):
    """A workspace by `thesis init` with a sealed run in its synchronised vault."""
    if not made.exists():
        assert thesis("init", made).code == 0
        make_run(Workspace.open(made), "v1", matches=True)
        assert thesis("report", "sync", workspace=Workspace.open(made)).code == 0
    shutil.copytree(made, tmp_path / "thesis")
    return Workspace.open(tmp_path / "thesis")


@pytest.fixture
def older(filled):
    """The same, as it was before git was told anything."""
    for name in FILES:
        (filled.root / name).unlink()
    return filled


def committed(git, workspace):
    git(workspace.root, "init", "--quiet")
    (workspace.root / ".git/info/exclude").write_text(".thesis\n", encoding="utf-8")
    git(workspace.root, "add", "--all")
    git(workspace.root, "commit", "--quiet", "--message", "All")
    return workspace.root


def cloned(git, source, target, autocrlf="true"):
    git(source.parent, "clone", "--quiet", "-c", f"core.autocrlf={autocrlf}", source, target)
    return Workspace.open(target)


@pytest.mark.parametrize("autocrlf", ["true", "input", "false"])
def test_a_clone_of_a_new_workspace_is_intact(git, thesis, valid, filled, tmp_path, autocrlf):
    clone = cloned(git, committed(git, filled), tmp_path / "clone", autocrlf)
    assert [
        row["intact"] for row in valid(thesis("runs", "verify", "--json", workspace=clone))
    ] == [True]
    told = valid(thesis("report", "sync", "--json", workspace=clone))
    assert (told["written"], told["conflicts"], told["refused"]) == ([], [], [])
    condition = valid(thesis("vault", "status", "--json", workspace=clone))
    assert condition["deleted"] == []


def test_notes_recipes_settings_and_references_may_have_either_line_ends(
    git, thesis, filled, tmp_path
):
    (filled.recipes / "mine.yaml").write_bytes(b"extends: v1\ntitle: |\n  Two\n  lines\n")
    clone = cloned(git, committed(git, filled), tmp_path / "clone")
    for path in (
        clone.recipes / "mine.yaml",
        clone.root / "thesis.toml",
        clone.vault / "Dashboard.md",
    ):
        assert b"\r\n" in path.read_bytes()
    answers = [
        thesis("run", "mine", "--dry-run", "--json", workspace=one).data for one in (filled, clone)
    ]
    assert answers[0] == answers[1]


def test_converted_records_are_told_in_one_line_and_empty_no_chapter(
    git, thesis, valid, contents, older, tmp_path
):
    clone = cloned(git, committed(git, older), tmp_path / "clone")
    answer = thesis("runs", "verify", workspace=clone)
    assert answer.code == 1
    assert answer.out.splitlines() == [
        "v1@1: only line ends differ, as git converts them (7 files); next: thesis doctor --fix"
    ]
    (row,) = valid(thesis("runs", "verify", "--json", workspace=clone))
    assert row["intact"] is False
    assert {(one["path"], one["problem"]) for one in row["problems"]} == {
        (name, "line ends") for name in CONVERTED
    }
    before = contents(clone.vault)
    synced = thesis("report", "sync", workspace=clone)
    assert synced.code == 7
    assert len([line for line in synced.err.splitlines() if "v1@1" in line]) == 1
    assert "next: thesis doctor --fix, then: thesis report sync" in synced.err
    assert contents(clone.vault) == before
    assert "thesis doctor --fix" in thesis("runs", "show", "v1", workspace=clone).err


def test_the_remedy_brings_records_back_and_touches_nothing_else(
    git, thesis, valid, contents, older, tmp_path
):
    original = contents(older.runs)
    clone = cloned(git, committed(git, older), tmp_path / "clone")
    (clone.root / "draft.md").write_bytes(b"mine, not committed\r\n")
    (clone.vault / "Dashboard.md").write_bytes(b"changed, not committed\r\n")
    (clone.runs / "v1" / "001.notes.json").write_bytes(b'{"labels": ["best"]}\r\n')
    rows = {row["name"]: row for row in thesis("doctor", "--json", workspace=clone).data}
    assert rows["git files"]["advice"] == rows["line ends"]["advice"] == "thesis doctor --fix"
    vault = contents(clone.vault)

    fixed = thesis("doctor", "--fix", "--json", workspace=clone)
    rows = {row["name"]: row["status"] for row in fixed.data}
    assert rows["git files"] == "ok"
    assert "line ends" not in rows
    assert "v1@1: line ends put back as sealed (8 files)" in fixed.err
    assert [
        row["intact"] for row in valid(thesis("runs", "verify", "--json", workspace=clone))
    ] == [True]
    kept = contents(clone.runs)
    assert kept.pop("v1/001.notes.json") == b'{"labels": ["best"]}\r\n'
    assert kept == original
    assert contents(clone.vault) == vault
    assert (clone.root / "draft.md").read_bytes() == b"mine, not committed\r\n"

    # What it says to type leaves nothing of the records to commit, and clones are right from then.
    for line in ("git add .gitattributes .gitignore", "git add -u runs"):
        assert line in fixed.err
        git(clone.root, *line.split()[1:])
    changed = git(clone.root, "status", "--porcelain", "--untracked-files=no").splitlines()
    assert changed == ["A  .gitattributes", "A  .gitignore", " M vault/Dashboard.md"]
    git(clone.root, "commit", "--quiet", "--message", "Keep line ends")
    again = cloned(git, clone.root, tmp_path / "again")
    assert contents(again.runs) == original


def test_a_record_sealed_with_crlf_and_normalised_by_git_is_restored_too(
    git, thesis, older, tmp_path
):
    run = Store(older).find("v1")
    (run.folder / "log.txt").write_bytes(b"epoch 1\r\nepoch 2\r\n")
    seal(run.folder)
    git(older.root, "init", "--quiet")
    git(older.root, "config", "core.autocrlf", "input")
    clone = cloned(git, committed(git, older), tmp_path / "clone", "false")
    assert b"\r" not in (clone.runs / "v1/001/log.txt").read_bytes()
    assert "(1 file)" in thesis("runs", "verify", workspace=clone).out
    thesis("doctor", "--fix", workspace=clone)
    assert thesis("runs", "verify", workspace=clone).code == 0
    assert (clone.runs / "v1/001/log.txt").read_bytes() == b"epoch 1\r\nepoch 2\r\n"


def test_other_changes_are_told_as_such_beside_line_ends(git, thesis, valid, older, tmp_path):
    clone = cloned(git, committed(git, older), tmp_path / "clone")
    results = clone.runs / "v1/001/results.json"
    results.write_bytes(results.read_bytes().replace(b"0.71", b"0.81"))
    answer = thesis("runs", "verify", workspace=clone)
    assert "v1@1: NOT what was sealed" in answer.out
    assert "  results.json: changed" in answer.out
    tampered = results.read_bytes()
    thesis("doctor", "--fix", workspace=clone)
    assert results.read_bytes() == tampered
    (row,) = valid(thesis("runs", "verify", "--json", workspace=clone))
    assert [(one["path"], one["problem"]) for one in row["problems"]] == [
        ("results.json", "changed")
    ]


def test_claims_on_converted_records_name_the_remedy(git, thesis, valid, older, tmp_path):
    clone = cloned(git, committed(git, older), tmp_path / "clone")
    claims = valid(thesis("milestone", "check", "--json", workspace=clone))
    told = [one for one in claims if "line ends" in json.dumps(one)]
    assert told
    assert all(MEND in json.dumps(one) for one in told)
    assert "changed afterwards" not in json.dumps(claims)


def test_canvas_and_base_may_have_converted_line_ends(git, thesis, valid, older, tmp_path):
    owned = sorted(
        path.name for path in older.vault.iterdir() if path.suffix in (".base", ".canvas")
    )
    assert owned == ["Runs.base", "Thesis-Map.canvas"]
    clone = cloned(git, committed(git, older), tmp_path / "clone")
    thesis("doctor", "--fix", workspace=clone)
    condition = valid(thesis("vault", "status", "--json", workspace=clone))
    assert (condition["deleted"], condition["conflicts"], condition["pending"]) == ([], [], [])
    for name in owned:
        assert b"\r\n" in (clone.vault / name).read_bytes()


def test_line_ends_neither_delete_nor_change_what_a_sync_owns(thesis, valid, older):
    for path in [*older.runs.rglob("*"), *older.vault.rglob("*")]:
        if path.is_file() and b"\0" not in path.read_bytes():
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    before = valid(thesis("vault", "status", "--json", workspace=older))
    assert (before["deleted"], before["conflicts"], before["pending"]) == ([], [], [])
    thesis("doctor", "--fix", workspace=older)
    told = valid(thesis("report", "sync", "--json", workspace=older))
    assert (told["written"], told["conflicts"], told["refused"]) == ([], [], [])
    canvas = older.vault / "Thesis-Map.canvas"
    canvas.write_bytes(canvas.read_bytes().replace(b'"nodes"', b'"knots"'))
    assert valid(thesis("vault", "status", "--json", workspace=older))["conflicts"] == [canvas.name]


def test_files_of_the_student_keep_every_byte_and_get_each_line_once(tmp_path):
    root = tmp_path
    own = b"\xef\xbb\xbf*.tex text\r\n/runs/**   -text\r\nlast"
    (root / ".gitattributes").write_bytes(own)
    assert complete(root) == {
        ".gitattributes": [one for one in ATTRIBUTES if one != "/runs/** -text"],
        ".gitignore": list(IGNORED),
    }
    made = (root / ".gitattributes").read_bytes()
    assert made.startswith(own + b"\r\n\r\n# thesis: ")
    assert made.count(b"\n") == made.count(b"\r\n")
    assert made.endswith(b"/runs/**/SEAL.json -merge\r\n")
    assert complete(root) == {}
    assert (root / ".gitattributes").read_bytes() == made
    assert b"\r" not in (root / ".gitignore").read_bytes()


def test_a_file_that_git_cannot_read_is_told(thesis, tmp_path):
    (tmp_path / ".gitignore").write_bytes(".thesis\r\n".encode("utf-16"))
    answer = thesis("init", tmp_path)
    assert answer.code == 2
    assert ".gitignore is UTF-16 text, which git can't read" in answer.err
    assert "UTF-8" in answer.err


def test_a_line_that_takes_the_effect_away_is_told(git, thesis, filled):
    git(filled.root, "init", "--quiet")
    with (filled.root / ".gitattributes").open("a", encoding="utf-8") as file:
        file.write("* text=auto\n")
    rows = {row["name"]: row for row in thesis("doctor", "--json", workspace=filled).data}
    assert rows["git files"]["status"] == "warning"
    assert "takes its effect" in rows["git files"]["found"]


def test_what_is_of_this_machine_stays_out_of_git(git, thesis, filled):
    for name in (".obsidian/workspace.json", ".obsidian/app.json", ".Note.md.01ab.tmp"):
        path = filled.vault / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}", encoding="utf-8")
    git(filled.root, "init", "--quiet")
    git(filled.root, "add", "--all")
    kept = git(filled.root, "ls-files").splitlines()
    assert not [name for name in kept if name.startswith(".thesis")]
    assert "vault/.obsidian/app.json" in kept
    assert "vault/.obsidian/workspace.json" not in kept
    assert "vault/.Note.md.01ab.tmp" not in kept
    assert {f"runs/v1/001/{name}" for name in (*CONVERTED, "SEAL.json")} <= {*kept}
    git(filled.root, "add", "--force", ".thesis")
    rows = {row["name"]: row for row in thesis("doctor", "--json", workspace=filled).data}
    assert rows["git .thesis"]["advice"] == "git rm -r -q --cached .thesis"
