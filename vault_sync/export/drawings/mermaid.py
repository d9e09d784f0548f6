"""Mermaid drawn by a program that is installed: Mermaid's own, else mermaidx.

mermaidx runs Mermaid's JavaScript in an engine of its own, without a browser; formulas in a drawing
need one, so they need Mermaid's own program (https://github.com/mermaid-js/mermaid-cli).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from vault_sync.export.drawings.letters import bundled, uncovered
from vault_sync.export.reading.pandoc import install

if TYPE_CHECKING:
    from collections.abc import Iterable

SCALE = 3
"""Pixels of the picture for each of Mermaid's."""
DENSITY = 125.0 * SCALE
"""Pixels of the picture per inch: Mermaid's letters of 16 pixels are a little below 10 points."""
PATIENCE = 120.0
"""Seconds that a program may take for one drawing."""
OFFICIAL = "npm install --global @mermaid-js/mermaid-cli"
"""The command that installs Mermaid's own program."""
_APPEARANCE = ("-t", "neutral", "-b", "white")
_FORMULA = re.compile(r"\$\$")
_FAULTS = (
    re.compile(r"(?:Parse error|Lexical error|Syntax error|UnknownDiagram)[^\n]*(?:\n[^\n]*)?"),
    re.compile(r"Error: [^\n]*"),
)


@dataclass(frozen=True)
class Drawn:
    """A drawing as PNG, or why there is none."""

    content: bytes = b""
    fault: str = ""
    hint: str = ""
    """The command that would help."""


def draw_all(codes: Iterable[str]) -> dict[str, Drawn]:
    """Return code -> its drawing; the programs work side by side."""
    distinct = list(dict.fromkeys(codes))
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as workers:
        return dict(zip(distinct, workers.map(draw, distinct), strict=True))


def draw(code: str) -> Drawn:
    """Draw CODE with the first program that is there and can."""
    fault = ""
    for command in _programs(code):
        try:
            return Drawn(_run(command, code))
        except ValueError as error:
            fault = fault or str(error)
    if fault:
        return Drawn(fault=fault)
    if _FORMULA.search(code) and _has_mermaidx():
        return Drawn(
            fault="it holds formulas, which only Mermaid's own program draws", hint=OFFICIAL
        )
    return Drawn(fault="no program for Mermaid is installed", hint=install("mermaidx"))


def _has_mermaidx() -> bool:
    return util.find_spec("mermaidx") is not None


def _programs(code: str) -> list[list[str]]:
    """Return the commands that draw, without input and output."""
    official = shutil.which("mmdc")
    commands = [[official, *_APPEARANCE, "-s", str(SCALE)]] if official else []
    if _has_mermaidx() and not _FORMULA.search(code) and not uncovered(code, (bundled(),)):
        python = [sys.executable, "-m", "mermaidx"]
        commands.append([*python, *_APPEARANCE, "--scale", str(SCALE)])
    return commands


def _run(command: list[str], code: str) -> bytes:
    """Return the drawing that COMMAND makes.

    Raises:
        ValueError: it makes none; the message is its own.
    """
    with tempfile.TemporaryDirectory(prefix="thesis-export-") as place:
        folder = Path(place)
        (folder / "drawing.mmd").write_text(code, encoding="utf-8", newline="\n")
        try:
            answer = subprocess.run(  # noqa: S603 - a program we found, arguments we made
                [*command, "-i", "drawing.mmd", "-o", "drawing.png"],
                cwd=folder,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                check=False,
                timeout=PATIENCE,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ValueError(f"{Path(command[0]).name}: {type(error).__name__}") from error
        made = folder / "drawing.png"
        if answer.returncode or not made.is_file():
            raise ValueError(_fault(answer.stderr + b"\n" + answer.stdout))
        return made.read_bytes()


def _fault(output: bytes) -> str:
    text = output.decode("utf-8", "replace").replace("\r\n", "\n")
    match = next((found for fault in _FAULTS if (found := fault.search(text))), None)
    lines = [line for line in text.splitlines() if line.strip()]
    words = match[0] if match else (lines[-1] if lines else "it says nothing")
    return " ".join(words.split())[:160]
