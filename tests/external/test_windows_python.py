"""The program under a real Windows Python, where one was made by `windows_python.py`."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

pytestmark = [pytest.mark.external, pytest.mark.slow]
EMBEDDED = re.compile(r"!\[\[([^\]|]+\.png)|!\[[^\]]*\]\(([^)]+\.png)\)")


@pytest.fixture(scope="module")
def thesis():
    """Run the command in a folder of the Windows disk; returns what it printed, which is JSON."""
    place = os.environ.get("THESIS_WINDOWS_PYTHON")
    if not place:
        pytest.skip("THESIS_WINDOWS_PYTHON names no folder that windows_python.py made")

    def run(folder, *words, code=0):
        done = subprocess.run(
            [f"{place}/thesis", *words], cwd=folder, capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr.decode("utf-8", "replace")
        return done.stdout.decode("utf-8")

    return run


@pytest.fixture(scope="module")
def folder():
    """A folder as students have them, with spaces and accents, on the Windows disk."""
    home = Path(os.environ.get("THESIS_WINDOWS_PYTHON", ".")) / "disk" / "Users" / "Élise Dupré"
    shutil.rmtree(home, ignore_errors=True)
    made = home / "Desktop" / "box"
    made.mkdir(parents=True)
    return made


def test_a_quickstart_in_french_ends_with_every_picture_in_place(thesis, folder):
    answer = json.loads(thesis(folder, "quickstart", "mémoire", "--language", "fr", "--json"))
    assert [run["status"] for run in answer["data"]["runs"]] == ["sealed", "sealed"]
    workspace = folder / "mémoire"
    pictures = embedded(workspace / "vault")
    assert len(pictures) > 5
    assert [name for name in pictures if not find(workspace / "vault", name)] == []
    again = json.loads(thesis(workspace, "report", "sync", "--to", "vault", "--json"))
    assert again["data"]["written"] == again["data"]["conflicts"] == []
    assert again["data"]["refused"] == []
    thesis(workspace, "runs", "verify")
    thesis(workspace, "run", "smoke")
    thesis(workspace, "compare", "v1", "v2")
    thesis(workspace, "report", "sync", "--to", "vault")
    thesis(workspace, "vault", "export", "--to", "html", "--output", "thesis.html")
    assert (workspace / "thesis.html").stat().st_size > 10_000


def embedded(vault):
    """The pictures that the notes show."""
    found = set()
    for note in vault.rglob("*.md"):
        for wiki, link in EMBEDDED.findall(note.read_text(encoding="utf-8")):
            found.add(Path(unquote(wiki or link)).name)
    return sorted(found)


def find(vault, name):
    return [path for path in vault.rglob(name) if path.stat().st_size]
