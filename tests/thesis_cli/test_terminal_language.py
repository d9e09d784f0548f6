"""A terminal speaks English; what is written for the thesis is in the language of the thesis."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import thesis_cli
from experiments.wording import catalogue
from thesis_cli.session import Session

READING = (
    ("compare", "v1", "v2", "--resamples", "50"),
    ("compare", "v1", "v2", "--resamples", "0", "--only-changed", "--verbose"),
    ("milestone", "list"),
    ("milestone", "list", "--verbose"),
    ("milestone", "check"),
    ("runs", "list"),
    ("runs", "show", "v2", "--verbose"),
    ("runs", "diff", "v1", "v2"),
    ("check", "numbers", "--all"),
    ("vault", "status"),
    ("monitor", "v2", "--once"),
)
LOST = "\n<!--t:v9 widerface.hard.ap .1%-->55 %<!--/t-->\n"


def french_fragments():
    """Return what only French phrases say: their words between the values, if long enough."""
    said = {"en": set(), "fr": set()}
    for language, fragments in said.items():
        for text in catalogue.phrases(language).values():
            parts = re.split(r"\{\w+\}", text)
            fragments |= {
                part.strip() for part in parts if len(part.strip()) >= 8 and " " in part.strip()
            }
    return {part for part in said["fr"] if not any(part in other for other in said["en"])}


@pytest.fixture
def told(thesis, synced_copy, monkeypatch):
    """Return what a command says in a workspace of a language, without the workspace's place."""

    def tell(language, arguments, columns):
        workspace = tell.made.get(language) or tell.made.setdefault(language, synced_copy(language))
        monkeypatch.setenv("COLUMNS", str(columns))
        note = workspace.vault / "05-Results" / "Own.md"
        note.write_text(LOST, encoding="utf-8")
        answer = thesis(*arguments, workspace=workspace)
        return answer.code, answer.whole.replace(str(workspace.root), "ROOT")

    tell.made = {}
    return tell


def test_reading_commands_say_the_same_in_a_french_thesis(told):
    french = french_fragments()
    assert len(french) > 300
    for arguments in READING:
        for columns in (80, 140):
            english, other = (told(language, arguments, columns) for language in ("en", "fr"))
            assert plain(other) == plain(english), arguments
            assert len(other[1]) > 20
            assert [part for part in french if part in other[1]] == [], arguments


def plain(answer):
    """Leave out what differs by the workspaces themselves: seals, and sizes of what was synced."""
    code, text = answer
    return code, re.sub(r"\b[0-9a-f]{64}\b", "SEAL", text)


def test_what_is_written_for_the_thesis_is_in_its_language(thesis, synced_copy):
    french = synced_copy("fr")
    answer = thesis("compare", "v1", "v2", "--format", "md", "--resamples", "0", workspace=french)
    assert "| AP moyenne" in answer.out
    assert "objectif" in answer.out
    assert "Mean AP" not in answer.out


def test_without_a_workspace_documents_are_in_english(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert Session().document_language == "en"


def test_one_place_decides_the_language():
    """No module asks for the thesis's language, or names one, but the two that decide."""
    folder = Path(thesis_cli.__file__).parent
    deciding = {"language.py", "session.py"}
    asks = re.compile(r'workspace\.language|\(.*, "(en|fr)"\)|Words\("(en|fr)"\)')
    offending = [
        f"{path.relative_to(folder)}: {line.strip()}"
        for path in sorted(folder.rglob("*.py"))
        if path.name not in deciding
        for line in path.read_text(encoding="utf-8").splitlines()
        if asks.search(line)
    ]
    assert offending == []
