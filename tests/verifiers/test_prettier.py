"""Prettier leaves a filled vault as it is, and what it lays out anew is no edit of a block."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vault_sync.commands.status import inspect
from vault_sync.commands.sync import sync

pytestmark = [pytest.mark.external, pytest.mark.slow]
OPTIONS = [(), ("--tab-width", "4"), ("--use-tabs",), ("--print-width", "120"), ("--single-quote",)]


@pytest.fixture(scope="session")
def prettier():
    """Run the Prettier that npm installed into the folder named by THESIS_PRETTIER."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed: Prettier can't be run")
    place = os.environ.get("THESIS_PRETTIER")
    program = Path(place or "", "node_modules", "prettier", "bin", "prettier.cjs")
    if not place or not program.is_file():
        pytest.skip("THESIS_PRETTIER names no folder in which npm installed prettier")

    def run(vault, *options):
        command = ["node", str(program), *options, "**/*.md"]
        return subprocess.run(command, cwd=vault, capture_output=True, text=True, check=False)

    return run


def bare(text):
    """Give a text as a program that laid nothing out might have written it."""
    return "\n".join(map(_bare, text.split("\n")))


def _bare(line):
    if line.startswith("_") and line.endswith("_"):
        return f"*{line[1:-1]}*"
    if not line.startswith("|") or "`" in line:
        return line
    return "|".join(part.strip(" ") for part in line.split("|"))


def test_it_has_nothing_to_change(prettier, filled):
    checked = prettier(filled.vault, "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_it_edits_no_block(prettier, filled, options):
    for note in filled.notes.values():
        note.write_text(bare(note.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    before = {name: note.read_bytes() for name, note in filled.notes.items()}
    assert prettier(filled.vault, "--write", *options).returncode == 0
    assert {name: note.read_bytes() for name, note in filled.notes.items()} != before
    report = sync(filled.workspace)
    assert (report.written, report.conflicts, report.refused) == ([], [], [])
    status = inspect(filled.workspace)
    assert (status.pending, status.conflicts) == ([], [])
