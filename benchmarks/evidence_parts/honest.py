"""Honest operations: after each, every verb answers as before."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tarfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from evidence_parts.cases import Impossible, Operation
from evidence_parts.finished import DISCUSSION
from evidence_parts.places import linked
from evidence_parts.prose import PERFORMANCE
from evidence_parts.verbs import call
from experiments.records.seal import sha256

if TYPE_CHECKING:
    from collections.abc import Sequence

EARLIER = Path(__file__).parents[2] / "tests" / "thesis_cli" / "earlier"
WORDS = {
    "prose without a number": "Nothing here was measured.",
    "a number with its citation": "The paper gives 78.3 % on Hard [@kim2025featherface].",
    "a number marked as one's own": "I expect 90 % AP of it. <!--t:own-->",
    "no results: pages, money, years, fields": (
        "See pages 12–14 of ISBN 978-3-16-148410-0, of 2025, for 35 €.\n\nap:: 82.6 %\n\n"
        "    ap = 97.3\n\nThe chapter has 3 sections and 12 figures."
    ),
}


def nothing(_: Path) -> None:
    """Only copy it: a workspace that was moved."""


def moved_twice(root: Path) -> None:
    other = root.with_name("elsewhere")
    root.rename(other)
    call(other, "runs", "list")
    other.rename(root)


def git(root: Path, *words: str) -> str:
    command = [
        "git",
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@example.org",
        "-C",
        str(root),
        *words,
    ]
    empty = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    try:
        answer = subprocess.run(
            command, check=True, capture_output=True, env={**os.environ, **empty}
        )
    except FileNotFoundError as error:
        raise Impossible("no git here") from error
    return answer.stdout.decode()


def committed(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A", "-f", ".", ":(exclude).thesis")
    git(root, "commit", "-q", "-m", "All of it")


def cloned(root: Path, *settings: str) -> None:
    """Commit everything, clone it as SETTINGS say, and take the clone's place."""
    committed(root)
    original = root.with_name("original")
    root.rename(original)
    git(original, *settings, "clone", "-q", str(original), str(root))


def another_checkout(root: Path) -> None:
    """Another working copy of the same repository."""
    committed(root)
    original = root.with_name("original")
    root.rename(original)
    git(original, "worktree", "add", "-q", "-b", "other", str(root))


def annexed(root: Path) -> None:
    """Move the large files of records into a store and link them, as git-annex does."""
    store = root / ".git" / "annex" / "objects"
    store.mkdir(parents=True)
    for path in [*root.glob("runs/**/*.safetensors"), *root.glob("runs/**/*.npz")]:
        target = store / sha256(path)
        if not target.exists():
            shutil.copy2(path, target)
        path.unlink()
        linked(Path(os.path.relpath(target, path.parent)), path)


def touched(root: Path) -> None:
    for path in root.rglob("*"):
        if path.is_file() and ".thesis" not in path.parts:
            os.utime(path, (1_600_000_000, 1_600_000_000))


def commented(root: Path) -> None:
    path = root / "experiments" / "v2.yaml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^  ", "    ", f"# A remark.\n\n{text}", flags=re.MULTILINE)
    path.write_text(text.replace("workers: 0", "workers: 0   # none"), encoding="utf-8")


def renamed_note(root: Path) -> None:
    (root / "vault" / DISCUSSION).rename(root / "vault" / "05-Results" / "Discussion générale.md")


def moved_note(root: Path) -> None:
    (root / "vault" / "06-Talk").mkdir()
    (root / "vault" / DISCUSSION).rename(root / "vault" / "06-Talk" / "Discussion.md")


def carriage_returns(root: Path) -> None:
    for path in (root / "vault").rglob("*.md"):
        content = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        path.write_bytes(content)


def reindexed(root: Path) -> None:
    call(root, "runs", "reindex")


def without_index(root: Path) -> None:
    (root / ".thesis" / "index.sqlite").unlink()


def without_cache(root: Path) -> None:
    shutil.rmtree(root / ".thesis" / "cache")


def labelled(root: Path) -> None:
    call(root, "runs", "label", "v2", "final")
    call(root, "report", "sync")


def noted(root: Path) -> None:
    call(root, "runs", "note", "v2", "Looks right.")
    call(root, "report", "sync")


def synced(root: Path) -> None:
    call(root, "report", "sync")
    call(root, "report", "sync")


