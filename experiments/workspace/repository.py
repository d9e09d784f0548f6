"""The `.gitattributes` and `.gitignore` that a workspace needs.

With `core.autocrlf=true`, the usual choice of Git for Windows, git writes CRLF for every LF of a
text file when it checks it out. A sealed record is another one then.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from featherface.errors import UsageError
from featherface.filesystem.atomic import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ATTRIBUTES = (
    "/runs/** -text",
    "/weights/** -text",
    "/runs/**/*.npz binary",
    "/runs/**/*.pth binary",
    "/runs/**/SEAL.json -merge",
)
"""Lines of .gitattributes: files whose line ends git leaves as they are, and which it never mixes.

Notes, recipes and settings are read alike with either, as are the vault's .canvas and .base files.
"""
STATE = ("/.thesis/",)
"""Lines of .gitignore about .thesis; for a file of it that git shall keep: "/.thesis/*", "!…"."""
IGNORED = (
    *STATE,
    "/data/",
    "/runs/**/heartbeat.json",
    ".*.tmp",
    ".*.thesis-tmp",
    "**/.obsidian/workspace*.json",
)
"""Lines of .gitignore: what can be rebuilt, is at work, or is of one machine only."""
FILES = {
    ".gitattributes": ("sealed byte by byte: no conversion of line ends", ATTRIBUTES),
    ".gitignore": ("can be rebuilt, is at work, or is of this machine only", IGNORED),
}
"""File of the workspace's root -> why its lines are there, and the lines."""
BOM = b"\xef\xbb\xbf"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
PATIENCE = 20.0
"""Seconds that git may take for one answer."""


def missing(root: Path) -> dict[str, list[str]]:
    """Return file -> the lines it lacks, of the files of the workspace at ROOT that lack some.

    Raises:
        UsageError: a file is UTF-16, as Windows PowerShell's `>` writes; git can't read it.
    """
    missing = {name: _missing(root / name, lines) for name, (_, lines) in FILES.items()}
    return {name: lines for name, lines in missing.items() if lines}


def complete(root: Path) -> dict[str, list[str]]:
    """Add the missing lines; whatever else the files hold stays byte by byte. Return as `missing`.

    Raises:
        UsageError: as `missing`.
        UnavailableError: a file can't be written; it is as it was.
    """
    lacking = missing(root)
    for name, lines in lacking.items():
        before = _read(root / name)
        write_atomic(root / name, before + _addition(before, FILES[name][0], lines))
    return lacking


def under_git(root: Path) -> bool:
    """Whether the workspace at ROOT lies in a working copy of git."""
    return any((folder / ".git").exists() for folder in (root, *root.parents))


def converts(root: Path) -> bool | None:
    """Whether git may convert the line ends of records in ROOT, all its settings considered.

    None where git can't be asked.
    """
    answer = ask(root, "check-attr", "text", "--", "runs/v1/001/record.json")
    return None if answer is None else not answer.strip().endswith(": unset")


def tracks_state(root: Path) -> bool:
    """Whether git keeps what belongs to this machine alone: the folder .thesis."""
    return bool(ask(root, "ls-files", "--", ".thesis"))


def ask(folder: Path, *arguments: str, lines: Sequence[str] = ()) -> str | None:
    """Return git's answer to ARGUMENTS, given LINES to read; None where there is none to be had."""
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    surroundings = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        answer = subprocess.run(  # noqa: S603 - no shell, arguments are ours
            command,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=surroundings,
            input="".join(f"{line}\n" for line in lines).encode(),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode("utf-8", errors="replace") if answer.returncode == 0 else None


def _missing(path: Path, lines: Sequence[str]) -> list[str]:
    text = _read(path).removeprefix(BOM).decode("utf-8", errors="replace")
    there = {" ".join(line.split()) for line in text.splitlines()}
    return [line for line in lines if line not in there]


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return b""
    if content.startswith(UTF_16):
        raise UsageError(
            f"{path} is UTF-16 text, which git can't read (Windows PowerShell's > writes it)",
            "save it again in your editor with the encoding UTF-8",
        )
    return content


def _addition(before: bytes, why: str, lines: Sequence[str]) -> bytes:
    """Return what to append to BEFORE, with the line ends that it has."""
    end = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if not before.removeprefix(BOM) else end if before.endswith(b"\n") else 2 * end
    return gap + b"".join(line.encode() + end for line in (f"# thesis: {why}", *lines))
