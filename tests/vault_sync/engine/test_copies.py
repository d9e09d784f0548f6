import pytest

from vault_sync.engine.copies import is_copy
from vault_sync.engine.vault_reader import read_vault

OUTRIGHT = [
    # Obsidian Sync
    "Results (Conflicted copy laptop 202601021030)",
    "Results (conflict 2026-01-02)",
    "Results (conflict 2026-01-02 10-20-30)",
    "Résultats (conflit 2026-01-02)",
    # Dropbox, in English and French
    "Results (Ana's conflicted copy 2026-01-02)",
    "Results (Ana's conflicted copy 2026-01-02 (1))",
    "Results (conflicted copy 2026-01-02 030405)",
    "Results (Case Conflict 1)",
    "Résultats (Copie en conflit de Ana 2026-01-02)",
    "Résultats (copie en conflit de l'ordinateur de Ana 2026-01-02)",
    "Résultats (Copie conflictuelle de Ana)",
    # Syncthing
    "Results.sync-conflict-20260102-030405-ABCDEFG",
    # OneDrive
    "Results-DESKTOP-AB12CD3",
    "Results-LAPTOP-9Z8Y7X6W-2",
    # others
    "Results (SFConflict ana@example.org 2026-01-02-03-04-05)",
    "Results [conflicted]",
    "Results_laptop_Jan-02-0304-2026_Conflict",
    "Results.Conflict",
    # git mergetool
    "Results_BACKUP_1234",
    "Results_LOCAL_1234",
    "Results.orig",
]
INNOCENT = [
    "Results",
    "Conflict of anchors and priors",
    "Le conflit entre taille et précision",
    "Chapter 2",
    "Results (1)",
    "v2@1",
    "Sets (on conflict-free types)",
    "Weights (a conflict of interest)",
    "Training-Protocol",
    "MobileNet-V2",
]
NAMED_AFTER = ["Results 2", "Results (1)", "Results-MacBook", "Results - Copie", "Results copy"]
NOTE = b"---\nthesis_id: n\n---\ntext\n"
BLOCK = b"<!-- thesis:begin id=b template=t -->\n<!-- thesis:end id=b -->\n"


@pytest.mark.parametrize("suffix", [".md", ".base", ".canvas", ".png"])
@pytest.mark.parametrize("stem", OUTRIGHT)
def test_names_that_say_so_are_copies(stem, suffix):
    assert is_copy(f"{stem}{suffix}")


@pytest.mark.parametrize("name", ["Results.md.orig", "Results.md~HEAD", "Map.canvas~theirs"])
def test_what_git_leaves_is_a_copy(name):
    assert is_copy(name)


@pytest.mark.parametrize("stem", INNOCENT)
def test_other_names_are_the_students(stem):
    assert not is_copy(f"{stem}.md")


@pytest.mark.parametrize("text", [NOTE, BLOCK])
@pytest.mark.parametrize("stem", NAMED_AFTER)
def test_a_note_named_after_another_is_a_copy_where_it_holds_the_same(tmp_path, stem, text):
    (tmp_path / "Results.md").write_bytes(text)
    (tmp_path / f"{stem}.md").write_bytes(text + b"changed\n")
    found = read_vault(tmp_path)
    assert list(found.notes) == ["Results.md"]
    assert found.copies == (f"{stem}.md",)


@pytest.mark.parametrize("stem", NAMED_AFTER)
def test_a_note_named_after_another_is_a_note_where_it_holds_something_else(tmp_path, stem):
    (tmp_path / "Results.md").write_bytes(NOTE)
    (tmp_path / f"{stem}.md").write_bytes(b"mine\n")
    assert sorted(read_vault(tmp_path).notes) == sorted(["Results.md", f"{stem}.md"])


def test_the_copy_of_a_note_that_is_gone_is_read(tmp_path):
    (tmp_path / "Results 2.md").write_bytes(NOTE)
    assert list(read_vault(tmp_path).notes) == ["Results 2.md"]