def typed(root: Path, text: str) -> None:
    path = root / "vault" / DISCUSSION
    path.write_text(
        path.read_text(encoding="utf-8") + f"\n{text}\n", encoding="utf-8", newline="\n"
    )


def block_deleted(root: Path) -> None:
    """What isn't there claims nothing; a student may not want it."""
    path = root / "vault" / PERFORMANCE
    text = path.read_text(encoding="utf-8")
    kept = re.sub(r"<!-- thesis:begin.*?<!-- thesis:end[^\n]*-->\n", "", text, flags=re.DOTALL)
    path.write_text(kept, encoding="utf-8", newline="\n")


def own_files(root: Path) -> None:
    """Files of the student's own, beside the records and in the vault."""
    (root / "runs" / "README.md").write_text("My runs.\n", encoding="utf-8")
    (root / "vault" / "picture.png").write_bytes(b"\x89PNG")
    (root / "notes.txt").write_text("to do\n", encoding="utf-8")


def other_language(root: Path) -> None:
    """Another machine's language; that of the thesis stays."""
    del root
    os.environ["LANG"] = os.environ["LC_ALL"] = "fr_FR.UTF-8"


def read_only(root: Path) -> None:
    if os.name == "nt" or os.geteuid() == 0:
        raise Impossible("everything can be written here")
    for path in sorted(root.rglob("*"), reverse=True):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


def linked_workspace(root: Path) -> None:
    """The workspace is reached by a link."""
    real = root.with_name("real")
    root.rename(real)
    linked(real, root)


def linked_vault(root: Path) -> None:
    """The vault lies elsewhere, and thesis.toml says where."""
    elsewhere = root.with_name("vault elsewhere")
    (root / "vault").rename(elsewhere)
    path = root / "thesis.toml"
    text = path.read_text(encoding="utf-8")
    new = text.replace('vault = "vault"', f"vault = '{elsewhere}'")
    path.write_text(new, encoding="utf-8")


def upgraded(root: Path, language: str) -> str | None:
    """Read the records of an earlier version: they are intact, compared and synchronised.

    Blocks that this version words otherwise are pending until the first synchronisation.
    """
    place = root.with_name("earlier")
    with tarfile.open(EARLIER / f"{language}.tar.xz") as archive:
        archive.extractall(place, filter="data")
    (config,) = place.rglob("thesis.toml")
    asked: Sequence[tuple[str, ...]] = (
        ("runs", "verify"),
        ("compare", "teacher", "student"),
        ("report", "sync", "--dry-run"),
        ("report", "sync"),
        ("check", "numbers"),
    )
    refused = [" ".join(words) for words in asked if call(config.parent, *words).code]
    return f"of an earlier version: {', '.join(refused)}" if refused else None


HONEST = (
    Operation("honest: moved", nothing),
    Operation("honest: moved there and back", moved_twice),
    Operation("honest: a path with spaces and accents", nothing, "Mémoire de maîtrise (été) 1"),
    Operation("honest: a deep path", nothing, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/thesis"),
    Operation("honest: cloned", cloned),
    Operation(
        "honest: cloned as on Windows", lambda root: cloned(root, "-c", "core.autocrlf=true")
    ),
    Operation("honest: another checkout", another_checkout),
    Operation("honest: annexed", annexed),
    Operation("honest: other times of files", touched),
    Operation("honest: a recipe reformatted", commented),
    Operation("honest: a note renamed", renamed_note),
    Operation("honest: a note moved", moved_note),
    Operation("honest: notes with CRLF", carriage_returns),
    Operation("honest: reindexed", reindexed),
    Operation("honest: the index deleted", without_index),
    Operation("honest: the cache deleted", without_cache),
    Operation("honest: a label", labelled),
    Operation("honest: a note on a run", noted),
    Operation("honest: a second sync", synced),
    Operation("honest: a block deleted", block_deleted),
    Operation("honest: files of one's own", own_files),
    Operation("honest: another language", other_language),
    Operation("honest: a read-only workspace", read_only),
    Operation("honest: reached by a link", linked_workspace),
    Operation("honest: the vault elsewhere", linked_vault),
    *(
        Operation(f"honest: an upgrade, {language}", partial(upgraded, language=language))
        for language in ("english", "french")
    ),
    *(Operation(f"honest: {kind}", partial(typed, text=text)) for kind, text in WORDS.items()),
)
