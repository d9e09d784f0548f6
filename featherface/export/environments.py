"""Environments of converters that can't live beside this program, made when asked for.

Such an environment has the converter's own packages in the versions that were tried, and borrows
all others, PyTorch first of all, from the Python that made it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from featherface.errors import UnavailableError
from featherface.export.conversion_tools import MADE, environment_folder, environment_python
from featherface.filesystem.atomic import remove_tree, write_atomic
from featherface.filesystem.os_errors import unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from featherface.export.conversion_tools import ConversionTool

BORROWED = "borrowed.pth"
"""File among its packages that names where the others are."""
LOG = "pip.txt"
LINES = 3
"""Last lines of what pip said that are shown where it failed."""


def describe_environment(tool: ConversionTool) -> str:
    """Say what making the environment of TOOL will do, before it is done."""
    return (
        f"{tool.title} gets an environment of its own in {environment_folder(tool)}, with"
        f" {', '.join(tool.environment)} and what they need (about {tool.gigabytes:g} GB, from the"
        " package index that pip uses here); nothing that is installed changes"
    )


def make_environment(tool: ConversionTool, say: Callable[[str], None]) -> Path:
    """Make the environment of TOOL unless it is there, and return its Python.

    SAY is told what will be done before anything is.

    Raises:
        UnavailableError: it can't be made; the hint names what pip said in full.
    """
    folder, python = environment_folder(tool), environment_python(tool)
    if (folder / MADE).is_file():
        return python
    say(describe_environment(tool))
    try:
        remove_tree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        log = folder.with_suffix(".log")
        _do([sys.executable, "-m", "venv", str(folder)], tool, log)
        _borrow(folder)
        pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        _do([*pip, *tool.environment], tool, log)
        told = {"requirements": tool.environment, "made_by": sys.executable}
        write_atomic(folder / MADE, json.dumps(told, indent=2) + "\n")
    except OSError as error:
        raise unavailable(error, folder, verb="make the environment in") from error
    return python


def _borrow(folder: Path) -> None:
    """Let the environment in FOLDER find the packages of this Python behind its own."""
    own = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    ours = sysconfig.get_paths()
    lines = dict.fromkeys((ours["purelib"], ours["platlib"]))
    write_atomic(Path(own["purelib"]) / BORROWED, "\n".join(lines) + "\n")


def _do(command: list[str], tool: ConversionTool, log: Path) -> None:
    """Run COMMAND, adding what it says to LOG."""
    # What the user's shell tells Python of paths is meant for this one.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(  # noqa: S603 - our own command, of names in this module's tables
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        encoding="utf-8",
        errors="replace",
    )
    said = done.stdout + done.stderr
    with log.open("a", encoding="utf-8") as file:
        file.write(f"$ {' '.join(command)}\n{said}\n")
    if done.returncode:
        last = " / ".join([line for line in said.splitlines() if line.strip()][-LINES:])
        raise UnavailableError(
            f"the environment of {tool.title} can't be made: {last}", f"all that was said: {log}"
        )
