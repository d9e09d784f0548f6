"""Open a file in Obsidian: by its own command line, else by an address, else not at all.

The command line (Obsidian 1.12 and later, https://help.obsidian.md/cli) has to be switched on in
Obsidian's settings; an earlier `obsidian` on the PATH is the program itself and is not started.
Its vault is the one that it is started in, so that vaults of one name are told apart.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from platformdirs import user_config_path

from vault_sync.opening.address import note_address

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vault_sync.opening.choosing import ChosenNote

PATIENCE = 20.0
"""Seconds for Obsidian to start and open a note; who takes longer is left at it."""
OPENERS = {"darwin": "open"}
"""System -> the program that opens addresses; elsewhere `xdg-open`."""


class Way(Enum):
    """How a note was opened."""

    COMMAND_LINE = "command line"
    ADDRESS = "address"
    NONE = "none"
    """Nothing on this machine opens it."""


def open_note(chosen: ChosenNote) -> Way:
    """Open a note and return how; nothing is raised where it can't be."""
    if not chosen.part and _by_command_line(chosen.file):
        return Way.COMMAND_LINE
    return Way.ADDRESS if open_address(note_address(chosen.file, chosen.part)) else Way.NONE


def open_address(address: str) -> bool:
    """Give ADDRESS to the system; False where it has nobody for it."""
    if sys.platform == "win32":
        with suppress(OSError):
            os.startfile(address)  # noqa: S606 - an address of ours
            return True
        return False
    shown = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    program = shutil.which(OPENERS.get(sys.platform, "xdg-open")) if shown else None
    return program is not None and _started([program, address])


def _by_command_line(file: Path) -> bool:
    """Whether Obsidian's own command line opened FILE."""
    program, root = shutil.which("obsidian"), obsidian_root(file.parent)
    if program is None or root is None or not _command_line_is_on():
        return False
    return _started([program, "open", f"path={file.relative_to(root).as_posix()}"], root)


def obsidian_root(folder: Path) -> Path | None:
    """Return the vault of Obsidian's that FOLDER lies in: where `.obsidian` is."""
    places = (folder, *folder.parents)
    return next((place for place in places if (place / ".obsidian").is_dir()), None)


def _command_line_is_on() -> bool:
    """Whether Obsidian's settings say that its command line may be used."""
    path = user_config_path("obsidian", appauthor=False, roaming=True) / "obsidian.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(settings, dict) and settings.get("cli") is True


def _started(command: Sequence[str], folder: Path | None = None) -> bool:
    """Start a program; False where it fails or says that it found nothing."""
    with tempfile.TemporaryFile() as answer:  # a pipe would end with us, and so might the program
        try:
            process = subprocess.Popen(  # noqa: S603 - programs found on the PATH, no shell
                command, cwd=folder, stdin=subprocess.DEVNULL, stdout=answer, stderr=answer
            )
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.returncode = 0  # it stays open, as a program with a window does
            return True
        except OSError:
            return False
        answer.seek(0)
        said = answer.read().decode("utf-8", "replace").lstrip().lower()
    return process.returncode == 0 and not said.startswith(_FAILED)


_FAILED = ("error", "vault not found", "file not found")
"""How answers begin that tell of a failure, whatever the exit code."""
